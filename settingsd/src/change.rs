// SPDX-License-Identifier: Apache-2.0
//! A value into a component and out again: examine, render, check, journal, write, take effect, read
//! back; and everything as it was if one of these fails.

use virtwarden_core::control::Mode;

use crate::file::{self, Content};
use crate::host::Host;
use crate::journal::Journal;
use crate::plan::Plan;
use crate::provider::{Provider, Rendered};

/// Puts a value into force, or shows what that would change.
///
/// # Errors
/// Why not; the host is as it was, or it is said that it is not.
pub(crate) fn apply<P: Provider>(host: &Host, value: &P::Value, mode: Mode) -> Result<Vec<String>, String> {
    P::examine(host, value)?;
    let rendered = P::render(host, value)?;
    if rendered.is_empty() {
        return withdraw::<P>(host, mode);
    }
    P::try_out(host, &rendered)?;
    let before = Journal::load(host, P::NAME, P::FILES)?;
    let others = Journal::of_others(host, P::NAME)?;
    let plan = Plan::of(host, wanted::<P>(host, (&before, &others), &rendered))?;
    if mode == Mode::DryRun {
        return Ok(plan.lines());
    }
    plan.can_be_made(host)?;
    let journal = remembering::<P>(host, (&before, &others), &rendered, &plan)?;
    journal.save(host, P::NAME)?;
    match make::<P>(host, value, &plan) {
        Ok(()) => Ok(plan.lines()),
        Err(why) => match undo::<P>(host, &journal.since(&before), &before, &plan) {
            Ok(()) => Err(why),
            Err(also) => Err(format!("{why}; and the host could not be put back: {also}")),
        },
    }
}

/// Gives the files of a setting back as they were before the first write.
///
/// # Errors
/// A file could not be put back; it is said which.
pub(crate) fn withdraw<P: Provider>(host: &Host, mode: Mode) -> Result<Vec<String>, String> {
    let journal = Journal::load(host, P::NAME, P::FILES)?;
    let others = Journal::of_others(host, P::NAME)?;
    let plan = Plan::of(host, wanted::<P>(host, (&journal, &others), &[]))?;
    let mut lines = plan.lines();
    if mode == Mode::DryRun || journal.entries.is_empty() {
        return Ok(lines);
    }
    plan.make(host)?;
    sweep::<P>(host, &journal)?;
    // What is given back is given back even if the component has other troubles.
    lines.extend(P::take_effect(host).err().map(|why| format!("but not yet in effect: {why}")));
    Journal::empty().save(host, P::NAME)?;
    Ok(lines)
}

/// What differs between a value and the host, one line each.
pub(crate) fn inspect<P: Provider>(host: &Host, value: &P::Value) -> Vec<String> {
    let mut drift = match P::render(host, value) {
        Ok(rendered) => rendered.iter().filter_map(|file| strayed(host, file)).collect(),
        Err(why) => vec![why],
    };
    drift.extend(P::read_back(host, value));
    drift.extend(P::remarks(host, value));
    drift
}

/// What the files shall be: as rendered, and those that are left out as they were before, unless another setting
/// has them as well.
fn wanted<P: Provider>(
    host: &Host,
    (journal, others): (&Journal, &Journal),
    rendered: &[Rendered],
) -> Vec<(String, Option<Content>)> {
    let mut wanted: Vec<_> =
        rendered.iter().map(|file| (file.path.to_owned(), Some(host.content(&file.text, P::MODE)))).collect();
    for entry in &journal.entries {
        let known = wanted.iter().any(|(path, _)| *path == entry.path) || others.entry(&entry.path).is_some();
        if !is_derived::<P>(&entry.path) && !known {
            wanted.push((entry.path.clone(), entry.before.clone()));
        }
    }
    wanted
}

/// The journal with all that is about to be written, and what is there as rendered because of another setting.
fn remembering<P: Provider>(
    host: &Host,
    (before, others): (&Journal, &Journal),
    rendered: &[Rendered],
    plan: &Plan,
) -> Result<Journal, String> {
    let mut journal = before.clone();
    for step in &plan.0 {
        journal.remember(host, others, &step.path, step.from.as_ref());
    }
    for file in rendered.iter().filter(|file| others.entry(file.path).is_some()) {
        journal.remember(host, others, file.path, None);
    }
    if !plan.0.is_empty() {
        for derived in P::DERIVED {
            journal.remember(host, others, derived.path, file::read(host, derived.path)?.as_ref());
        }
    }
    Ok(journal)
}

fn make<P: Provider>(host: &Host, value: &P::Value, plan: &Plan) -> Result<(), String> {
    plan.make(host)?;
    P::take_effect(host)?;
    let differences = P::read_back(host, value);
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

/// Everything as it was before this change: its files, and what was made for them.
fn undo<P: Provider>(host: &Host, news: &Journal, before: &Journal, plan: &Plan) -> Result<(), String> {
    plan.undo(host)?;
    sweep::<P>(host, news)?;
    P::take_effect(host)?;
    before.save(host, P::NAME)
}

fn is_derived<P: Provider>(path: &str) -> bool {
    P::DERIVED.iter().any(|derived| derived.path == path)
}

/// Removes directories that were made for files which are gone, and what a component made from those
/// files if nothing is left that it could be made from.
fn sweep<P: Provider>(host: &Host, journal: &Journal) -> Result<(), String> {
    remove_made(host, journal);
    let is_ours = |path| journal.entry(path).is_some_and(|entry| entry.before.is_none());
    let orphans = P::DERIVED.iter().filter(|derived| is_ours(derived.path) && !host.has(derived.source));
    orphans.into_iter().try_for_each(|derived| file::remove(host, derived.path))?;
    remove_made(host, journal);
    Ok(())
}

/// The innermost first, whichever files they were made for.
fn remove_made(host: &Host, journal: &Journal) {
    let mut made: Vec<_> = journal.entries.iter().flat_map(|entry| &entry.made).collect();
    made.sort_unstable_by_key(|directory| std::cmp::Reverse(directory.len()));
    made.dedup();
    made.into_iter().for_each(|directory| file::remove_empty(host, directory));
}

/// A line for a file that is not as rendered.
fn strayed(host: &Host, file: &Rendered) -> Option<String> {
    match host.text(file.path) {
        Ok(Some(text)) if text == file.text => None,
        Ok(Some(_)) => Some(format!("`{}` was changed by hand", file.path)),
        Ok(None) => Some(format!("`{}` is missing", file.path)),
        Err(why) => Some(why),
    }
}

#[cfg(test)]
mod tests;
