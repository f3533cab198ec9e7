// SPDX-License-Identifier: Apache-2.0
//! What is kept on the disk of a policy on trial: the one from before, and which files nobody has confirmed.
//!
//! It stays there after a trial that nobody confirmed, for the files on the host still say what was taken back: a policyd
//! that starts with just those files takes the policy from before again.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtwarden_core::policy::{Policy, Source};

use super::{InForce, PolicyFile};
use crate::kept::Kept;

/// The file format that this build writes and reads.
const FORMAT: u32 = 1;

/// Files that nobody has confirmed, and what was in force before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Standing {
    /// The digest of the files on trial.
    candidate: String,
    /// The files from before.
    before: Vec<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    path: PathBuf,
    text: String,
}

/// None: nothing is on trial, and nothing was taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unconfirmed(pub(super) Option<Standing>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    standing: Option<Standing>,
}

impl Standing {
    pub(super) fn new(before: &InForce, candidate: &InForce) -> Self {
        let text = |file: &PolicyFile| Text { path: file.path.clone(), text: file.text.clone() };
        Self { candidate: digest(candidate), before: before.files.iter().map(text).collect() }
    }

    /// Whether these are the files that nobody confirmed.
    pub(super) fn is_about(&self, files: &InForce) -> bool {
        self.candidate == digest(files)
    }

    /// The policy from before.
    ///
    /// # Errors
    /// It is none any more, for people.
    pub(super) fn before(&self) -> Result<InForce, String> {
        let names: Vec<_> = self.before.iter().map(|file| file.path.display().to_string()).collect();
        let texts = names.iter().zip(&self.before);
        let sources: Vec<_> = texts.map(|(name, file)| Source { name, text: &file.text }).collect();
        let policy = Policy::load(&sources).map_err(|errors| {
            errors.iter().map(|error| error.render(&sources)).collect::<Vec<_>>().join("\n")
        })?;
        let file = |file: &Text| PolicyFile { path: file.path.clone(), text: file.text.clone() };
        Ok(InForce { policy, files: self.before.iter().map(file).collect() })
    }
}

fn digest(policy: &InForce) -> String {
    crate::control::digest(&policy.files).to_string()
}

impl Kept for Unconfirmed {
    const SUBJECT: &'static str = "policy from before a trial";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = serde_json::to_vec_pretty(&Document { format: FORMAT, standing: self.0.clone() })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match document.format {
            FORMAT => Ok(Self(document.standing)),
            other => Err(format!("format {other} is not known to this version")),
        }
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "what was kept of a policy on trial was damaged ({error}), so the policy files of this host are in force, \
             confirmed or not; the damaged file is `{}`: look at `virtwarden policy show`",
            kept.display()
        )
    }
}
