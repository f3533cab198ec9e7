// SPDX-License-Identifier: Apache-2.0
//! Virtual networks.

use serde::{Deserialize, Serialize};

use crate::object::Uuid;
use crate::policy::request::Right;

use super::change::{Change, explain, tidy};
use super::definition::{self, DefinitionError, expect};
use super::element::Element;
use super::metadata;
use super::needs::{DEVICE, NETWORK, Needs};
use super::place::extension;
use super::strict::{XmlError, parse};
use super::vocabulary;

/// The definition of a virtual network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkDefinition {
    root: Element,
    name: String,
    uuid: Option<Uuid>,
}

/// Where a network leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forward {
    /// Nowhere: its VMs reach each other and this host.
    Isolated,
    /// Out through this host: `nat`, `route`, `open`.
    Host(String),
    /// Onto physical devices of this host: `bridge`, `private`, `vepa`, `passthrough`, `hostdev`,
    /// and whatever else there may be.
    Device(String),
}

impl NetworkDefinition {
    /// Reads one.
    ///
    /// # Errors
    /// Says what is outside the strict subset, or which part is missing.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, DefinitionError> {
        Self::new(expect(text, "network")?)
    }

    /// Takes what is a `<network>` already.
    ///
    /// # Errors
    /// Says which part is missing.
    pub fn new(root: Element) -> Result<Self, DefinitionError> {
        Ok(Self { name: definition::name(&root)?, uuid: definition::uuid(&root)?, root })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its identity; none means that libvirt makes one up or finds one by the name.
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }

    /// Where it leads.
    pub fn forward(&self) -> Forward {
        let Some(forward) = self.root.child("forward") else { return Forward::Isolated };
        let mode = forward.attribute("mode").unwrap_or("nat").to_owned();
        match mode.as_str() {
            "none" => Forward::Isolated,
            "nat" | "route" | "open" => Forward::Host(mode),
            _ => Forward::Device(mode),
        }
    }

    /// The bridge that it makes or uses.
    pub fn bridge(&self) -> Option<&str> {
        self.root.child("bridge")?.attribute("name")
    }

    /// The tree, to be written again for libvirt.
    pub fn root(&self) -> &Element {
        &self.root
    }
}

/// What somebody must hold to turn one network into another; empty if they are the same.
pub fn changes(current: Option<&NetworkDefinition>, proposed: &NetworkDefinition) -> Vec<Change> {
    let Some(current) = current else {
        let summary = format!("network created: `{}`", proposed.name);
        return tidy(explain(&needs(proposed, None), &summary));
    };
    if current.root == proposed.root {
        return Vec::new();
    }
    let all = needs(proposed, Some(current)).with(needs(current, Some(proposed)));
    tidy(explain(&all, &format!("network changed: `{}`", proposed.name)))
}

fn needs(network: &NetworkDefinition, other: Option<&NetworkDefinition>) -> Needs {
    let root = &network.root;
    let physical = matches!(network.forward(), Forward::Device(_))
        || root.child("forward").is_some_and(|f| f.elements().any(|e| e.is("pf") || e.is("address")));
    let raw = root.elements().any(|e| extension(e).is_some());
    let mut plain = root.clone();
    plain.children.retain(|node| !matches!(node, super::element::Node::Element(e) if extension(e).is_some()));
    let labels = |n: &NetworkDefinition| n.root.all("metadata").cloned().collect::<Vec<_>>();
    let (old, new) = (other.map(labels).unwrap_or_default(), labels(network));
    let label = metadata::needs(&old.iter().collect::<Vec<_>>(), &new.iter().collect::<Vec<_>>());
    Needs::of(NETWORK)
        .when(physical, DEVICE, "it leads onto a device of the host")
        .when(raw, Right::Raw, "it passes settings that are not understood")
        .when(
            vocabulary::unknown(&plain).is_some(),
            Right::Administer,
            "it has parts that are not understood",
        )
        .when(
            label.rights().contains(&Right::Administer),
            Right::Administer,
            "it changes what only Virtwarden writes",
        )
}

/// Judges `NETWORK_UPDATE`: a fragment and the number of the section that it is for.
///
/// # Errors
/// Says what is outside the strict subset.
pub fn update(section: u32, text: impl AsRef<[u8]>) -> Result<(Element, Vec<Change>), XmlError> {
    let element = parse(text)?;
    let needs = match section {
        3..=5 | 9..=12 => Needs::of(NETWORK),
        1 | 6..=8 => Needs::of(NETWORK).and(DEVICE, "it leads onto a device of the host"),
        _ => Needs::of(NETWORK).and(Right::Administer, "its section is not understood"),
    };
    let strange = vocabulary::unknown(&element).is_some();
    let needs = needs.when(strange, Right::Administer, "it has parts that are not understood");
    let changes = tidy(explain(&needs, &format!("network changed: {}", element.name)));
    Ok((element, changes))
}
