// SPDX-License-Identifier: Apache-2.0
//! Where in a document an element stands and which namespaces may stand there.

use super::element::Element;
use super::problem::Problem;

/// Namespaces through which libvirt takes driver-specific settings. They are doors that no device
/// rule can look behind; recognised by URI, because that is how libvirt finds them.
const EXTENSIONS: [(&str, &str); 7] = [
    ("qemu", "http://libvirt.org/schemas/domain/qemu/1.0"),
    ("lxc", "http://libvirt.org/schemas/domain/lxc/1.0"),
    ("xen", "http://libvirt.org/schemas/domain/xen/1.0"),
    ("bhyve", "http://libvirt.org/schemas/domain/bhyve/1.0"),
    ("dnsmasq", "http://libvirt.org/schemas/network/dnsmasq/1.0"),
    ("fs", "http://libvirt.org/schemas/storagepool/fs/1.0"),
    ("rbd", "http://libvirt.org/schemas/storagepool/rbd/1.0"),
];

/// The URI that `xml:` always stands for.
pub(super) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The usual prefix of the libvirt extension that an element belongs to.
pub fn extension(element: &Element) -> Option<&'static str> {
    let uri = &element.namespace.as_ref()?.uri;
    EXTENSIONS.iter().find(|(_, known)| known == uri).map(|(prefix, _)| *prefix)
}

/// Whether an element at the end of a path of open ones is below `<metadata>`, where applications
/// keep what libvirt only stores.
pub(super) fn in_metadata<'a>(path: impl Iterator<Item = &'a Element> + Clone) -> bool {
    let mut path =
        path.skip_while(|e| matches!(e.name.as_str(), "domainsnapshot" | "domaincheckpoint" | "domstatus"));
    let holder = path.next().is_some_and(|e| {
        e.namespace.is_none() && matches!(e.name.as_str(), "domain" | "inactiveDomain" | "network")
    });
    holder && path.next().is_some_and(|e| e.is("metadata"))
}

/// Outside metadata: libvirt's own vocabulary has no namespace, its extensions stand directly in
/// what they extend, and below them everything is theirs.
pub(super) fn check(element: &Element, parent: Option<&Element>) -> Result<(), Problem> {
    if let Some(attribute) = element.attributes.iter().find(|a| a.namespace.is_some()) {
        return Err(Problem::Prefix(attribute.name.clone()));
    }
    let Some(namespace) = &element.namespace else { return Ok(()) };
    let place = parent.is_some_and(|p| match extension(p) {
        Some(_) => true,
        None => matches!(p.name.as_str(), "domain" | "inactiveDomain" | "network" | "pool"),
    });
    if place && extension(element).is_some() {
        return Ok(());
    }
    Err(Problem::Foreign { name: element.name.clone(), uri: namespace.uri.clone() })
}
