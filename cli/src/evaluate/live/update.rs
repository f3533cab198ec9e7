// SPDX-License-Identifier: Apache-2.0
//! Row 1, FPT_TUD_EXT.1: an empty package of this run's own, with a hash that is not its own and then with the one that is. In
//! the session of whoever evaluates, for only root installs anything.

use std::fs;
use std::path::Path;

use virtwarden_core::record::Outcome;
use virtwarden_core::trail::digest::Digest;

use super::files::{directory, file};
use super::made::{Made, PREFIX, Thing};
use super::program::{Ran, must, root};
use super::stage::Stage;
use super::watch::Watch;
use crate::evaluate::report::{Door, State, Step, Verdict};
use crate::exit::{Exit, Failed};

const OPERATION: &str = "update install";

/// Whose hash is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hash {
    /// Another file's.
    Wrong,
    /// The package's.
    Right,
}

/// Both steps; the package is gone afterwards.
pub(super) fn perform(stage: &Stage<'_>, watch: &Watch, made: &mut Made) -> Result<Vec<Step>, Failed> {
    let name = format!("{PREFIX}update-{}", stage.mark);
    let package = build(&name, &stage.files)?;
    let bytes =
        fs::read(&package).map_err(|error| Failed::error(format!("cannot read `{package}`: {error}")))?;
    let installed = Thing::Package(name.clone());
    made.note(installed.clone())?;
    let install = |hash, of: &[u8]| {
        let command = format!("virtwarden update install {package} --sha256 {}", Digest::of(of));
        step(watch, &name, &command, hash)
    };
    let mut steps = vec![install(Hash::Wrong, b"another file"), install(Hash::Right, &bytes)];
    if let (Err(why), Some(last)) = (made.take_back(&installed), steps.last_mut()) {
        last.verdict = Verdict::fail(format!("it could not be taken back: {why}"));
    }
    Ok(steps)
}

/// A package with nothing in it.
fn build(name: &str, files: &Path) -> Result<String, Failed> {
    let tree = directory(&files.join("package"), 0o755)?;
    let control = directory(&tree.join("DEBIAN"), 0o755)?.join("control");
    let text = format!(
        "Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: virtwarden evaluate <root@localhost>\n\
         Description: for the time of an evaluation\n"
    );
    file(&control, &text, 0o644)?;
    let package = files.join("package.deb").display().to_string();
    must(&["dpkg-deb", "--build", "--root-owner-group", &tree.display().to_string(), &package])?;
    Ok(package)
}

fn step(watch: &Watch, name: &str, command: &str, hash: Hash) -> Step {
    let since = watch.end();
    let ran = root(&command.split(' ').collect::<Vec<_>>());
    let status = root(&["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]).output;
    let (what, expected) = match hash {
        Hash::Wrong => ("A package whose hash is another one is refused.", Outcome::Failure),
        Hash::Right => ("A package with the hash that was published is installed.", Outcome::Success),
    };
    let records = watch.records(since, |event| event.operation == OPERATION && event.outcome == expected);
    let recorded = if records.is_empty() { Recorded::No } else { Recorded::Yes };
    let verdict = judge(&ran, Presence::of(&status), hash, recorded);
    Step {
        what: what.to_owned(),
        who: "root".to_owned(),
        door: Door::ControlSocket,
        command: command.to_owned(),
        exit: ran.exit,
        output: ran.output,
        state: State::NotCompared,
        records,
        verdict,
    }
}

/// Whether the package is there afterwards.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Installed,
    Absent,
}

impl Presence {
    /// By dpkg's word for its state.
    fn of(status: &str) -> Self {
        if status == "installed" { Self::Installed } else { Self::Absent }
    }
}

/// Whether the trail tells of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    Yes,
    No,
}

