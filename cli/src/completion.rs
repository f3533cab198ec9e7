// SPDX-License-Identifier: Apache-2.0
//! What a shell may offer for the word that somebody is typing: names of his VMs, keys of a setting, and the like.
//!
//! Shells ask by `virtwarden complete -- WORD...`. It only asks policyd what is neither refused nor recorded, and where
//! policyd does not answer at once it says nothing: whoever presses a key must not wait, and no record is made by a key.

mod known;
mod place;
mod script;
mod wanted;

use std::path::Path;

use clap::CommandFactory;

use self::place::Place;
pub(crate) use self::script::print as script;
use crate::arguments::Arguments;
use crate::exit::Failed;
use crate::output::Output;

/// Prints what the last of these words may become, one a line. Nothing that goes wrong is told.
pub(crate) fn complete(words: &[String], socket: &Path, output: &Output) -> Result<(), Failed> {
    let Some((typed, before)) = words.split_last() else { return Ok(()) };
    let command = Arguments::command();
    let Some(place) = Place::find(&command, before, typed) else { return Ok(()) };
    let mut offered = known::offered(&place, socket);
    offered.retain(|word| word.starts_with(place.typed) && is_plain(word));
    offered.sort_unstable();
    offered.dedup();
    offered.iter().try_for_each(|word| output.line(&format!("{}{word}", place.option)))
}

/// What a shell would act on, or a line could not hold, is not offered.
fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "-_.,:@/=+".contains(c);
    !word.is_empty() && word.chars().all(plain)
}
