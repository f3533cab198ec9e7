// SPDX-License-Identifier: Apache-2.0
//! apt's own signed path. apt takes a package only if a list names it that a key of the distribution has signed; what
//! could switch that off is switched on here again, or refused.

use std::fs;
use std::path::{Path, PathBuf};

use super::{part, program};
use crate::exit::Failed;

/// No list without a good signature, none that expired or is of the future, and no package that no list vouches for.
const STRICT: &[&str] = &[
    "-oAcquire::AllowInsecureRepositories=false",
    "-oAcquire::AllowWeakRepositories=false",
    "-oAcquire::AllowDowngradeToInsecureRepositories=false",
    "-oAcquire::Check-Valid-Until=true",
    "-oAcquire::Check-Date=true",
    "-oAPT::Get::AllowUnauthenticated=false",
    "-oAPT::Update::Error-Mode=any",
];
const SOURCES: &str = "/etc/apt";

/// Fetches the lists and says what they have that is newer.
pub(super) fn check() -> Result<String, Failed> {
    fetch()?;
    let newer = newer()?;
    Ok(if newer.is_empty() { "nothing is newer".to_owned() } else { newer.join("\n") })
}

/// Installs what is newer.
pub(super) fn upgrade() -> Result<String, Failed> {
    insist_on_signatures(Path::new(SOURCES))?;
    let newer = newer()?;
    if newer.is_empty() {
        return Ok("nothing is newer; `virtwarden update check` fetches the lists".to_owned());
    }
    let installed = apt(&[
        "install",
        "--yes",
        "--only-upgrade",
        "-oDpkg::Options::=--force-confdef",
        "-oDpkg::Options::=--force-confold",
    ]);
    installed.map(|_| newer.join("\n")).map_err(unverified)
}

/// A package that is not what a list vouches for is a failure of verification, whatever apt calls it.
fn unverified(failed: Failed) -> Failed {
    if failed.message.contains("Hash Sum mismatch") || failed.message.contains("unexpected size") {
        return Failed {
            message: format!("verification failed, nothing is installed: {}", failed.message),
            ..failed
        };
    }
    failed
}

/// Says what would be installed.
pub(super) fn simulate() -> Result<String, Failed> {
    insist_on_signatures(Path::new(SOURCES))?;
    Ok(format!("would install:\n{}", newer()?.join("\n")))
}

fn fetch() -> Result<(), Failed> {
    insist_on_signatures(Path::new(SOURCES))?;
    let fetched = program::run("apt-get", &[STRICT, &["update"]].concat());
    fetched.map(drop).map_err(|failed| Failed {
        message: format!(
            "verification failed, or a list cannot be fetched; nothing is changed: {}",
            failed.message
        ),
        ..failed
    })
}

/// `libvirt0 11.3.0-3 -> 11.3.0-3+deb13u1`, from apt's own plan.
fn newer() -> Result<Vec<String>, Failed> {
    let plan = apt(&["install", "--simulate", "--only-upgrade"])?;
    Ok(plan.lines().filter_map(planned).collect())
}

fn apt(words: &[&str]) -> Result<String, Failed> {
    let parts = part::installed()?;
    let packages: Vec<_> = parts.iter().map(|part| part.package.as_str()).collect();
    program::run("apt-get", &[STRICT, words, &["--"], &packages].concat())
}

/// `Inst libvirt0 [11.3.0-3] (11.3.0-3+deb13u1 Debian:13.1/stable [amd64])`.
fn planned(line: &str) -> Option<String> {
    let mut words = line.strip_prefix("Inst ")?.split(' ');
    let package = words.next()?;
    let rest = words.collect::<Vec<_>>().join(" ");
    let before = rest.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or("-");
    let after = rest.split('(').nth(1)?.split(' ').next()?;
    Some(format!("{package} {before} -> {after}"))
}

/// A source that says that it need not be signed would be taken without a word.
fn insist_on_signatures(place: &Path) -> Result<(), Failed> {
    let mut files = vec![place.join("sources.list")];
    let entries = fs::read_dir(place.join("sources.list.d")).into_iter().flatten().flatten();
    files.extend(entries.map(|entry| entry.path()));
    match files.iter().find(|file| is_lax(file)) {
        None => Ok(()),
        Some(file) => Err(Failed::error(format!(
            "verification failed: `{}` has a source that need not be signed (`trusted`, `allow-insecure`, \
             `check-valid-until`); nothing is changed: remove that option",
            file.display()
        ))),
    }
}

fn is_lax(file: &PathBuf) -> bool {
    let text = fs::read_to_string(file).unwrap_or_default().to_lowercase();
    let lines =
        text.lines().map(|line| line.split('#').next().unwrap_or_default().replace([' ', '\t', '\r'], ""));
    lines.into_iter().any(|line| {
        ["trusted", "allow-insecure", "allow-weak", "allow-downgrade-to-insecure"].iter().any(|option| {
            ["=yes", ":yes", "=true", ":true", "=1", ":1"]
                .iter()
                .any(|yes| line.contains(&format!("{option}{yes}")))
        }) || ["check-valid-until=no", "check-valid-until:no", "check-date=no", "check-date:no"]
            .iter()
            .any(|no| line.contains(no))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apts_plan_is_read() {
        let line = "Inst libvirt0 [11.3.0-3] (11.3.0-3+deb13u1 Debian:13.1/stable [amd64])";
        assert_eq!(planned(line).unwrap(), "libvirt0 11.3.0-3 -> 11.3.0-3+deb13u1");
        assert_eq!(planned("Inst new (1.0 Debian:13 [all])").unwrap(), "new - -> 1.0");
        assert_eq!(planned("Conf libvirt0 (11.3.0-3)"), None);
    }

    #[test]
    fn a_source_that_need_not_be_signed_is_refused() {
        for (text, fine) in [
            ("deb http://mirror.example/debian trixie main\n", true),
            ("# deb [trusted=yes] file:/srv ./\n", true),
            ("deb [signed-by=/etc/k.asc] file:/srv ./\n", true),
            ("deb [ arch=amd64 trusted=yes ] file:/srv ./\n", false),
            ("Types: deb\nTrusted: yes\n", false),
            ("Types: deb\nAllow-Insecure:yes\n", false),
            ("deb [check-valid-until=no] file:/srv ./\n", false),
        ] {
            let place = tempfile::tempdir().unwrap();
            fs::create_dir(place.path().join("sources.list.d")).unwrap();
            fs::write(place.path().join("sources.list.d/x.sources"), text).unwrap();
            assert_eq!(insist_on_signatures(place.path()).is_ok(), fine, "{text}");
        }
    }
}
