// SPDX-License-Identifier: Apache-2.0
//! Whatever is changed anywhere in a real definition is noticed.

use std::collections::BTreeMap;

use super::change::{Form, changes};
use super::definition::Definition;
use super::element::{Attribute, Element, Node};
use super::ignored::{IGNORED, RULES};
use super::strict::parse;

const STORED: [&str; 2] =
    [include_str!("../../tests/xml/9.0/inactive.xml"), include_str!("../../tests/xml/11.3/inactive.xml")];
const RUNNING: [&str; 2] =
    [include_str!("../../tests/xml/9.0/live-media.xml"), include_str!("../../tests/xml/11.3/live-media.xml")];

/// One way to change an element; false if it does not apply.
type Mutation = fn(&mut Element) -> bool;

const MUTATIONS: [(&str, Mutation); 6] = [
    ("rename it", |e| {
        e.name.push('x');
        true
    }),
    ("add an attribute", |e| {
        *e = e.clone().with("zz", "1");
        true
    }),
    ("change an attribute", |e| e.attributes.last_mut().map(|a| a.value.push('7')).is_some()),
    ("remove an attribute", |e| e.attributes.pop().is_some()),
    ("add a child", |e| {
        e.children = vec![Node::Element(Element::new("zz"))];
        true
    }),
    ("change the text", |e| match e.children.first_mut() {
        Some(Node::Text(text)) => {
            text.push('7');
            true
        }
        _ => false,
    }),
];

/// The names down to each element, and the way to it by position.
fn places(element: &Element, names: &[String], steps: &[usize], found: &mut Vec<(Vec<String>, Vec<usize>)>) {
    let names = [names, std::slice::from_ref(&element.name)].concat();
    found.push((names.clone(), steps.to_vec()));
    for (index, node) in element.children.iter().enumerate() {
        if let Node::Element(child) = node {
            places(child, &names, &[steps, &[index]].concat(), found);
        }
    }
}

fn walk_to<'a>(root: &'a mut Element, steps: &[usize]) -> &'a mut Element {
    steps.iter().fold(root, |element, step| match &mut element.children[*step] {
        Node::Element(child) => child,
        Node::Text(_) => unreachable!(),
    })
}

/// Every definition that comes from another one by one mutation, or by leaving one element out; of
/// places with the same names the first three.
fn mutants(root: &Element) -> Vec<(String, Vec<String>, Definition)> {
    let mut found = Vec::new();
    places(root, &[], &[], &mut found);
    let mut all = Vec::new();
    let mut seen: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for (names, steps) in found {
        let alike = seen.entry(names.clone()).or_default();
        *alike += 1;
        if *alike > 3 {
            continue;
        }
        for (what, mutate) in MUTATIONS {
            let mut mutant = root.clone();
            if mutate(walk_to(&mut mutant, &steps)) {
                all.push((what.to_owned(), names.clone(), mutant));
            }
        }
        if let Some((last, parent)) = steps.split_last() {
            let mut mutant = root.clone();
            walk_to(&mut mutant, parent).children.remove(*last);
            all.push(("remove it".to_owned(), names, mutant));
        }
    }
    all.into_iter()
        .filter_map(|(what, names, root)| Some((what, names, Definition::new(root).ok()?)))
        .collect()
}

#[test]
fn nothing_is_overlooked_in_a_stored_definition() {
    for text in STORED {
        let original = Definition::parse(text).unwrap();
        let mutants = mutants(original.root());
        assert!(mutants.len() > 400, "{}", mutants.len());
        for (what, names, mutant) in mutants {
            assert!(
                !changes(Some(&original), &mutant, Form::Stored).is_empty(),
                "{what}: {}",
                names.join("/")
            );
            assert!(
                !changes(Some(&mutant), &original, Form::Stored).is_empty(),
                "{what}: {}",
                names.join("/")
            );
        }
    }
}

#[test]
fn only_what_is_listed_is_overlooked_in_a_running_one() {
    for text in RUNNING {
        let original = Definition::parse(text).unwrap();
        let mut overlooked = 0;
        for (what, names, mutant) in mutants(original.root()) {
            if changes(Some(&original), &mutant, Form::Running).is_empty() {
                overlooked += 1;
                assert!(is_listed(&names), "{what}: {}", names.join("/"));
            }
        }
        assert!(overlooked > 0);
    }
}

