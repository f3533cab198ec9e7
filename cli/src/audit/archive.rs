// SPDX-License-Identifier: Apache-2.0
//! The whole trail as one file that can be checked anywhere: segments as they are stored, with their seals, the public
//! keys, the newest checkpoint that policyd keeps apart, and a page that says what to do with it.

mod readme;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;

use virtwarden_core::control::{AuditRange, Reply, Request, TrailKeys, Verification};
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::key::PublicKey;
use virtwarden_core::trail::verify::{self, Anchor, Expectation};

use super::{parse, verify as check};
use crate::client::{Client, ask, unexpected};
use crate::exit::Failed;
use crate::output::Output;
use crate::tar::{Archive, Writer};

const README: &str = "README";
const KEYS: &str = "trail.pub";
const HEAD: &str = "trail.head";
const SEGMENTS: &str = "audit/";
/// More than any file in an archive has that is not a segment.
const SMALL: u64 = 1 << 20;

/// Writes the archive. The keys come first: the trail goes on meanwhile, and must contain the checkpoint beside it.
pub(super) fn write(path: &Path, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::TrailKeys(keys) = ask(socket, &Request::AuditKeys)? else { return Err(unexpected()) };
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.map_err(|error| Failed::error(format!("cannot make `{}`: {error}", path.display())))?;
    let written = fill(Writer::new(file), &keys, socket);
    match written {
        Ok(segments) => output.remark(&format!(
            "{segments} segments; check them with `virtwarden audit verify {}`, here or elsewhere",
            path.display()
        )),
        // Half an archive looks like a trail that was cut off.
        Err(failed) => {
            let _it_is_ours = std::fs::remove_file(path);
            Err(failed)
        }
    }
}

fn fill(mut archive: Writer<File>, keys: &TrailKeys, socket: &Path) -> Result<u64, Failed> {
    archive.add(README, readme::TEXT.as_bytes())?;
    archive.add(KEYS, keys.keys.as_bytes())?;
    if let Some(head) = &keys.head {
        archive.add(HEAD, head.as_bytes())?;
    }
    let mut segments = 0;
    let request = Request::AuditExport { range: AuditRange::default() };
    Client::connect(socket)?.records(&request, |line| {
        if let Entry::Segment(header) = parse(line)?.entry {
            archive.begin(&format!("{SEGMENTS}{:08}.jsonl", header.number))?;
            segments += 1;
        }
        archive.put(line.as_bytes())?;
        Ok(archive.put(b"\n")?)
    })?;
    archive.finish()?;
    Ok(segments)
}

/// Checks an archive, by the key that is given or else by its own.
pub(super) fn verify(path: &Path, key: Option<&Path>, output: &Output) -> Result<ExitCode, Failed> {
    let unreadable = |error: std::io::Error| {
        Failed::error(format!("`{}` is no archive of a trail: {error}", path.display()))
    };
    let archive = Archive::open(path).map_err(unreadable)?;
    let own = archive.small(KEYS, SMALL).map_err(unreadable)?;
    let pem = match (key, own) {
        (Some(key), _) => check::read(key)?,
        (None, Some(own)) => own,
        (None, None) => return Err(Failed::error("there is no key in the archive; name one with `--key`")),
    };
    let keys = PublicKey::all_from_pem(&pem).map_err(|error| Failed::error(error.to_string()))?;
    let head = archive.small(HEAD, SMALL).map_err(unreadable)?;
    let anchor = head.map(|text| Anchor::parse(&text)).transpose();
    let anchor = anchor.map_err(|error| Failed::error(format!("{HEAD}: {error}")))?;
    let ids: Vec<_> = keys.iter().map(|key| key.id().to_string()).collect();
    let expectation = Expectation { keys, anchor, unsealed: Expectation::RUNNING };
    let found = verify::verify(archive.members_below(SEGMENTS), &expectation);
    let code = check::told(&Verification::from(&found), output)?;
    if key.is_none() {
        let ids = ids.join(", ");
        output
            .remark(&format!("by the key in the archive, {ids}: compare it with the one kept elsewhere"))?;
    }
    Ok(code)
}
