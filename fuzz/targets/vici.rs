// SPDX-License-Identifier: Apache-2.0
//! What strongSwan's swanctl says to settingsd, from whatever is written on that socket.
#![no_main]

use libfuzzer_sys::fuzz_target;

// The decoder stands alone in a program that has no library.
#[path = "../../settingsd/src/provider/swanctl/vici.rs"]
#[allow(dead_code, reason = "what settingsd asks of it is more than is fuzzed")]
mod vici;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    while let Ok(Some(packet)) = vici::receive(&mut rest) {
        if let vici::Packet::Command { message, .. } | vici::Packet::Event(message) = packet {
            assert!(sections(&message) < bytes.len());
        }
    }
});

/// How many there are, the deepest counted by recursion.
fn sections(section: &vici::Section) -> usize {
    section.sections.iter().map(|below| 1 + sections(below)).sum()
}
