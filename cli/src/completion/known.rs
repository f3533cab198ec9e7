// SPDX-License-Identifier: Apache-2.0
//! What is known of each kind of name: by policyd to whoever asks, and by the host to everybody.

use std::fs;
use std::path::Path;

use virtwarden_core::control::{MediumRow, Reply, Request, VmRow};
use virtwarden_core::policy::request::Right;
use virtwarden_core::setting::SettingName;
use virtwarden_core::table3::Function;

use super::is_plain;
use super::place::Place;
use super::wanted::Wanted;
use crate::client::{Client, unexpected};
use crate::{policy, setting};

const TEMPLATES: [&str; 2] = ["/etc/virtwarden/templates", "/usr/share/virtwarden/templates"];
/// Numbers of accounts below this belong to services.
const FIRST_PERSON: u32 = 1000;

/// All that could stand there.
pub(super) fn offered(place: &Place<'_>, socket: &Path) -> Vec<String> {
    let of_vms = |tell: fn(VmRow) -> Option<String>| vms(socket).into_iter().filter_map(tell).collect();
    match place.wanted {
        Wanted::Listed => listed(place),
        Wanted::Vm => of_vms(|vm| Some(vm.name)),
        Wanted::Network => networks(socket),
        Wanted::Medium => media(place, socket),
        Wanted::Transfer => transfers(socket),
        Wanted::InformationDomain => domains(socket),
        Wanted::Template => templates(),
        Wanted::Role => roles(socket),
        Wanted::Account => entries("/etc/passwd"),
        Wanted::Group => entries("/etc/group"),
        Wanted::Session => sessions(socket),
        Wanted::Pair => pairs(place),
        Wanted::End => {
            let domains = domains(socket).into_iter().map(|domain| format!("@{domain}"));
            let vms: Vec<_> = of_vms(|vm| Some(vm.name));
            vms.into_iter().chain(domains).chain(["host".to_owned()]).collect()
        }
        Wanted::Right => Right::all().map(|right| right.word().to_owned()).collect(),
        Wanted::Function => Function::ALL.map(|function| function.slug().to_owned()).to_vec(),
        Wanted::Object => objects(socket),
        Wanted::Shells | Wanted::Free => Vec::new(),
    }
}

fn listed(place: &Place<'_>) -> Vec<String> {
    let values = place.argument.get_possible_values();
    values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name().to_owned()).collect()
}

/// policyd's answer; none if it does not give one at once.
fn answer(request: &Request, socket: &Path) -> Option<Reply> {
    Client::hurried(socket).and_then(|mut client| client.ask(request)).ok()
}

fn vms(socket: &Path) -> Vec<VmRow> {
    let mut vms = Vec::new();
    let listed = Client::hurried(socket).and_then(|mut client| {
        client.stream(&Request::VmList, |reply| {
            let Reply::Vm(vm) = reply else { return Err(unexpected()) };
            vms.push(vm);
            Ok(())
        })
    });
    listed.map(|()| vms).unwrap_or_default()
}

fn networks(socket: &Path) -> Vec<String> {
    let Some(Reply::Networks(rows)) = answer(&Request::NetworkList, socket) else { return Vec::new() };
    rows.into_iter().filter(|row| row.uuid.is_some()).map(|row| row.name).collect()
}

/// By what tells each from all others: its name, or its id.
fn media(place: &Place<'_>, socket: &Path) -> Vec<String> {
    // Whoever may connect none would be refused, and that would be on record.
    if !may(Function::ConnectRemovable, socket) {
        return Vec::new();
    }
    let vm = place.values.first().map(|vm| (*vm).to_owned());
    let Some(Reply::Media(rows)) = answer(&Request::MediaList { medium: None, vm }, socket) else {
        return Vec::new();
    };
    let alike = |name: &str| rows.iter().filter(|row| row.medium.name == name).count();
    let wants_id = place.argument.get_long().is_some();
    let tells = |row: &MediumRow| match row.medium.name.as_str() {
        name if !wants_id && alike(name) == 1 && is_plain(name) => name.to_owned(),
        _ => row.medium.id.to_string(),
    };
    rows.iter().map(tells).collect()
}

fn transfers(socket: &Path) -> Vec<String> {
    let Some(Reply::Confirmations(rows)) = answer(&Request::MediaPending, socket) else {
        return Vec::new();
    };
    rows.iter().map(|row| row.number.to_string()).collect()
}

fn may(function: Function, socket: &Path) -> bool {
    matches!(answer(&Request::Whoami, socket), Some(Reply::Whoami(who)) if who.functions.contains(&function))
}

/// Those of the policy's files, and those that VMs are in.
fn domains(socket: &Path) -> Vec<String> {
    let of_vm = |vm: VmRow| vm.assignment.and_then(|assignment| assignment.information_domain);
    policy::information_domains().into_iter().chain(vms(socket).into_iter().filter_map(of_vm)).collect()
}

fn templates() -> Vec<String> {
    let entries = TEMPLATES.iter().flat_map(|place| fs::read_dir(place).into_iter().flatten().flatten());
    entries.filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".xml").map(str::to_owned)).collect()
}

/// The table is everybody's to read.
fn roles(socket: &Path) -> Vec<String> {
    let Some(Reply::Table(rows)) = answer(&Request::Table, socket) else { return Vec::new() };
    rows.into_iter().flat_map(|row| row.roles).collect()
}

fn sessions(socket: &Path) -> Vec<String> {
    let Some(Reply::Sessions(rows)) = answer(&Request::SessionList, socket) else { return Vec::new() };
    rows.iter().map(|row| row.id.to_string()).collect()
}

/// The people of the host's own files, and root; a directory may have too many.
fn entries(file: &str) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let entry = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let number: u32 = fields.nth(1)?.parse().ok()?;
        let is_persons = (FIRST_PERSON..60_000).contains(&number) || number == 0;
        is_persons.then_some(name)
    };
    text.lines().filter_map(entry).collect()
}

fn pairs(place: &Place<'_>) -> Vec<String> {
    let named =
        place.values.first().and_then(|word| SettingName::ALL.into_iter().find(|name| name.word() == *word));
    let keys = named.map(setting::keys).unwrap_or_default();
    match place.typed.split_once('=') {
        None => keys.iter().map(|(key, _)| format!("{key}=")).collect(),
        Some((typed, _)) => {
            let values = keys.iter().filter(|(key, _)| *key == typed).flat_map(|(_, values)| *values);
            values.map(|value| format!("{typed}={value}")).chain(own(typed)).collect()
        }
    }
}

/// Values that are names of this host.
fn own(key: &str) -> Vec<String> {
    if key != "template" {
        return Vec::new();
    }
    templates().into_iter().map(|name| format!("template={name}")).collect()
}

fn objects(socket: &Path) -> Vec<String> {
    let vms = vms(socket).into_iter().map(|vm| format!("vm/{}", vm.name));
    let networks = networks(socket).into_iter().map(|name| format!("network/{name}"));
    let alone = ["host", "policy", "trail"].map(str::to_owned);
    let settings = SettingName::ALL.map(|name| format!("setting/{}", name.word()));
    vms.chain(networks).chain(alone).chain(settings).collect()
}
