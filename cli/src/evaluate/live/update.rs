// SPDX-License-Identifier: Apache-2.0
//! Row 1, FPT_TUD_EXT.1: an empty package of this run's own, with a hash that is not its own and then with the one that is. In
//! the session of whoever evaluates, for only root installs anything.

use std::fs;
use std::path::Path;

use virtwarden_core::record::Outcome;
use virtwarden_core::trail::digest::Digest;

use super::made::{Made, PREFIX, Thing};
use super::program::root;
use super::stage::{Stage, directory, file, must};
use super::watch::Watch;
use crate::evaluate::report::{Door, State, Step, Verdict};
use crate::exit::Failed;

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
    let is_there =
        root(&["dpkg-query", "--show", "--showformat=${db:Status-Status}", name]).output == "installed";
    let (what, expected) = match hash {
        Hash::Wrong => ("A package whose hash is another one is refused.", Outcome::Failure),
        Hash::Right => ("A package with the hash that was published is installed.", Outcome::Success),
    };
    let records = watch.records(since, |event| event.operation == OPERATION && event.outcome == expected);
    let verdict = match (ran.succeeded() && is_there, !ran.succeeded() && !is_there, hash) {
        (_, true, _) if ran.output.contains("lock") => {
            Verdict::not_exercised("somebody else installs packages now")
        }
        (false, _, Hash::Right) => Verdict::fail("it was not installed"),
        (_, false, Hash::Wrong) => Verdict::fail("it was installed, and must be refused"),
        (true, _, Hash::Right) | (_, true, Hash::Wrong) if records.is_empty() => {
            Verdict::fail("the trail has no record of it")
        }
        (true, _, Hash::Right) | (_, true, Hash::Wrong) => Verdict::Pass,
    };
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
