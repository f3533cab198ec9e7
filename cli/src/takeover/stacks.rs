// SPDX-License-Identifier: Apache-2.0
//! The login stacks, `/etc/pam.d/common-*`: whether they ask our module, and how they are made to.
//!
//! pam-auth-update puts the stacks together, but it is only ever let loose on a copy: what it makes of the
//! copy is then put in place file by file, each noted before. Killed half way it would leave files that it
//! takes for edited by hand from then on.

mod line;
mod rehearsal;

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

pub(crate) use crate::takeover::stacks::line::{
    DIRECTORY, Line, MODULE, WANTED, lines_of, named_in, short_jumps,
};
pub(crate) use crate::takeover::stacks::rehearsal::{PROFILES, Wish, rehearse};

use crate::takeover::host::Host;
use crate::takeover::place::{self, Access};
use crate::takeover::standing::Standing;
use crate::takeover::trouble::Trouble;

/// Mode of a file that was not there before.
const MODE: u32 = 0o644;

/// A file of the stacks, or of what pam-auth-update remembers of them, as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stack {
    pub(crate) path: String,
    pub(crate) content: String,
}

/// The same file as it was, and as it was to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Replaced {
    path: String,
    /// None: it was not there.
    was: Option<Kept>,
    becomes: String,
}

/// A file's content, owner and mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    content: String,
    access: Access,
}

/// How the host stands to our lines.
pub(crate) fn standing(host: &Host<'_>) -> Standing {
    let missing = missing(host).len();
    if missing == 0 && short_jumps(host).is_empty() {
        Standing::InPlace
    } else if missing == WANTED.len() {
        Standing::Missing
    } else {
        Standing::Different
    }
}

/// Those of our lines that the stacks lack.
pub(crate) fn missing(host: &Host<'_>) -> Vec<&'static Line> {
    WANTED.iter().filter(|line| !line.is_in(&lines_of(host, line.file))).collect()
}

/// Makes sure that enabling will be able to switch the module on.
///
/// # Errors
/// When somebody has edited the stacks by hand, so that pam-auth-update leaves them alone, and our lines are
/// not in them.
pub(crate) fn check(host: &Host<'_>) -> Result<(), Trouble> {
    if standing(host) == Standing::InPlace || rehearse(host, Wish::Enable)?.is_some() {
        Ok(())
    } else {
        Err(Trouble::Refused(advice(host)))
    }
}

/// What to write where, for whoever keeps the stacks by hand.
fn advice(host: &Host<'_>) -> String {
    let missing = missing(host).into_iter().map(|line| format!("\n  {line}"));
    let short = short_jumps(host).into_iter().map(|line| {
        format!(
            "\n  /etc/pam.d/common-auth: `{line}` with `success=N` so high that it jumps over pam_deny.so"
        )
    });
    let lines: Vec<String> = missing.chain(short).collect();
    format!(
        "the login stacks were edited by hand, so that pam-auth-update leaves them alone; either let it make them \
         anew (`pam-auth-update --force`), or add these lines and run this again:{}",
        lines.concat()
    )
}

/// Puts the files in place.
pub(crate) fn make(host: &Host<'_>, files: &[Stack]) -> Result<(), Trouble> {
    write(host, files)?;
    match standing(host) {
        Standing::InPlace => Ok(()),
        Standing::Missing | Standing::Different => Err(Trouble::Refused(advice(host))),
    }
}

/// What is in the place of these files.
pub(crate) fn look(host: &Host<'_>, files: &[Stack]) -> Result<Vec<Replaced>, Trouble> {
    let look = |file: &Stack| {
        let was = keep(host, &file.path)?;
        Ok(Replaced { path: file.path.clone(), was, becomes: file.content.clone() })
    };
    files.iter().map(look).collect()
}

fn keep(host: &Host<'_>, path: &str) -> Result<Option<Kept>, Trouble> {
    let Some(access) = access(host, path) else { return Ok(None) };
    let content = fs::read_to_string(host.path(path)).map_err(Trouble::io(format_args!("read `{path}`")))?;
    Ok(Some(Kept { content, access }))
}

/// Takes our lines out: what was there comes back byte for byte, unless somebody has changed it since.
///
/// # Errors
/// When the stacks were edited by hand since and still name our module: it must not go away under them.
pub(crate) fn restore(host: &Host<'_>, replaced: &[Replaced]) -> Result<(), Trouble> {
    let (ours, others): (Vec<&Replaced>, Vec<&Replaced>) =
        replaced.iter().partition(|file| file.is_ours(host));
    let without = if others.is_empty() { None } else { rehearse(host, Wish::Disable)? };
    match without {
        Some(files) => write(host, &files)?,
        None => ours.iter().try_for_each(|file| file.put_back(host))?,
    }
    check_withdrawn(host)
}

fn write(host: &Host<'_>, files: &[Stack]) -> Result<(), Trouble> {
    for file in files {
        let access = access(host, &file.path);
        place::write(&host.path(&file.path), &file.content, access.map_or(MODE, |a| a.mode), access)?;
    }
    Ok(())
}

/// Makes sure that no stack names our module.
///
/// # Errors
/// When one does: a login through it would fail once the module is gone.
pub(crate) fn check_withdrawn(host: &Host<'_>) -> Result<(), Trouble> {
    let named = named_in(host);
    if named.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = named.iter().map(|(file, line)| format!("\n  {file}: {line}")).collect();
    Err(Trouble::Refused(format!(
        "these lines were written by hand and name pam_virtwarden.so; take them out and run this again:{}",
        lines.concat()
    )))
}

impl Replaced {
    /// Nobody but us has changed it.
    fn is_ours(&self, host: &Host<'_>) -> bool {
        match (fs::read_to_string(host.path(&self.path)), &self.was) {
            (Ok(now), Some(was)) => now == was.content || now == self.becomes,
            (Ok(now), None) => now == self.becomes,
            (Err(_), was) => was.is_none(),
        }
    }

    fn put_back(&self, host: &Host<'_>) -> Result<(), Trouble> {
        let place = host.path(&self.path);
        place::sweep(&place)?;
        match &self.was {
            Some(kept) if fs::read_to_string(&place).is_ok_and(|now| now == kept.content) => Ok(()),
            Some(kept) => place::write(&place, &kept.content, kept.access.mode, Some(kept.access)),
            None => place::remove(&place),
        }
    }
}

fn access(host: &Host<'_>, path: &str) -> Option<Access> {
    let metadata = host.path(path).metadata().ok()?;
    Some(Access { uid: metadata.uid(), gid: metadata.gid(), mode: metadata.mode() & 0o7777 })
}
