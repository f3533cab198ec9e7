// SPDX-License-Identifier: Apache-2.0
//! `virtwarden policy simulate`.

use std::path::Path;

use virtwarden_core::control::{PolicyFile, Reply, Request, Simulation, SimulationRow, Verdict};

use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output};

const HEADERS: [&str; 7] = ["WOULD BE", "PERSON", "RIGHT", "ON", "COUNT", "EXAMPLE", "WHY"];

/// Prints what a policy would have answered otherwise.
pub(super) fn simulate(
    files: Vec<PolicyFile>,
    since: u64,
    socket: &Path,
    output: &Output,
) -> Result<(), Failed> {
    let request = Request::PolicySimulate { files, since: Some(since) };
    let Reply::Simulation(simulation) = ask(socket, &request)? else { return Err(unexpected()) };
    if output.format() == Format::Json {
        return output.json(&simulation);
    }
    if !simulation.rows.is_empty() {
        output.table(HEADERS, simulation.rows.iter().map(row))?;
    }
    let Simulation { asked, alike, left_out, .. } = &simulation;
    output
        .remark(&format!("{asked} requests on record were asked again, {alike} would be answered alike"))?;
    for (why, count) in left_out {
        output.remark(&format!("{count} could not be asked again: {why}"))?;
    }
    output.remark(
        "people, groups and assignments are taken as they are now; looking at one's own VMs is not on record",
    )
}

fn row(row: &SimulationRow) -> [String; 7] {
    let verdict = match row.verdict {
        Verdict::Allowed => "allowed",
        Verdict::Denied => "refused",
    };
    [
        verdict.to_owned(),
        row.person.clone(),
        row.right.clone(),
        row.object.clone(),
        row.count.to_string(),
        format!("{} {}", row.example, row.operation),
        row.reason.clone(),
    ]
}
