// SPDX-License-Identifier: Apache-2.0
//! Templates of VMs, as files that Administrators of this host keep. Row 4 of Table 3.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::strict;

/// Where templates are: the host's own hide those that are shipped.
pub const PLACES: [&str; 2] = ["/etc/virtwarden/templates", "/usr/share/virtwarden/templates"];

/// The template of a name.
///
/// # Errors
/// There is none, or it is no definition of a VM.
pub fn read(places: &[&str], name: &str) -> Result<Element, String> {
    if !is_plain(name) {
        return Err(format!("`{name}` cannot be the name of a template"));
    }
    let files = places.iter().map(|place| Path::new(place).join(format!("{name}.xml")));
    let Some(file) = files.into_iter().find(|file| file.exists()) else {
        return Err(format!(
            "there is no template `{name}` in {}; `virtwarden setting set default-vm` or `template` in [vm] of the policy names it",
            places.join(" or ")
        ));
    };
    let text = fs::read(&file).map_err(|error| format!("template `{}`: {error}", file.display()))?;
    let definition =
        Definition::parse(text).map_err(|error| format!("template `{}`: {error}", file.display()))?;
    Ok(definition.root().clone())
}

/// The templates of VMs by name, each with the file that counts.
pub fn list(places: &[&str]) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for place in places {
        let files = fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path());
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "xml")) {
            let name = file.file_stem().and_then(|name| name.to_str()).map(str::to_owned);
            if let Some(name) = name.filter(|name| is_plain(name) && !is_network(&file)) {
                found.entry(name).or_insert(file);
            }
        }
    }
    found
}

/// Templates of networks lie beside them.
fn is_network(file: &Path) -> bool {
    let root = fs::read(file).ok().and_then(|text| strict::parse(text).ok());
    root.is_some_and(|root| root.is("network"))
}

/// No way out of the directory.
fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_own_template_hides_the_shipped_one_and_a_broken_one_is_none() {
        let (own, shipped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let places = [own.path().to_str().unwrap(), shipped.path().to_str().unwrap()];
        assert!(read(&places, "desktop").unwrap_err().contains("there is no template `desktop`"));
        fs::write(shipped.path().join("desktop.xml"), include_str!("../../xml-templates/desktop.xml"))
            .unwrap();
        assert!(read(&places, "desktop").unwrap().child("devices").is_some());
        fs::write(own.path().join("desktop.xml"), "<domain type='kvm'><name>{name}</name></domain>").unwrap();
        assert!(read(&places, "desktop").unwrap().child("devices").is_none());
        fs::write(own.path().join("desktop.xml"), "<domain").unwrap();
        assert!(read(&places, "desktop").is_err());
    }
}
