// SPDX-License-Identifier: Apache-2.0
//! The rules of nftables that keep guests from the host's own services, on networks that Virtwarden makes.
//!
//! libvirt's hook puts them in before such a network starts. They go with the takeover, and come back with it
//! where such a network is up all the while.

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// What the hook puts in, too.
const RULES: &str = "/usr/share/virtwarden/guests.nft";
/// The bridges of such networks begin with this.
const BRIDGE: &str = "vwn-";
const TABLE: &str = "table inet virtwarden";

/// Puts the rules in if a network that needs them is up.
pub(crate) fn raise(host: &Host<'_>) -> Result<(), Trouble> {
    let needed = host.list("/sys/class/net").iter().any(|interface| interface.starts_with(BRIDGE));
    if needed { host.run("nft", &["-f", RULES]).map(drop) } else { Ok(()) }
}

/// Takes the rules out. Where there is no nft, there are none.
pub(crate) fn lower(host: &Host<'_>) -> Result<(), Trouble> {
    let tables = host.run("nft", &["list", "tables"]).unwrap_or_default();
    if tables.lines().any(|line| line.trim() == TABLE) {
        host.run("nft", &["delete", "table", "inet", "virtwarden"]).map(drop)
    } else {
        Ok(())
    }
}
