// SPDX-License-Identifier: Apache-2.0
//! Only one takeover at a time.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::{Flock, FlockArg};

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

const PATH: &str = "/run/virtwarden-takeover.lock";

/// Held until it is dropped.
pub(crate) struct Alone {
    _lock: Flock<File>,
}

/// Takes the lock.
///
/// # Errors
/// When somebody else is at it.
pub(crate) fn take(host: &Host<'_>) -> Result<Alone, Trouble> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(host.path(PATH))
        .map_err(Trouble::io(format_args!("open `{PATH}`")))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Alone { _lock: lock }),
        Err(_) => Err(Trouble::Refused(
            "somebody else is taking libvirt over or giving it back; wait for him".into(),
        )),
    }
}
