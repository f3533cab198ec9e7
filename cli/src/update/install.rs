// SPDX-License-Identifier: Apache-2.0
//! `virtwarden update install`: what apt's signed lists have, or one package that was verified. Nothing else, ever.

use std::path::Path;

use virtwarden_core::control::{Mode, UpdateAct};

use super::workplace::Workplace;
use super::{apt, permit, program, verify};
use crate::arguments::InstallArguments;
use crate::exit::Failed;

/// The longest package and the longest signature.
const LONGEST: u64 = 1 << 30;
const LONGEST_SIGNATURE: u64 = 1 << 16;

/// How a package is vouched for.
enum Proof<'a> {
    Signature(&'a Path),
    Hash(&'a str),
}

/// Installs, and says what.
pub(super) fn install(arguments: &InstallArguments, socket: &Path) -> Result<String, Failed> {
    let mode = arguments.change.mode();
    let Some(file) = &arguments.file else {
        let work = match mode {
            Mode::Apply => apt::upgrade,
            Mode::DryRun => apt::simulate,
        };
        return permit::announced(socket, (UpdateAct::Install, "from apt's signed lists", mode), work);
    };
    let proof = match (&arguments.signature, &arguments.sha256) {
        (Some(signature), _) => Some(Proof::Signature(signature)),
        (None, Some(hash)) => Some(Proof::Hash(hash)),
        (None, None) => None,
    };
    let what = format!("file {}", file.display());
    permit::announced(socket, (UpdateAct::Install, &what, mode), || package(file, proof.as_ref(), mode))
}

fn package(file: &Path, proof: Option<&Proof<'_>>, mode: Mode) -> Result<String, Failed> {
    let unproved = || {
        Failed::error(
            "verification failed: nobody vouches for the file; give `--signature FILE` or `--sha256 HASH`, nothing is \
             installed",
        )
    };
    let proof = proof.ok_or_else(unproved)?;
    let workplace = Workplace::take()?;
    let copy = workplace.copy(file, "package.deb", LONGEST)?;
    let proved = match proof {
        Proof::Hash(expected) => verify::hash(&copy, expected)?,
        Proof::Signature(signature) => {
            let signature = workplace.copy(signature, "package.sig", LONGEST_SIGNATURE)?;
            verify::signature(&copy, &signature)?
        }
    };
    let copy = copy.display().to_string();
    let format = "--showformat=${Package} ${Version}";
    let named = program::run("dpkg-deb", &["--show", format, &copy])?;
    match mode {
        Mode::DryRun => {
            program::run("dpkg", &["--simulate", "--install", &copy])?;
            Ok(format!("would install {named}; {proved}"))
        }
        Mode::Apply => {
            program::run("dpkg", &["--force-confdef", "--force-confold", "--install", &copy])?;
            Ok(format!("installed {named}; {proved}"))
        }
    }
}
