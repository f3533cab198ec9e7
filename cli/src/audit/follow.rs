// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit follow`: records as they are written.

use std::path::Path;

use virtwarden_core::control::Request;

use super::parse;
use super::row::row;
use crate::arguments::FilterArguments;
use crate::client::Client;
use crate::exit::Failed;
use crate::output::{Format, Output};
use crate::time;

/// Prints records until interrupted. Columns cannot wait for what is to come, so their widths are
/// fixed; with `--json`, one stored line each.
pub(super) fn follow(arguments: &FilterArguments, socket: &Path, output: &Output) -> Result<(), Failed> {
    let request = Request::AuditFollow { filter: arguments.filter(time::now()) };
    let print = |line: &str| match output.format() {
        Format::Json => output.text(line),
        Format::Table | Format::Rows => output.line(&columns(row(&parse(line)?))),
    };
    Client::connect(socket)?.records(&request, print)
}

fn columns(row: [String; 10]) -> String {
    let [seq, time, person, from, role, operation, function, object, outcome, detail] = row;
    let who = format!("{seq:>6}  {time}  {person:12}  {from:15}  {role:14}");
    let what = format!("{operation:20}  {function:20}  {object:16}");
    format!("{who}  {what}  {outcome:8}  {detail}").trim_end().to_owned()
}
