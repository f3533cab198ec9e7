// SPDX-License-Identifier: Apache-2.0
//! `virtwarden network who`: a picture of who can talk to whom.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use virtwarden_core::control::{NetworkConversation, NetworkRow, conversations};
use virtwarden_core::trail::escape::printable;

use crate::exit::Failed;
use crate::output::{Format, Output};

/// More VMs than this are not drawn but listed.
const DRAWN: usize = 24;
const HEADERS: [&str; 4] = ["VM", "INFORMATION DOMAIN", "TALKS TO", "OVER"];

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A picture, if it is small enough.
    Picture,
    /// One line for each pair.
    Pairs,
}

/// VMs with their information domains, and what talks to what.
#[derive(Debug, Serialize)]
struct Talk {
    vms: BTreeMap<String, Option<String>>,
    pairs: Vec<NetworkConversation>,
}

/// Prints it.
pub(super) fn show(rows: &[NetworkRow], form: Form, output: &Output) -> Result<(), Failed> {
    let vms = rows.iter().flat_map(|row| &row.vms);
    let vms = vms.map(|vm| (vm.name.clone(), vm.information_domain.clone())).collect();
    let talk = Talk { vms, pairs: conversations(rows) };
    match (output.format(), form) {
        (Format::Json, _) => output.json(&talk),
        (Format::Table | Format::Rows, Form::Picture | Form::Pairs) if talk.vms.is_empty() => {
            output.remark("no VM is plugged into any network")
        }
        (Format::Table | Format::Rows, Form::Picture) if talk.vms.len() <= DRAWN => {
            picture(&talk).iter().try_for_each(|line| output.text(line))
        }
        (Format::Table | Format::Rows, Form::Picture | Form::Pairs) => pairs(&talk, output),
    }
}

fn pairs(talk: &Talk, output: &Output) -> Result<(), Failed> {
    let row = |pair: &NetworkConversation| {
        let domain = talk.vms.get(&pair.one).cloned().flatten().unwrap_or_else(|| "-".to_owned());
        [pair.one.clone(), domain, pair.other.clone(), pair.over.join(",")]
    };
    output.table(HEADERS, talk.pairs.iter().map(row))
}

/// VMs by information domain and name, each with a number; `x` where two reach each other.
fn picture(talk: &Talk) -> Vec<String> {
    let together: BTreeSet<(&str, &str)> = talk
        .pairs
        .iter()
        .flat_map(|pair| [(pair.one.as_str(), pair.other.as_str()), (pair.other.as_str(), pair.one.as_str())])
        .collect();
    let mut vms: Vec<_> =
        talk.vms.iter().map(|(name, domain)| (domain.as_deref().unwrap_or("-"), name)).collect();
    vms.sort_unstable();
    let label = |(domain, name): &(&str, &String)| format!("{} ({})", printable(name), printable(domain));
    let width = vms.iter().map(|vm| label(vm).chars().count()).max().unwrap_or(0);
    let numbers: String = (1..=vms.len()).map(|number| format!("{number:>3}")).collect();
    let mut lines = vec![format!("{:width$}     {numbers}", "")];
    for (number, vm) in vms.iter().enumerate() {
        let cells = vms.iter().map(|other| match (vm.1 == other.1, together.contains(&(vm.1, other.1))) {
            (true, _) => "  =",
            (false, true) => "  x",
            (false, false) => "  .",
        });
        lines.push(format!("{:width$}  {:>3}{}", label(vm), number + 1, cells.collect::<String>()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_symmetric_and_sorted_by_information_domain() {
        let vms = [("a", Some("red")), ("b", None), ("c", Some("red"))];
        let vms = vms.map(|(name, domain)| (name.to_owned(), domain.map(str::to_owned)));
        let pair = |one: &str, other: &str| NetworkConversation {
            one: one.to_owned(),
            other: other.to_owned(),
            over: vec!["red".to_owned()],
        };
        let talk = Talk { vms: vms.into_iter().collect(), pairs: vec![pair("a", "c")] };
        assert_eq!(
            picture(&talk),
            [
                "              1  2  3",
                "b (-)      1  =  .  .",
                "a (red)    2  .  =  x",
                "c (red)    3  .  x  =",
            ]
        );
    }
}
