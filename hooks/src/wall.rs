// SPDX-License-Identifier: Apache-2.0
//! Keeps guests from the host's own services, on the networks that Virtwarden makes.
//!
//! libvirt's rules are about what is forwarded; what guests send to the host itself they let through, and a filter on
//! a VM's interface cannot know all addresses of the host. So the rules go in here, before such a network is up: where
//! they cannot, it does not start.

use std::io::Write;
use std::process::{Command, Stdio};

use virtwarden_core::control::{HookCall, HookDriver};
use virtwarden_core::xml::strict::parse;

const RULES: &str = include_str!("guests.nft");
const NFT: &str = "/usr/sbin/nft";
/// The bridges of networks that Virtwarden makes begin with this.
const BRIDGE: &str = "vwn-";

/// Puts the rules in, if the network that is about to start needs them.
///
/// # Errors
/// Why that cannot be done.
pub(crate) fn raise(call: &HookCall) -> Result<(), String> {
    match (call.driver, call.operation.as_str()) {
        (HookDriver::Network, "start") if is_ours(&call.xml) => load(),
        (HookDriver::Qemu | HookDriver::Network | HookDriver::Daemon, _) => Ok(()),
    }
}

fn is_ours(xml: &str) -> bool {
    let told = parse(xml).ok();
    let bridge = told.as_ref().and_then(|told| told.at(&["network", "bridge"])?.attribute("name"));
    bridge.is_some_and(|name| name.starts_with(BRIDGE))
}

fn load() -> Result<(), String> {
    let failed =
        |why: &str| format!("guests could not be kept from this host: {NFT}: {why}; is nftables installed?");
    let mut nft = Command::new(NFT)
        .args(["-f", "-"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&error.to_string()))?;
    // Dropped at the end of the statement, so that nft sees the end of the rules.
    let written = nft.stdin.take().map(|mut input| input.write_all(RULES.as_bytes()));
    let ended = nft.wait_with_output().map_err(|error| failed(&error.to_string()))?;
    match (written, ended.status.success()) {
        (Some(Ok(())), true) => Ok(()),
        _ => Err(failed(String::from_utf8_lossy(&ended.stderr).trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_that_are_made_here_are_known_by_their_bridges() {
        let told = |inner: &str| format!("<hookData><network><name>n</name>{inner}</network></hookData>");
        assert!(is_ours(&told("<bridge name='vwn-red' stp='on' delay='0'/>")));
        for other in ["<bridge name='virbr0'/>", "<bridge name='xvwn-red'/>", ""] {
            assert!(!is_ours(&told(other)), "{other}");
        }
        assert!(!is_ours("<hookData>"));
    }
}
