// SPDX-License-Identifier: Apache-2.0
//! The tables of a policy file that are not roles, each to its typed rule.

use std::collections::BTreeMap;

use crate::policy::fault::PolicyError;
use crate::policy::item::Item;
use crate::policy::rule::InformationDomain;
use crate::policy::settings::{Activation, Audit, FullStore, Gate, RawDoors, Saved, Session, VmRules};
use crate::policy::table::{Table, collect};

const RAW: [(&str, RawDoors); 2] =
    [(RawDoors::Administrator.word(), RawDoors::Administrator), (RawDoors::Nobody.word(), RawDoors::Nobody)];
const FULL_STORE: [(&str, FullStore); 2] = [
    (FullStore::Refuse.word(), FullStore::Refuse),
    (FullStore::OverwriteOldest.word(), FullStore::OverwriteOldest),
];
const ACTIVATION: [(&str, Activation); 2] =
    [(Activation::Login.word(), Activation::Login), (Activation::Raise.word(), Activation::Raise)];
const NETWORKS: &str = "a list of libvirt networks, such as [\"red\"]";

pub(in crate::policy) type Read<T> = Result<T, Vec<PolicyError>>;

/// `[information-domain.NAME]`.
pub(in crate::policy) fn information_domain(name: &str, table: &Table<'_>) -> Read<InformationDomain> {
    let mut section = Section::new(table, &["networks"]);
    let networks = section.value("networks", |item| item.placed_names(NETWORKS), BTreeMap::new());
    section.finish(InformationDomain { name: name.to_owned(), networks, place: table.place() })
}

/// `[vm]`.
pub(in crate::policy) fn vm(table: &Table<'_>) -> Read<VmRules> {
    let default = VmRules::default();
    let mut section = Section::new(table, &["raw", "snapshots", "template"]);
    let raw = section.value("raw", |item| item.word(&RAW), default.raw);
    let snapshots = section.value("snapshots", |item| item.number(0..10_001), default.snapshots);
    let template = section.value("template", |item| template(item).map(Some), default.template);
    section.finish(VmRules { raw, snapshots, template, place: table.place() })
}

/// The name of a template is that of its file, without the end.
fn template(item: &Item<'_>) -> Result<String, PolicyError> {
    const EXPECTED: &str = "the name of a template, such as \"desktop\"";
    let name = item.string(EXPECTED)?;
    let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if plain { Ok(name.to_owned()) } else { Err(item.unexpected(EXPECTED)) }
}

/// `[saved]`.
pub(in crate::policy) fn saved(table: &Table<'_>) -> Read<Saved> {
    let mut section = Section::new(table, &["directory"]);
    let directory = section.value("directory", Item::path, Saved::default().directory);
    section.finish(Saved { directory, place: table.place() })
}

/// `[audit]`.
pub(in crate::policy) fn audit(table: &Table<'_>) -> Read<Audit> {
    let default = Audit::default();
    let mut section = Section::new(table, &["segment-size", "store-size", "full-store"]);
    let segment_size =
        section.value("segment-size", |item| bounded(item, 1 << 20, 1 << 30), default.segment_size);
    let store_size = section.value("store-size", |item| bounded(item, 16 << 20, 1 << 50), default.store_size);
    let full_store = section.value("full-store", |item| item.word(&FULL_STORE), default.full_store);
    if store_size < segment_size.saturating_mul(2) {
        let at = table.key("store-size").or_else(|| table.key("segment-size"));
        section.errors.extend(at.map(|item| item.unexpected("a store of at least two segments")));
    }
    section.finish(Audit { segment_size, store_size, full_store, place: table.place() })
}

fn bounded(item: &Item<'_>, least: u64, most: u64) -> Result<u64, PolicyError> {
    let expected = format!("a size from {} MiB to {} MiB", least >> 20, most >> 20);
    let size = item.size()?;
    (least..=most).contains(&size).then_some(size).ok_or_else(|| item.unexpected(expected))
}

/// `[gate]`.
pub(in crate::policy) fn gate(table: &Table<'_>) -> Read<Gate> {
    let default = Gate::default();
    let mut section = Section::new(table, &["connections", "per-account"]);
    let connections = section.value("connections", |item| item.number(1..10_001), default.connections);
    let per_account = section.value("per-account", |item| item.number(1..10_001), default.per_account);
    section.finish(Gate { connections, per_account, place: table.place() })
}

/// `[session]`.
pub(in crate::policy) fn session(table: &Table<'_>) -> Read<Session> {
    let default = Session::default();
    let mut section = Section::new(table, &["activation", "raised"]);
    let activation = section.value("activation", |item| item.word(&ACTIVATION), default.activation);
    let raised = section.value("raised", |item| item.seconds(60..86_401), default.raised);
    section.finish(Session { activation, raised, place: table.place() })
}

/// A table being read: what is wrong with it so far.
pub(in crate::policy) struct Section<'t, 'a> {
    table: &'t Table<'a>,
    pub(in crate::policy) errors: Vec<PolicyError>,
}

impl<'t, 'a> Section<'t, 'a> {
    pub(in crate::policy) fn new(table: &'t Table<'a>, keys: &'static [&'static str]) -> Self {
        Self { table, errors: table.unknown_keys(keys).collect() }
    }

    /// What a key says, or the default where it is not there.
    pub(in crate::policy) fn value<T>(
        &mut self,
        key: &str,
        read: impl Fn(&Item<'a>) -> Result<T, PolicyError>,
        default: T,
    ) -> T {
        let item = self.table.key(key);
        item.and_then(|item| collect(&mut self.errors, read(&item))).unwrap_or(default)
    }

    pub(in crate::policy) fn finish<T>(self, rule: T) -> Read<T> {
        if self.errors.is_empty() { Ok(rule) } else { Err(self.errors) }
    }
}
