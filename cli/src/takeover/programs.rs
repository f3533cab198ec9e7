// SPDX-License-Identifier: Apache-2.0
//! Whether the program that libvirtd's hooks start is ours and nobody else can put another in its place.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::takeover::host::Host;
use crate::takeover::plan::HOOK;
use crate::takeover::trouble::Trouble;

/// How the hook program begins whatever it says.
const SAYS: &str = "virtwarden: ";

/// What is wrong with the hook program; nothing where it is as it must be.
pub(crate) fn hook(host: &Host<'_>) -> Option<String> {
    let wrong = match host.path(HOOK).symlink_metadata() {
        Err(_) => Some("is missing".to_owned()),
        Ok(found) if !found.is_file() => Some("is not a file".to_owned()),
        Ok(found) if found.permissions().mode() & 0o111 != 0o111 => Some("cannot be started".to_owned()),
        Ok(found) if found.permissions().mode() & 0o022 != 0 => {
            Some("can be written by others than root".to_owned())
        }
        Ok(found) if Some(found.uid()) != host.owner().ok() => Some("does not belong to root".to_owned()),
        Ok(_) => refuses(host).err(),
    };
    wrong.map(|what| format!("{HOOK} {what}: `apt install --reinstall virtwarden`"))
}

/// Ours refuses whatever libvirtd would never ask, in its own words, and tells nobody. A program that agrees to
/// everything agrees to that, too.
fn refuses(host: &Host<'_>) -> Result<(), String> {
    match host.run(&host.path(HOOK).to_string_lossy(), &["evaluate"]) {
        Ok(_) => Err("agrees to everything: it is not ours".to_owned()),
        Err(Trouble::Command { said, .. }) if said.starts_with(SAYS) => Ok(()),
        Err(trouble) => Err(format!("does not answer as ours does ({trouble})")),
    }
}
