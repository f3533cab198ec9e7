// SPDX-License-Identifier: Apache-2.0
//! Packets, whole and broken.

use super::*;

/// `load-conn { site { proposals = [ a b ]  remote { revocation = strict } children { } } }`
fn load() -> Vec<u8> {
    let word = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let value = |text: &str| [&[0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let parts: [&[u8]; 18] = [
        &[COMMAND],
        &word("load-conn"),
        &[SECTION],
        &word("site"),
        &[LIST],
        &word("proposals"),
        &[ITEM],
        &value("a"),
        &[ITEM],
        &value("b"),
        &[LIST_END, SECTION],
        &word("remote"),
        &[VALUE],
        &word("revocation"),
        &value("strict"),
        &[SECTION_END, SECTION],
        &word("children"),
        &[SECTION_END, SECTION_END],
    ];
    framed(parts.concat())
}

fn all(mut bytes: &[u8]) -> io::Result<Vec<Packet>> {
    let mut packets = Vec::new();
    while let Some(packet) = receive(&mut bytes)? {
        packets.push(packet);
    }
    Ok(packets)
}

#[test]
fn a_connection_is_read_with_all_that_is_in_it() {
    let packets = all(&[load(), success(), nothing(), confirmed()].concat()).unwrap();
    let [Packet::Command { name, message }, Packet::Answer, Packet::Answer, Packet::Confirmed] = &packets[..]
    else {
        panic!("{packets:?}")
    };
    let [site] = &message.sections[..] else { panic!("{message:?}") };
    assert_eq!((name.as_str(), site.name.as_str()), ("load-conn", "site"));
    assert_eq!(site.list("proposals"), ["a", "b"]);
    assert_eq!(site.list("esp_proposals"), [""; 0]);
    let remote = site.sections.iter().find(|section| section.name == "remote").unwrap();
    assert_eq!((remote.value("revocation"), remote.value("auth")), (Some("strict"), None));
    assert_eq!(site.below("children").count(), 0);
}

#[test]
fn what_is_no_packet_is_refused_wherever_it_breaks() {
    let whole = load();
    for cut in 1..whole.len() {
        assert!(all(&whole[..cut]).is_err(), "{cut}");
    }
    let content = &whole[4..];
    for cut in 0..content.len() {
        // A command without a message is one.
        let is_command = cut == "load-conn".len() + 2;
        assert_eq!(all(&framed(content[..cut].to_vec())).is_ok(), is_command, "a whole packet of {cut}");
    }
    let deep = framed([&[COMMAND, 0][..], &[SECTION, 0].repeat(DEEPEST)].concat());
    for bad in [
        &deep[..],
        &[255; 4],
        &framed(vec![COMMAND, 0, SECTION_END]),
        &framed(vec![9]),
        &framed(vec![COMMAND, 0, ITEM]),
    ] {
        assert!(all(bad).is_err(), "{bad:?}");
    }
}