/// The element, what it is in, or one of its attributes is in the list; or it is the model of the
/// processor.
fn is_listed(names: &[String]) -> bool {
    let listed = IGNORED.iter().zip(RULES.iter()).any(|(entry, rule)| match entry.what.split_once('@') {
        Some((_, attribute)) => rule.matches(names, Some(attribute)),
        None => (1..=names.len()).any(|length| rule.matches(&names[..length], None)),
    });
    listed || matches!(names, [domain, cpu, ..] if domain == "domain" && cpu == "cpu")
}

#[test]
fn an_ignored_name_that_somebody_chose_is_not_ignored() {
    let live = |inner: &str| {
        let text = format!("<domain><name>a</name><memory>2</memory>{inner}</domain>");
        Definition::new(parse(text).unwrap()).unwrap()
    };
    let table = [
        "<currentMemory>3</currentMemory>",
        "<resource><partition>/other</partition></resource>",
        "<seclabel type='static' relabel='yes'/>",
        "<seclabel type='none'/>",
        "<seclabel type='dynamic' relabel='yes'><baselabel>x</baselabel></seclabel>",
        "<devices><sound model='a'><alias name='ua-x'/></sound></devices>",
        "<devices><disk><backingStore><source file='/a'/></backingStore></disk></devices>",
        "<devices><interface type='bridge'><source bridge='br0'/></interface></devices>",
        "<devices><interface><target dev='tap0'/></interface></devices>",
        "<devices><interface><target dev='vnet0x'/></interface></devices>",
        "<devices><console type='file' tty='/dev/pts/1'/></devices>",
        "<devices><serial type='file'><source path='/etc/x'/></serial></devices>",
        "<devices><channel type='unix'><source mode='connect'/></channel></devices>",
        "<devices><graphics type='vnc' port='5900' autoport='no'/></devices>",
        "<devices><graphics type='vnc' listen='0.0.0.0'/></devices>",
        "<devices><graphics type='vnc'><listen type='address' address='0.0.0.0'/></graphics></devices>",
        "<devices><vsock><cid auto='no' address='3'/></vsock></devices>",
        "<os><nvram>/var/lib/libvirt/qemu/nvram/a</nvram></os>",
    ];
    for inner in table {
        let without = live("");
        assert!(!changes(Some(&without), &live(inner), Form::Running).is_empty(), "{inner}");
    }
    let os = |inner: &str| live(&format!("<os firmware='efi'>{inner}</os>"));
    let chosen = "<loader>/usr/share/OVMF/a.fd</loader><nvram>/var/lib/libvirt/qemu/nvram/a</nvram>";
    assert!(changes(Some(&os("")), &os(chosen), Form::Running).is_empty());
    for wrong in [
        "<loader>/tmp/a.fd</loader>".to_owned(),
        "<nvram>/var/lib/libvirt/qemu/nvram/a</nvram>".to_owned(),
        chosen.replace("libvirt/qemu", "x"),
        format!("{chosen}<kernel>/a</kernel>"),
    ] {
        assert!(!changes(Some(&os("")), &os(&wrong), Form::Running).is_empty(), "{wrong}");
    }
    assert!(!changes(Some(&os(&chosen.replace("a.fd", "b.fd"))), &os(chosen), Form::Running).is_empty());
    let (a, b) = ("<alias name='ua-x'/>", "<alias name='ua-y'/>");
    let sound = |alias| live(&format!("<devices><sound model='a'>{alias}</sound></devices>"));
    assert!(!changes(Some(&sound(a)), &sound(b), Form::Running).is_empty());
    assert!(!changes(Some(&sound("")), &sound(b), Form::Running).is_empty());
    assert!(changes(Some(&sound("")), &sound("<alias name='sound0'/>"), Form::Running).is_empty());
}

#[test]
fn an_attribute_of_the_outermost_element_is_noticed() {
    let original = Definition::parse("<domain><name>a</name></domain>").unwrap();
    let mut root = original.root().clone();
    root.attributes.push(Attribute { name: "id".into(), namespace: None, value: "1".into() });
    let mutant = Definition::new(root).unwrap();
    assert!(!changes(Some(&original), &mutant, Form::Stored).is_empty());
    assert!(changes(Some(&original), &mutant, Form::Running).is_empty());
}
