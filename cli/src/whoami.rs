// SPDX-License-Identifier: Apache-2.0
//! `virtwarden whoami`.

use std::path::Path;

use virtwarden_core::control::{Reply, Request, Whoami};
use virtwarden_core::table3::Function;

use crate::authentication::standing;
use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::functions::named;
use crate::output::{Format, Output, listed};

/// Prints who the asker is to Virtwarden.
pub(crate) fn show(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Whoami(whoami) = ask(socket, &Request::Whoami)? else { return Err(unexpected()) };
    match output.format() {
        Format::Json => output.json(&whoami),
        Format::Table | Format::Rows => output.rows(describe(&whoami)),
    }
}

fn describe(whoami: &Whoami) -> Vec<[String; 2]> {
    let line = |name: &str, value: String| [name.to_owned(), value];
    let login = whoami.login.as_ref().map_or("none known", |login| &login.name);
    let withheld = listed(&whoami.withheld);
    let mut lines = vec![
        line("account", format!("{} ({})", whoami.account.name, whoami.account.uid)),
        line("logged in as", login.to_owned()),
        line("authenticated", standing(&whoami.authentication)),
        line("groups", listed(whoami.groups.iter().map(|group| &group.name))),
        line("roles", listed(&whoami.roles)),
        line("roles that do not count here", withheld),
        line("functions", functions(&whoami.functions)),
    ];
    lines.retain(|[name, _]| !whoami.withheld.is_empty() || name != "roles that do not count here");
    lines
}

fn functions(held: &[Function]) -> String {
    if held == Function::ALL {
        return "all 27 of Table 3".to_owned();
    }
    listed(held.iter().copied().map(named)).replace(',', ", ")
}
