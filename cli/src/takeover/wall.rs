// SPDX-License-Identifier: Apache-2.0
//! The rules of nftables that keep guests from the host's own services, on networks that Virtwarden makes.
//!
//! libvirt's hook puts them in before such a network starts. They go with the takeover, and come back with it
//! where such a network is up all the while.

use crate::takeover::finding::Finding;
use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// What the hook puts in, too.
const RULES: &str = "/usr/share/virtwarden/guests.nft";
/// The bridges of such networks begin with this.
const BRIDGE: &str = "vwn-";
const TABLE: &str = "table inet virtwarden";

/// Puts the rules in if a network that needs them is up.
pub(crate) fn raise(host: &Host<'_>) -> Result<(), Trouble> {
    if is_needed(host) { host.run("nft", &["-f", RULES]).map(drop) } else { Ok(()) }
}

/// Takes the rules out. Where there is no nft, there are none.
pub(crate) fn lower(host: &Host<'_>) -> Result<(), Trouble> {
    if stands(host).unwrap_or_default() {
        host.run("nft", &["delete", "table", "inet", "virtwarden"]).map(drop)
    } else {
        Ok(())
    }
}

/// Whether the rules are there, where a network needs them: whoever flushes nftables (as `systemctl restart nftables`
/// does) takes them away with libvirt's own.
pub(crate) fn look(host: &Host<'_>) -> Vec<Finding> {
    if !is_needed(host) {
        return Vec::new();
    }
    vec![match stands(host) {
        Ok(true) => {
            Finding::good("guests on networks of ours reach no service of this host but addresses and names")
        }
        Ok(false) => Finding::problem(
            "guests on networks of ours reach this host's services: somebody flushed the rules of nftables",
            format!("`nft -f {RULES}`, and `systemctl restart libvirtd` for libvirt's own rules"),
        ),
        Err(trouble) => Finding::warning(
            format!("it cannot be told whether guests are kept from this host's services: {trouble}"),
            "ask as root",
        ),
    }]
}

fn is_needed(host: &Host<'_>) -> bool {
    host.list("/sys/class/net").iter().any(|interface| interface.starts_with(BRIDGE))
}

fn stands(host: &Host<'_>) -> Result<bool, Trouble> {
    let tables = host.run("nft", &["list", "tables"])?;
    Ok(tables.lines().any(|line| line.trim() == TABLE))
}
