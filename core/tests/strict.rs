// SPDX-License-Identifier: Apache-2.0
//! What the strict reader refuses, and that what it accepts survives being written again.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a failed test is a panic")]

use proptest::prelude::*;
use virtwarden_core::xml::element::{Attribute, Element, Namespace, Node};
use virtwarden_core::xml::strict::{self, Problem, parse};
use virtwarden_core::xml::write::write;

fn problem(text: impl AsRef<[u8]>) -> Problem {
    match parse(text) {
        Err(error) => error.problem,
        Ok(tree) => panic!("accepted: {}", &write(&tree)[..200.min(write(&tree).len())]),
    }
}

fn repeated(parent: &str, child: &str) -> Problem {
    Problem::Repeated { parent: parent.into(), child: child.into() }
}

#[test]
fn what_two_parsers_could_read_differently_is_refused() {
    let bomb = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><domain>&b;</domain>";
    let table: &[(&str, Problem)] = &[
        ("", Problem::Empty),
        ("  \n", Problem::Empty),
        ("<!DOCTYPE domain><domain/>", Problem::DocumentType),
        ("<!DOCTYPE d [<!ATTLIST domain type CDATA 'kvm'>]><domain/>", Problem::DocumentType),
        (bomb, Problem::DocumentType),
        ("<domain>&e;</domain>", Problem::Entity("e".into())),
        ("<domain type='&e;'/>", Problem::Entity("e".into())),
        ("<?php x?><domain/>", Problem::Instruction),
        ("<domain><?xml-model href='x'?></domain>", Problem::Instruction),
        (" <?xml version='1.0'?><domain/>", Problem::Declaration),
        ("<?xml version='1.1'?><domain/>", Problem::Declaration),
        ("<?xml version='1.0' encoding='utf-7'?><domain/>", Problem::Declaration),
        ("<domain/><domain/>", Problem::Outside),
        ("<domain/>x", Problem::Outside),
        ("x<domain/>", Problem::Outside),
        ("\u{feff}<domain/>", Problem::Outside),
        ("<domain><name>a</name>", Problem::Unclosed("domain".into())),
        ("<domain><name>a<!-- b -->c</name></domain>", Problem::Comment),
        ("<domain><name>a<!-- b --></name></domain>", Problem::Comment),
        ("<domain><name><![CDATA[a]]></name></domain>", Problem::CharacterData),
        ("<domain><name>a<b/></name></domain>", Problem::Mixed("name".into())),
        ("<domain>a\0b</domain>", Problem::Control(0)),
        ("<domain>a&#0;b</domain>", Problem::Control(0)),
        ("<domain>a\u{1}</domain>", Problem::Control(1)),
        ("<domain type='a&#10;b'/>", Problem::Control(10)),
        ("<domain type='a\nb'/>", Problem::Control(10)),
        ("<domain type='a' type='b'/>", Problem::Duplicate("type".into())),
        ("<domain xmlns:a='u' xmlns:a='u'/>", Problem::Duplicate("xmlns:a".into())),
        ("<domain xmlns:z='z' z:type='kvm'/>", Problem::Prefix("type".into())),
        ("<domain xml:lang='en'/>", Problem::Prefix("lang".into())),
        ("<z:domain/>", Problem::Prefix("z".into())),
        ("<domain xmlns:z=''/>", Problem::Prefix("xmlns:z".into())),
        ("<domain><dömän/></domain>", Problem::Name("dömän".into())),
        ("<domain><name>a</name><name>b</name></domain>", repeated("domain", "name")),
        ("<domain><devices/><devices/></domain>", repeated("domain", "devices")),
        ("<domain><devices><disk><source/><source/></disk></devices></domain>", repeated("disk", "source")),
        ("<disk><source file='a'/><source file='b'/></disk>", repeated("disk", "source")),
        ("<network><forward/><forward/></network>", repeated("network", "forward")),
        ("<pool><target/><target/></pool>", repeated("pool", "target")),
    ];
    for (text, expected) in table {
        assert_eq!(&problem(text), expected, "{text}");
    }
    assert_eq!(problem(b"<domain>\xff</domain>"), Problem::NotUtf8);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "<domain",
        "<domain>",
        "<domain></network>",
        "</domain>",
        "<domain type=kvm/>",
        "<domain type/>",
        "<domain type='a\"/>",
        "<domain><!-- a -- b --></domain>",
        "<domain><!-- a",
        "<domain>&amp</domain>",
        "<domain>&</domain>",
        "< domain/>",
        "<domain type='<'/>",
        "<1/>",
        "<a:b:c/>",
        "<:a/>",
        "<a:/>",
        "<domain/><!",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn foreign_namespaces_stay_in_metadata() {
    let foreign = |text: &str| matches!(problem(text), Problem::Foreign { .. });
    assert!(foreign("<domain xmlns='http://example.org/'/>"));
    assert!(foreign("<domain xmlns='http://libvirt.org/schemas/domain/qemu/1.0'/>"));
    assert!(foreign("<domain xmlns:z='z'><devices><z:disk/></devices></domain>"));
    assert!(foreign(
        "<domain xmlns:z='z'><devices><disk><z:source file='/etc/shadow'/></disk></devices></domain>"
    ));
    assert!(foreign("<domain><devices><metadata><z:disk xmlns:z='z'/></metadata></devices></domain>"));
    assert!(foreign("<domain><x><metadata><z:disk xmlns:z='z'/></metadata></x></domain>"));
    assert!(foreign(
        "<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><devices><q:commandline/></devices></domain>"
    ));
    assert!(
        parse("<domain><metadata><z:a xmlns:z='z' z:b='1' xml:lang='en'>t<z:c/>u</z:a></metadata></domain>")
            .is_ok()
    );
    assert!(
        parse("<domainsnapshot><domain><metadata><a xmlns='z'/></metadata></domain></domainsnapshot>")
            .is_ok()
    );
    assert!(
        parse("<domain xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:commandline><q:arg value='-s'/></q:commandline></domain>")
            .is_ok()
    );
}

#[test]
fn sizes_are_bounded_before_they_cost_anything() {
    let big = format!("<domain><metadata>{}</metadata></domain>", "x".repeat(50_000_000));
    assert_eq!(problem(&big), Problem::TooLarge);
    assert_eq!(problem("<a>".repeat(100_000)), Problem::TooDeep);
    assert_eq!(
        problem(format!("<domain>{}</domain>", "<a/>".repeat(strict::MAX_NODES))),
        Problem::TooManyNodes
    );
    let attributes = (0..60_000).map(|n| format!(" a{n}=''")).collect::<String>();
    assert_eq!(problem(format!("<domain{attributes}/>")), Problem::TooManyAttributes);
    let declarations =
        |level: usize| (0..10).map(move |n| format!(" xmlns:a{level}x{n}='u'")).collect::<String>();
    let opened = (0..7).map(|level| format!("<a{}>", declarations(level))).collect::<String>();
    assert_eq!(problem(opened), Problem::TooManyNamespaces);
    let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(parse(nested(strict::MAX_DEPTH)).is_ok());
    assert_eq!(problem(nested(strict::MAX_DEPTH + 1)), Problem::TooDeep);
}

#[test]
fn a_problem_says_where_it_is() {
    let error = parse("<domain>\n  <name>a</name>\n  <name>b</name>\n</domain>").unwrap_err();
    assert_eq!((error.line, error.column), (3, 3));
    assert_eq!(error.to_string(), "XML line 3, column 3: `domain` may have only one `name`");
}

#[test]
fn layout_declarations_and_comments_do_not_matter() {
    let written = "<?xml version=\"1.0\" encoding='UTF-8'?>\n<!-- edited -->\n<domain  type = \"kvm\" xmlns:q='u'>\r\n \
                   <!-- name --> <name>a&lt;&#x41;</name>\r\n<description>one\r\ntwo</description></domain>\n<!-- end -->\n";
    let expected = "<domain type='kvm'><name>a&lt;A</name><description>one\ntwo</description></domain>";
    assert_eq!(write(&parse(written).unwrap()), expected);
}

#[test]
fn namespaces_are_declared_again_where_they_are_needed() {
    let written =
        "<domain><metadata><o:a xmlns:o='u' xmlns='v'><b o:x='1'/><c xmlns=''/></o:a></metadata></domain>";
    let tree = parse(written).unwrap();
    assert_eq!(
        write(&tree),
        "<domain><metadata><o:a xmlns:o='u'><b xmlns='v' o:x='1'/><c/></o:a></metadata></domain>"
    );
    assert_eq!(parse(write(&tree)).unwrap(), tree);
}

fn namespace() -> impl Strategy<Value = Option<Namespace>> {
    let pairs = [("a", "urn:a"), ("b", "urn:b"), ("", "urn:c"), ("a", "urn:d")];
    proptest::option::of(
        proptest::sample::select(pairs.to_vec())
            .prop_map(|(prefix, uri)| Namespace { prefix: prefix.into(), uri: uri.into() }),
    )
}

fn element() -> impl Strategy<Value = Element> {
    let name = "[a-z_][a-z0-9_.-]{0,5}";
    let value = "[ -~é€]{0,8}";
    let text = "[!-~][ -~\n\t\r]{0,8}";
    let attributes = proptest::collection::btree_map(name, value, 0..4).prop_map(|map| {
        map.into_iter().map(|(name, value)| Attribute { name, namespace: None, value }).collect::<Vec<_>>()
    });
    let leaf = (name, namespace(), attributes, proptest::option::of(text)).prop_map(
        |(name, namespace, attributes, text)| Element {
            name,
            namespace,
            attributes: attributes.into_iter().filter(|a| a.name != "xmlns").collect(),
            children: text.into_iter().map(Node::Text).collect(),
        },
    );
    leaf.prop_recursive(4, 32, 5, move |inner| {
        (namespace(), proptest::collection::vec(inner, 0..5)).prop_map(|(namespace, children)| Element {
            name: "holder".into(),
            namespace,
            attributes: Vec::new(),
            children: children.into_iter().map(Node::Element).collect(),
        })
    })
}

proptest! {
    /// Whatever stands in metadata, where everything may stand, is read back as it was written.
    #[test]
    fn reading_what_was_written_gives_the_same(inner in element()) {
        let tree = Element::new("domain").holding(Element::new("metadata").holding(inner));
        prop_assert_eq!(parse(write(&tree)).unwrap(), tree);
    }

    /// No bytes make the reader panic, and what it accepts is a fixed point.
    #[test]
    fn any_bytes_are_refused_or_stable(text in "[<>/a-c&;:='\" !?\\-\\[#x0-9\n]{0,60}") {
        if let Ok(tree) = parse(&text) {
            prop_assert_eq!(parse(write(&tree)).unwrap(), tree);
        }
    }
}
