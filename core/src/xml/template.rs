// SPDX-License-Identifier: Apache-2.0
//! A template of a VM, filled in: row 4 of Table 3.
//!
//! It is filled in as a tree, so that no value can become markup, and each placeholder once, so that no value can name
//! another.

use std::collections::{BTreeMap, BTreeSet};

use super::element::{Element, Node};

/// Values by the names of their placeholders.
pub type Values = BTreeMap<&'static str, String>;

/// The names of the placeholders in a template.
pub fn placeholders(template: &Element) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    template.walk(&mut |part| {
        let values = part.attributes.iter().map(|attribute| attribute.value.as_str());
        let texts = part.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        names.extend(values.chain(texts).flat_map(names_in));
    });
    names
}

/// The template with every placeholder replaced. A device that names one of `left_out` is left out whole: who wants no
/// disk gets none.
///
/// # Errors
/// The name of a placeholder that stands for nothing.
pub fn fill(template: &Element, values: &Values, left_out: &[&str]) -> Result<Element, String> {
    let mut root = template.clone();
    for devices in elements(&mut root).filter(|part| part.is("devices")) {
        devices.children.retain(|node| match node {
            Node::Element(device) => {
                !placeholders(device).iter().any(|name| left_out.contains(&name.as_str()))
            }
            Node::Text(_) => true,
        });
    }
    replace(&mut root, values)?;
    Ok(root)
}

fn replace(element: &mut Element, values: &Values) -> Result<(), String> {
    for attribute in &mut element.attributes {
        attribute.value = filled(&attribute.value, values)?;
    }
    for node in &mut element.children {
        match node {
            Node::Text(text) => *text = filled(text, values)?,
            Node::Element(child) => replace(child, values)?,
        }
    }
    Ok(())
}

/// One text with its placeholders replaced.
fn filled(text: &str, values: &Values) -> Result<String, String> {
    let mut done = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = next(rest) {
        done.push_str(before);
        done.push_str(values.get(name).ok_or_else(|| name.to_owned())?);
        rest = after;
    }
    done.push_str(rest);
    Ok(done)
}

fn names_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some((_, name, after)) = next(rest) {
        names.push(name.to_owned());
        rest = after;
    }
    names
}

/// What stands before the next placeholder, its name, and what stands after it. Other braces are text.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (before, rest) = text.split_at_checked(at)?;
        let (name, after) = rest.strip_prefix('{')?.split_once('}')?;
        let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
        plain.then_some((before, name, after))
    })
}

fn elements(element: &mut Element) -> impl Iterator<Item = &mut Element> {
    element.children.iter_mut().filter_map(|node| match node {
        Node::Element(element) => Some(element),
        Node::Text(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::strict::parse;

    const TEMPLATE: &str = "<domain type='kvm'><name>{name}</name><devices>
        <disk type='file'><source file='/images/{disk}'/></disk>
        <interface type='network'><source network='{network}'/></interface></devices></domain>";

    fn values(pairs: &[(&'static str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn what_has_no_value_is_left_out_or_named() {
        let template = parse(TEMPLATE).unwrap();
        assert_eq!(placeholders(&template), ["disk", "name", "network"].map(str::to_owned).into());
        let bare = fill(&template, &values(&[("name", "a")]), &["disk", "network"]).unwrap();
        assert_eq!(bare.text_of("name").as_deref(), Some("a"));
        assert_eq!(bare.child("devices").unwrap().elements().count(), 0);
        assert_eq!(fill(&template, &values(&[("name", "a")]), &["disk"]), Err("network".to_owned()));
    }

    #[test]
    fn a_value_is_neither_markup_nor_a_placeholder() {
        let template = parse(TEMPLATE).unwrap();
        let sly = values(&[("name", "{disk}</name><name>b"), ("disk", "d'/><x a='"), ("network", "n&")]);
        let text = fill(&template, &sly, &[]).unwrap().to_string();
        let again = parse(&text).unwrap();
        assert_eq!(again.text_of("name").as_deref(), Some("{disk}</name><name>b"));
        let source = again.at(&["devices", "disk", "source"]).unwrap();
        assert_eq!(source.attribute("file"), Some("/images/d'/><x a='"));
    }

    #[test]
    fn braces_that_name_nothing_are_text() {
        let template = parse("<domain><title>{} {A} {a b} {</title></domain>").unwrap();
        assert!(placeholders(&template).is_empty());
        assert_eq!(fill(&template, &Values::new(), &[]).unwrap(), template);
    }
}
