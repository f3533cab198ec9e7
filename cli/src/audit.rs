// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit`.

use std::path::Path;
use std::process::ExitCode;

use crate::arguments::AuditVerb;
use crate::exit::Failed;
use crate::output::Output;

/// Does what the verb says.
pub(crate) fn run(_verb: &AuditVerb, _socket: &Path, _output: &Output) -> Result<ExitCode, Failed> {
    Err(Failed::error("not built yet"))
}
