// SPDX-License-Identifier: Apache-2.0
//! `virtwarden network`.

mod who;

use std::collections::BTreeSet;
use std::path::Path;

use virtwarden_core::control::{NetworkClaim, NetworkRow, NetworkState, NetworkVm, Reply, Request};
use virtwarden_core::xml::reach::Ports;

use crate::arguments::NetworkVerb;
use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output, listed};
use crate::time::of_seconds;
use crate::vm::print_change;

const HEADERS: [&str; 7] = ["NETWORK", "STATE", "LEADS OUT", "INFORMATION DOMAIN", "HOST", "PORTS", "VMS"];
const VM_HEADERS: [&str; 4] = ["VM", "INFORMATION DOMAIN", "PORT", "UUID"];

/// Does what the verb says.
pub(crate) fn run(verb: &NetworkVerb, socket: &Path, output: &Output) -> Result<(), Failed> {
    match verb {
        NetworkVerb::List => list(&rows(socket, &Request::NetworkList)?, output),
        NetworkVerb::Who { pairs } => {
            let form = if *pairs { who::Form::Pairs } else { who::Form::Picture };
            who::show(&rows(socket, &Request::NetworkList)?, form, output)
        }
        NetworkVerb::Show { network } => {
            show(&rows(socket, &Request::NetworkShow { network: network.clone() })?, output)
        }
        NetworkVerb::Create(create) => change(&create.request(), socket, output),
        NetworkVerb::Assign { network, information_domain, change: mode } => {
            let (network, information_domain) = (network.clone(), information_domain.clone());
            change(&Request::NetworkAssign { network, information_domain, mode: mode.mode() }, socket, output)
        }
        NetworkVerb::Unassign { network, change: mode } => {
            let request = Request::NetworkUnassign { network: network.clone(), mode: mode.mode() };
            change(&request, socket, output)
        }
        NetworkVerb::Delete { network, change: mode } => {
            let request = Request::NetworkDelete { network: network.clone(), mode: mode.mode() };
            change(&request, socket, output)
        }
    }
}

fn rows(socket: &Path, request: &Request) -> Result<Vec<NetworkRow>, Failed> {
    let Reply::Networks(rows) = ask(socket, request)? else { return Err(unexpected()) };
    Ok(rows)
}

fn change(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, request)? else { return Err(unexpected()) };
    print_change(&change, output)
}

fn list(rows: &[NetworkRow], output: &Output) -> Result<(), Failed> {
    output.show(rows, HEADERS, rows.iter().map(row))?;
    if output.format() == Format::Json {
        return Ok(());
    }
    let trouble =
        rows.iter().flat_map(|row| row.trouble.iter().map(|line| format!("! {}: {line}", row.name)));
    trouble.collect::<Vec<_>>().iter().try_for_each(|line| output.line(line))
}

fn show(rows: &[NetworkRow], output: &Output) -> Result<(), Failed> {
    let [network] = rows else { return Err(unexpected()) };
    if output.format() == Format::Json {
        return output.json(network);
    }
    let facts = HEADERS.iter().take(6).map(|header| header.to_lowercase()).zip(row(network));
    let more = [
        ("by".to_owned(), by(network.claim.as_ref())),
        ("made of".to_owned(), listed(parts(network))),
        ("UUID".to_owned(), network.uuid.map_or_else(|| "-".to_owned(), |uuid| uuid.to_string())),
    ];
    output.rows(facts.chain(more).map(|(name, value)| [name, value]))?;
    if !network.vms.is_empty() {
        output.text("")?;
        output.table(VM_HEADERS, network.vms.iter().map(vm))?;
    }
    network.trouble.iter().try_for_each(|line| output.line(&format!("! {line}")))
}

fn row(network: &NetworkRow) -> [String; 7] {
    let out = match network.state {
        NetworkState::Direct => "past libvirt".to_owned(),
        NetworkState::Up | NetworkState::Down | NetworkState::Missing => listed(network.ways_out()),
    };
    [
        network.name.clone(),
        state(network.state).to_owned(),
        out,
        network.claim.as_ref().map_or("-", NetworkClaim::information_domain).to_owned(),
        listed(network.host_addresses()),
        network.reaches.first().map_or("-", |reach| port(reach.ports)).to_owned(),
        listed(network.vms.iter().map(|vm| &vm.name)),
    ]
}

fn vm(vm: &NetworkVm) -> [String; 4] {
    let domain = vm.information_domain.clone().unwrap_or_else(|| "-".to_owned());
    [vm.name.clone(), domain, port(vm.ports).to_owned(), vm.uuid.to_string()]
}

/// Bridges and devices of the host.
fn parts(network: &NetworkRow) -> BTreeSet<&String> {
    network.reaches.iter().flat_map(|reach| reach.bridge.iter().chain(&reach.devices)).collect()
}

fn by(claim: Option<&NetworkClaim>) -> String {
    match claim {
        None => "-".to_owned(),
        Some(NetworkClaim::Policy { rule, .. }) => format!("the policy, {rule}"),
        Some(NetworkClaim::Assigned(membership)) => {
            format!("{}, {}", membership.by, of_seconds(membership.at))
        }
    }
}

fn state(state: NetworkState) -> &'static str {
    match state {
        NetworkState::Up => "up",
        NetworkState::Down => "down",
        NetworkState::Missing => "missing",
        NetworkState::Direct => "direct",
    }
}

fn port(ports: Ports) -> &'static str {
    match ports {
        Ports::Open => "open",
        Ports::Isolated => "isolated",
    }
}
