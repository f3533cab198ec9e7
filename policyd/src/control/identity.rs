// SPDX-License-Identifier: Apache-2.0
//! Identities of what is made here.

use virtwarden_core::control::Failure;
use virtwarden_core::object::Uuid;

use super::failure::failed;

/// A random UUID, of version 4.
pub(super) fn fresh_uuid() -> Result<Uuid, Failure> {
    let mut bytes = [0_u8; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| failed(error.to_string()))?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    Ok(Uuid(bytes))
}
