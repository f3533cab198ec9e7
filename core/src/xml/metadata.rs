// SPDX-License-Identifier: Apache-2.0
//! What applications keep in a definition, and what only Virtwarden may.

use crate::policy::request::Right;

use super::element::Element;
use super::needs::{CONFIGURE, Needs};

/// The namespace in which a VM's definition shows whose it is and which information domain it is
/// in. For show only: the registry decides. Nobody but an Administrator writes it all the same, so
/// that it does not lie.
pub const NAMESPACE: &str = "urn:virtwarden:vm:1";

/// What it needs to set the metadata of a namespace; none stands for the title or the description.
pub fn needs_for(namespace: Option<&str>) -> Right {
    if namespace.is_some_and(is_own) { Right::Administer } else { CONFIGURE }
}

fn is_own(uri: &str) -> bool {
    uri.starts_with("urn:virtwarden:")
}

pub(super) fn needs(old: &[&Element], new: &[&Element]) -> Needs {
    let own = |side: &[&Element]| {
        let elements = side.iter().flat_map(|metadata| metadata.elements());
        elements.filter(|e| holds_own(e)).cloned().collect::<Vec<_>>()
    };
    Needs::of(CONFIGURE).when(own(old) != own(new), Right::Administer, "it says whose VM it is")
}

fn holds_own(element: &Element) -> bool {
    let mut found = false;
    element.walk(&mut |e| found |= e.namespace.as_ref().is_some_and(|n| is_own(&n.uri)));
    found
}
