// SPDX-License-Identifier: Apache-2.0
//! `virtwarden audit verify`: by policyd, or of a copy without it.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use virtwarden_core::control::{Reply, Request, Verification};
use virtwarden_core::trail::key::PublicKey;
use virtwarden_core::trail::verify::{self, Anchor, Expectation};

use super::archive;
use crate::arguments::VerifyArguments;
use crate::client::{ask, unexpected};
use crate::exit::Failed;
use crate::output::{Format, Output};

/// Checks a trail. The exit code is the verifier's own.
pub(super) fn verify(
    arguments: &VerifyArguments,
    socket: &Path,
    output: &Output,
) -> Result<ExitCode, Failed> {
    let verification = match (&arguments.archive, &arguments.directory, &arguments.key) {
        (Some(file), _, key) => return archive::verify(file, key.as_deref(), output),
        (None, Some(directory), Some(key)) => offline(directory, key, arguments)?,
        (None, None, None) => by_policyd(socket)?,
        (None, Some(_), None) | (None, None, Some(_)) => {
            return Err(Failed::usage("--key and --directory, or --key and an archive, belong together"));
        }
    };
    told(&verification, output)
}

/// Prints what was found.
pub(super) fn told(verification: &Verification, output: &Output) -> Result<ExitCode, Failed> {
    match output.format() {
        Format::Json => output.json(verification)?,
        Format::Table | Format::Rows => print(verification, output)?,
    }
    Ok(ExitCode::from(verification.code))
}

fn by_policyd(socket: &Path) -> Result<Verification, Failed> {
    let Reply::Verification(verification) = ask(socket, &Request::AuditVerify)? else {
        return Err(unexpected());
    };
    Ok(verification)
}

fn offline(directory: &Path, key: &Path, arguments: &VerifyArguments) -> Result<Verification, Failed> {
    let keys = PublicKey::all_from_pem(&read(key)?).map_err(|error| Failed::error(error.to_string()))?;
    let anchor = arguments.head.as_deref().map(anchor).transpose()?;
    let unsealed = if arguments.stopped { 0 } else { Expectation::RUNNING };
    let expectation = Expectation { keys, anchor, unsealed };
    let segments = segments(directory).map_err(|error| unreadable(directory, &error))?;
    let open = |path: PathBuf| (path.display().to_string(), File::open(path).map(BufReader::new));
    Ok(Verification::from(&verify::verify(segments.into_iter().map(open), &expectation)))
}

fn anchor(path: &Path) -> Result<Anchor, Failed> {
    Anchor::parse(&read(path)?).map_err(|error| Failed::error(format!("`{}`: {error}", path.display())))
}

/// Segment files in the order of their numbers, for which their names are padded.
fn segments(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    paths.sort();
    Ok(paths)
}

fn print(verification: &Verification, output: &Output) -> Result<(), Failed> {
    output.line(verification.flaw.as_deref().unwrap_or(&verification.verdict))?;
    if let Some(removed) = &verification.removed {
        output.remark(&format!("removed by order: {removed}"))?;
    }
    let Some((first, last)) = verification.range else { return Ok(()) };
    output.remark(&format!("good records: {first} to {last}"))?;
    if let Some(sealed) = verification.sealed {
        output.remark(&format!("sealed through: {sealed}"))?;
    }
    output.remark(&format!("head: {}", verification.head))
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    fs::read(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Failed {
    Failed::error(format!("cannot read `{}`: {error}", path.display()))
}
