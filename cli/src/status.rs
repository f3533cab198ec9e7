// SPDX-License-Identifier: Apache-2.0
//! `virtwarden status`.

use std::path::Path;
use std::process::ExitCode;

use virtwarden_core::authentication::Authentication;
use virtwarden_core::control::{Reply, Request, Status, StatusDetails};

use crate::authentication::standing;
use crate::client::{Client, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::{Format, Output, listed};

/// Prints how policyd is. A warning makes the exit code 1, so that monitoring can use it.
pub(crate) fn show(socket: &Path, output: &Output) -> Result<ExitCode, Failed> {
    let mut client = Client::connect(socket)?;
    let Reply::Status(status) = client.ask(&Request::Status)? else { return Err(unexpected()) };
    match output.format() {
        Format::Json => output.json(&status)?,
        Format::Table | Format::Rows => {
            let Reply::Whoami(whoami) = client.ask(&Request::Whoami)? else { return Err(unexpected()) };
            print(&status, &whoami.authentication, output)?;
        }
    }
    let warned = status.details.as_ref().is_some_and(|details| !details.warnings.is_empty());
    Ok(if warned { ExitCode::from(Exit::Error as u8) } else { ExitCode::SUCCESS })
}

fn print(status: &Status, authentication: &Authentication, output: &Output) -> Result<(), Failed> {
    let mut lines = vec![
        ["virtwarden".to_owned(), format!("enabled, policyd {}", status.version)],
        ["your roles".to_owned(), listed(&status.roles)],
        ["authenticated".to_owned(), standing(authentication)],
    ];
    if let Some(details) = &status.details {
        lines.extend(describe(details));
    }
    output.rows(lines)
}

fn describe(details: &StatusDetails) -> Vec<[String; 2]> {
    let line = |name: &str, value: String| [name.to_owned(), value];
    let hash: String = details.policy_hash.chars().take(16).collect();
    let mut lines = vec![
        line("libvirt", details.libvirt.clone()),
        line("policy", format!("{hash} from {}", listed(&details.policy_files))),
        line("VMs", format!("{} registered, {} assigned", details.registered, details.assigned)),
        line("audit trail", details.trail.clone()),
        line("sessions", format!("{} open, {} raised", details.sessions, details.raised)),
        line("locked out", listed(&details.locked)),
    ];
    lines.extend(details.warnings.iter().map(|warning| line("WARNING", warning.clone())));
    lines
}
