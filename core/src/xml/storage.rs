// SPDX-License-Identifier: Apache-2.0
//! Storage pools and volumes.

use crate::object::Uuid;
use crate::policy::request::Right;

use super::change::{Change, explain, tidy};
use super::definition::{self, DefinitionError, expect};
use super::element::{Element, Node};
use super::needs::{CONFIGURE, CRYPTOGRAPHY, DEVICE, Needs, SHARING, path};
use super::place::extension;
use super::vocabulary;

/// The definition of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolDefinition {
    root: Element,
    name: String,
    uuid: Option<Uuid>,
}

impl PoolDefinition {
    /// Reads one.
    ///
    /// # Errors
    /// Says what is outside the strict subset, or which part is missing.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, DefinitionError> {
        let root = expect(text, "pool")?;
        let source = || root.at(&["source", "name"]).map(Element::text);
        let name = definition::name(&root).or_else(|error| source().ok_or(error))?;
        Ok(Self { name, uuid: definition::uuid(&root)?, root })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its identity; none means that libvirt makes one up or finds one by the name.
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }

    /// `dir`, `logical`, ...
    pub fn kind(&self) -> &str {
        self.root.attribute("type").unwrap_or_default()
    }

    /// Whether its volumes are devices of the host or of a storage network, rather than files.
    pub fn is_physical(&self) -> bool {
        !matches!(self.kind(), "dir" | "fs" | "netfs")
    }

    /// The directory on the host in which its volumes appear.
    pub fn target(&self) -> Option<String> {
        self.root.child("target").and_then(|target| target.text_of("path"))
    }

    /// The tree, to be written again for libvirt.
    pub fn root(&self) -> &Element {
        &self.root
    }
}

/// What somebody must hold to turn one pool into another; empty if they are the same. A pool on
/// some directory makes every file there a volume, so it is never less than [`Right::Administer`].
pub fn pool_changes(current: Option<&PoolDefinition>, proposed: &PoolDefinition) -> Vec<Change> {
    if current.is_some_and(|current| current.root == proposed.root) {
        return Vec::new();
    }
    let all = current.map(pool_needs).unwrap_or_default().with(pool_needs(proposed));
    let word = if current.is_some() { "changed" } else { "created" };
    tidy(explain(&all, &format!("pool {word}: {} `{}`", proposed.kind(), proposed.name)))
}

fn pool_needs(pool: &PoolDefinition) -> Needs {
    let raw = pool.root.elements().any(|e| extension(e).is_some());
    Needs::of(CONFIGURE)
        .and(Right::Administer, "it turns a place of the host into volumes")
        .when(pool.is_physical(), DEVICE, "its volumes are devices")
        .when(raw, Right::Raw, "it passes settings that are not understood")
}

/// The definition of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeDefinition {
    root: Element,
    name: String,
}

impl VolumeDefinition {
    /// Reads one.
    ///
    /// # Errors
    /// Says what is outside the strict subset, or which part is missing.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, DefinitionError> {
        let root = expect(text, "volume")?;
        Ok(Self { name: definition::name(&root)?, root })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file whose content shows through where the volume has not been written.
    pub fn backing(&self) -> Option<String> {
        self.root.child("backingStore").and_then(|backing| backing.text_of("path"))
    }

    /// Where it is on the host.
    pub fn target(&self) -> Option<String> {
        self.root.child("target").and_then(|target| target.text_of("path"))
    }

    /// The tree, to be written again for libvirt.
    pub fn root(&self) -> &Element {
        &self.root
    }
}

/// What somebody must hold to create a volume; never empty. Whether its pool is made of devices is
/// for the caller to add, see [`PoolDefinition::is_physical`].
pub fn volume_changes(volume: &VolumeDefinition) -> Vec<Change> {
    let root = &volume.root;
    let target = root.child("target");
    let secret =
        root.child("encryption").is_some() || target.is_some_and(|t| t.child("encryption").is_some());
    let owned = target.and_then(|t| t.child("permissions")).is_some_and(|p| !is_private(p));
    let needs = Needs::of(CONFIGURE)
        .with(backing(root))
        .when(secret, CRYPTOGRAPHY, "it uses a secret")
        .when(owned, Right::Administer, "it gives the file to somebody")
        .when(vocabulary::unknown(root).is_some(), Right::Administer, "it has parts that are not understood");
    tidy(explain(&needs, &format!("volume created: `{}`", volume.name)))
}

fn backing(volume: &Element) -> Needs {
    let Some(backing) = volume.child("backingStore").filter(|b| !b.children.is_empty()) else {
        return Needs::default();
    };
    let file = backing.text_of("path").unwrap_or_default();
    let relative = !file.starts_with('/');
    Needs::default().and(SHARING, "it shows the content of another volume").with(path(&file)).when(
        relative,
        Right::Administer,
        "it names a file outside the image store",
    )
}

/// Root's, and not writable by others; libvirt hands it to a VM while that runs.
fn is_private(permissions: &Element) -> bool {
    let root = |name| permissions.text_of(name).is_none_or(|id| matches!(id.as_str(), "0" | "-1"));
    let mode = permissions.text_of("mode").map_or(Some(0), |mode| u32::from_str_radix(&mode, 8).ok());
    let labelled = permissions.children.iter().any(|n| matches!(n, Node::Element(e) if e.is("label")));
    root("owner") && root("group") && !labelled && mode.is_some_and(|mode| mode & !0o755 == 0)
}
