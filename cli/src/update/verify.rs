// SPDX-License-Identifier: Apache-2.0
//! Whether a package is what somebody vouches for: a detached OpenPGP signature by one of the Administrator's keys, checked
//! by the distribution's own verifier, or the hash that its maker publishes.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use virtwarden_core::trail::digest::Digest;

use super::program;
use crate::exit::Failed;

/// The Administrator's keyring. A site fills it; nothing is shipped in it.
pub(super) const KEYS: &str = "/etc/virtwarden/update-keys";
/// Verifiers, the distribution's present one first.
const SQV: &str = "/usr/bin/sqv";
const GPGV: &str = "/usr/bin/gpgv";

/// The package has this hash, or the words of the failure.
pub(super) fn hash(package: &Path, expected: &str) -> Result<String, Failed> {
    let bytes = fs::read(package).map_err(|error| Failed::error(format!("cannot read the copy: {error}")))?;
    let (found, expected) = (Digest::of(&bytes).to_string(), expected.trim().to_lowercase());
    if Digest::parse(expected.as_bytes()).is_none() {
        return Err(Failed::usage("a SHA-256 has 64 hexadecimal digits"));
    }
    if found == expected {
        return Ok(format!("SHA-256 {found}"));
    }
    Err(refused(&format!("the file has SHA-256 {found}, not {expected}")))
}

/// One of the Administrator's keys signed the package, or the words of the failure.
pub(super) fn signature(package: &Path, signature: &Path) -> Result<String, Failed> {
    let keyrings = keyrings(Path::new(KEYS))?;
    let (verifier, words) = if Path::new(SQV).exists() {
        (SQV, sqv(&keyrings, package, signature))
    } else {
        (GPGV, gpgv(&keyrings, package, signature)?)
    };
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let said = program::output(verifier, &words)?;
    let told = [said.stdout, said.stderr].concat();
    let told = String::from_utf8_lossy(&told).split_whitespace().collect::<Vec<_>>().join(" ");
    if said.status.success() {
        return Ok(format!("signature good: {told}"));
    }
    Err(refused(&format!("{verifier}: {told}")))
}

fn refused(why: &str) -> Failed {
    Failed::error(format!("verification failed, nothing is installed: {why}"))
}

fn sqv(keyrings: &[PathBuf], package: &Path, signature: &Path) -> Vec<String> {
    let rings = keyrings.iter().flat_map(|ring| ["--keyring".to_owned(), ring.display().to_string()]);
    rings.chain([signature.display().to_string(), package.display().to_string()]).collect()
}

fn gpgv(keyrings: &[PathBuf], package: &Path, signature: &Path) -> Result<Vec<String>, Failed> {
    if let Some(armored) = keyrings.iter().find(|ring| ring.extension().is_some_and(|end| end == "asc")) {
        return Err(Failed::error(format!(
            "gpgv does not read `{}`; turn it into a binary keyring with `gpg --dearmor`",
            armored.display()
        )));
    }
    Ok(sqv(keyrings, package, signature))
}

/// The keyrings, if nobody but root could have put one there.
fn keyrings(place: &Path) -> Result<Vec<PathBuf>, Failed> {
    let none = || {
        Failed::error(format!(
            "verification failed: there is no key in `{}`; put the OpenPGP keys there (`.gpg`, `.asc`) whose signatures \
             you trust",
            place.display()
        ))
    };
    let mut found = Vec::new();
    insist_on_root(place).map_err(|failed| if place.exists() { failed } else { none() })?;
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|end| end == "gpg" || end == "asc" || end == "pgp") {
            insist_on_root(&path)?;
            found.push(path);
        }
    }
    found.sort();
    if found.is_empty() { Err(none()) } else { Ok(found) }
}

fn insist_on_root(path: &Path) -> Result<(), Failed> {
    let own = nix::unistd::geteuid().as_raw();
    let safe = fs::symlink_metadata(path).is_ok_and(|found| found.uid() == own && found.mode() & 0o022 == 0);
    if safe {
        return Ok(());
    }
    let path = path.display();
    Err(Failed::error(format!(
        "verification failed: `{path}` must belong to root and be written by nobody else"
    )))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_the_published_hash_will_do() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "abc").unwrap();
        let right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(hash(file.path(), right).is_ok() && hash(file.path(), &right.to_uppercase()).is_ok());
        for wrong in ["", "ba78", &right.replace('b', "a"), &format!("{right}00")] {
            assert!(hash(file.path(), wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_keyring_that_others_can_write_or_that_is_empty_vouches_for_nothing() {
        let place = tempfile::tempdir().unwrap();
        let keys = place.path().join("keys");
        assert!(keyrings(&keys).unwrap_err().message.contains("there is no key"));
        fs::create_dir(&keys).unwrap();
        assert!(keyrings(&keys).unwrap_err().message.contains("there is no key"));
        let key = keys.join("site.gpg");
        fs::write(&key, "key").unwrap();
        assert_eq!(keyrings(&keys).unwrap(), std::slice::from_ref(&key));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(keyrings(&keys).unwrap_err().message.contains("nobody else"));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&keys, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(keyrings(&keys).is_err());
    }
}