fn judge(ran: &Ran, presence: Presence, hash: Hash, recorded: Recorded) -> Verdict {
    let was_installed = ran.succeeded() && presence == Presence::Installed;
    let was_refused = !ran.succeeded() && presence == Presence::Absent;
    match hash {
        _ if was_refused && is_kept_waiting(ran) => {
            Verdict::not_exercised("somebody else installs packages now")
        }
        Hash::Right if !was_installed => Verdict::fail("it was not installed"),
        Hash::Wrong if !was_refused => Verdict::fail("it was installed, and must be refused"),
        Hash::Right | Hash::Wrong => match recorded {
            Recorded::Yes => Verdict::Pass,
            Recorded::No => Verdict::fail("the trail has no record of it"),
        },
    }
}

/// What is said where another program installs at that moment: by dpkg of its two locks, and by ourselves.
const BUSY: [&str; 3] = [
    "dpkg: error: dpkg frontend lock was locked by ",
    "dpkg: error: dpkg database lock was locked by ",
    "virtwarden: another update is under way",
];

/// A lock that somebody holds, and no other failure, whatever names stand in what is said of it.
fn is_kept_waiting(ran: &Ran) -> bool {
    let is_failure = ran.exit == Some(i32::from(Exit::Error as u8));
    is_failure && BUSY.iter().any(|words| ran.output.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Debian 13 says it.
    const FRONTEND: &str = "virtwarden: dpkg failed: dpkg: error: dpkg frontend lock was locked by /usr/bin/apt \
                            process with pid 3791; Note: removing the lock file is always wrong\n";
    /// As Debian 12 does.
    const DATABASE: &str = "virtwarden: dpkg failed: dpkg: error: dpkg database lock was locked by another process \
                            with pid 12; Note: removing the lock file is always wrong\n";
    const OWN: &str = "virtwarden: another update is under way; wait until it has ended\n";

    fn failed(output: &str) -> Ran {
        Ran { exit: Some(1), output: output.to_owned() }
    }

    fn fails(verdict: &Verdict) -> bool {
        *verdict != Verdict::Pass && !is_not_exercised(verdict)
    }

    fn is_not_exercised(verdict: &Verdict) -> bool {
        *verdict == Verdict::not_exercised("somebody else installs packages now")
    }

    #[test]
    fn who_waits_for_a_lock_has_exercised_nothing() {
        for words in [FRONTEND, DATABASE, OWN] {
            for hash in [Hash::Wrong, Hash::Right] {
                let verdict = judge(&failed(words), Presence::Absent, hash, Recorded::No);
                assert!(is_not_exercised(&verdict), "{words}");
            }
        }
    }

    #[test]
    fn no_other_failure_is_taken_for_a_lock() {
        for words in [
            "virtwarden: dpkg failed: dpkg: error processing archive /x.deb (--install): trying to overwrite \
             '/usr/bin/flock'; Errors were encountered while processing: /x.deb",
            "virtwarden: dpkg failed: virtlockd depends on libc6 (>= 9); however: libc6 is blocked",
            "virtwarden: access denied: account alice is locked",
            "virtwarden: access denied: the clock is wrong",
            "virtwarden: dpkg failed: dpkg: error: unable to open/create dpkg frontend lock for directory \
             /var/lib/dpkg: Read-only file system",
        ] {
            let verdict = judge(&failed(words), Presence::Absent, Hash::Right, Recorded::Yes);
            assert!(fails(&verdict), "{words}");
        }
        let killed = Ran { exit: None, ..failed(FRONTEND) };
        assert!(fails(&judge(&killed, Presence::Absent, Hash::Right, Recorded::Yes)));
    }

    #[test]
    fn what_a_lock_kept_waiting_and_is_there_all_the_same_fails() {
        let verdict = judge(&failed(FRONTEND), Presence::Installed, Hash::Wrong, Recorded::Yes);
        assert!(fails(&verdict));
    }

    #[test]
    fn what_is_done_passes_with_its_record_alone() {
        let done = Ran { exit: Some(0), output: String::new() };
        for (ran, presence, hash) in [
            (&done, Presence::Installed, Hash::Right),
            (&failed("virtwarden: another hash"), Presence::Absent, Hash::Wrong),
        ] {
            assert!(judge(ran, presence, hash, Recorded::Yes) == Verdict::Pass);
            assert!(fails(&judge(ran, presence, hash, Recorded::No)));
        }
    }
}
