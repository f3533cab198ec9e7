// SPDX-License-Identifier: Apache-2.0
//! Packets, whole and broken.

use proptest::collection::vec;
use proptest::prelude::*;

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

/// A section's contents as its elements, as swanctl writes them.
fn elements(section: &Section) -> Vec<u8> {
    let short = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let long = |text: &str| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat();
    let mut bytes = Vec::new();
    for (name, value) in &section.values {
        bytes.extend([vec![VALUE], short(name), long(value)].concat());
    }
    for (name, list) in &section.lists {
        let items: Vec<u8> = list.iter().flat_map(|item| [vec![ITEM], long(item)].concat()).collect();
        bytes.extend([vec![LIST], short(name), items, vec![LIST_END]].concat());
    }
    for below in &section.sections {
        bytes.extend([vec![SECTION], short(&below.name), elements(below), vec![SECTION_END]].concat());
    }
    bytes
}

fn section() -> impl Strategy<Value = Section> {
    let name = || "\\PC{0,60}";
    let value = || prop_oneof![9 => "\\PC{0,80}", 1 => Just("x".repeat(300)), 1 => Just("x".repeat(65_535))];
    let flat = move |sections: Vec<Section>| {
        let values = vec((name(), value()), 0..3);
        let lists = vec((name(), vec(value(), 0..3)), 0..3);
        (name(), values, lists).prop_map(move |(name, values, lists)| Section {
            name,
            values,
            lists,
            sections: sections.clone(),
        })
    };
    flat(Vec::new()).prop_recursive(5, 12, 3, move |inner| vec(inner, 0..3).prop_flat_map(flat))
}

/// Bytes that are elements more often than chance has it, and text wherever text may be.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => 0..=LIST_END, 1 => 0..0x80_u8], 0..200)
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(section in section()) {
        let message = Section { name: String::new(), ..section };
        let bytes = framed([&[COMMAND, 1, b'x'][..], &elements(&message)].concat());
        if bytes.len() - 4 > usize::try_from(LONGEST).unwrap() {
            prop_assert!(all(&bytes).is_err());
        } else {
            prop_assert_eq!(all(&bytes).unwrap(), [Packet::Command { name: "x".to_owned(), message }]);
        }
    }

    /// Nothing is made up and nothing left out.
    #[test]
    fn what_is_read_is_as_long_as_it_was(bytes in soup()) {
        if let Some(read) = message(&bytes) {
            prop_assert_eq!(elements(&read).len(), bytes.len());
        }
    }

    #[test]
    fn no_bytes_are_too_much(bytes in vec(any::<u8>(), 0..300)) {
        let _either_way = (all(&bytes), all(&framed(bytes.clone())));
    }
}
