// SPDX-License-Identifier: Apache-2.0
//! What libvirt says of an object that does not exist. We say the same of one that is hidden.

use virtwarden_core::rpc::error;
use virtwarden_core::rpc::handle::Handle;

use super::call::Call;

/// The error payload for a handle that leads nowhere.
pub(super) fn leads_nowhere(handle: &Handle<'_>) -> Vec<u8> {
    error::leads_nowhere(handle).encode()
}

/// The error payload for a lookup that found nothing, or nothing that the subject may see.
pub(super) fn found_nothing(call: &Call<'_>) -> Vec<u8> {
    error::found_nothing(call.procedure, &call.arguments).encode()
}
