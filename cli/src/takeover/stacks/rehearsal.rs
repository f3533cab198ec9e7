// SPDX-License-Identifier: Apache-2.0
//! What pam-auth-update would make of the login stacks, tried on a copy.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use super::Stack;
use super::line::named_in;
use crate::takeover::host::Host;
use crate::takeover::standing::Standing;
use crate::takeover::trouble::Trouble;

/// The package's profiles.
pub(crate) const PROFILES: [&str; 3] = ["virtwarden", "virtwarden-failed", "virtwarden-passed"];

/// What pam-auth-update knows a stack by.
const KINDS: [&str; 5] = ["auth", "account", "password", "session", "session-noninteractive"];

/// The profiles that pam-auth-update has told the administrator of.
const SEEN: &str = "/var/lib/pam/seen";

/// Its questions are nobody's business, and its answers are kept in the copy.
const DEBCONF: &str = "Config: answers\nTemplates: questions\n\n\
                       Name: answers\nDriver: File\nFilename: answers.dat\n\n\
                       Name: questions\nDriver: File\nFilename: questions.dat\n";

/// What is wanted of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Enable,
    Disable,
}

/// The files as pam-auth-update would write them; none if it leaves them alone, because somebody has edited
/// them by hand.
///
/// # Errors
/// When it cannot be tried.
pub(crate) fn rehearse(host: &Host<'_>, wish: Wish) -> Result<Option<Vec<Stack>>, Trouble> {
    if !files().all(|path| host.path(&path).symlink_metadata().is_ok_and(|file| file.is_file())) {
        return Ok(None);
    }
    let copy = Copy::make(host)?;
    copy.update(host, wish)?;
    let asked = super::standing(&copy.host(host)) == Standing::InPlace;
    let named = !named_in(&copy.host(host)).is_empty();
    match wish {
        Wish::Enable if asked => copy.files(wish).map(Some),
        Wish::Disable if !named => copy.files(wish).map(Some),
        Wish::Enable | Wish::Disable => Ok(None),
    }
}

/// The stacks, what was made of which profile, and what was seen.
fn files() -> impl Iterator<Item = String> {
    let stacks = KINDS.iter().map(|kind| format!("/etc/pam.d/common-{kind}"));
    let made = KINDS.iter().map(|kind| format!("/var/lib/pam/{kind}"));
    stacks.chain(made).chain([SEEN.to_owned()])
}

/// A directory with a copy of the files, gone when this is.
struct Copy(PathBuf);

impl Copy {
    fn make(host: &Host<'_>) -> Result<Self, Trouble> {
        let directory = host.path(&format!("/run/virtwarden-rehearsal.{}", std::process::id()));
        let copy = Self(directory);
        copy.fill(host).map_err(Trouble::io("copy the login stacks"))?;
        Ok(copy)
    }

    fn fill(&self, host: &Host<'_>) -> std::io::Result<()> {
        let _stale = fs::remove_dir_all(&self.0);
        DirBuilder::new().mode(0o700).create(&self.0)?;
        for directory in ["etc/pam.d", "var/lib/pam", "usr/share"] {
            fs::create_dir_all(self.0.join(directory))?;
        }
        for file in files() {
            fs::copy(host.path(&file), self.path(&file))?;
        }
        symlink(host.path("/usr/share/pam-configs"), self.path("/usr/share/pam-configs"))?;
        let answers = DEBCONF.replace("Filename: ", &format!("Filename: {}/", self.0.display()));
        fs::write(self.0.join("debconf.conf"), answers)
    }

    fn path(&self, absolute: &str) -> PathBuf {
        self.0.join(absolute.trim_start_matches('/'))
    }

    fn host<'a>(&self, host: &Host<'a>) -> Host<'a> {
        host.at(&self.0)
    }

    fn update(&self, host: &Host<'_>, wish: Wish) -> Result<(), Trouble> {
        let verb = match wish {
            Wish::Enable => "--enable",
            Wish::Disable => "--disable",
        };
        let directory = self.0.display().to_string();
        let debconf = format!("DEBCONF_SYSTEMRC={directory}/debconf.conf");
        let apart = ["-u", "DEBIAN_HAS_FRONTEND", "DEBIAN_FRONTEND=noninteractive", &debconf];
        let command = ["pam-auth-update", "--root", &directory, verb];
        host.run("env", &[&apart[..], &command, &PROFILES].concat()).map(drop)
    }

    fn files(&self, wish: Wish) -> Result<Vec<Stack>, Trouble> {
        let read = |path: String| {
            let text = read(&self.path(&path))?;
            let content = if path == SEEN { seen(&text, wish) } else { text };
            Ok(Stack { path, content })
        };
        files().map(read).collect()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // It is in /run: at the next boot it is gone in any case.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Profiles that are switched off are as if they had never been there: should the package go, nothing of
/// them stays.
fn seen(text: &str, wish: Wish) -> String {
    let stays = |line: &&str| match wish {
        Wish::Enable => true,
        Wish::Disable => !PROFILES.contains(line),
    };
    text.lines().filter(stays).map(|line| format!("{line}\n")).collect()
}

fn read(path: &Path) -> Result<String, Trouble> {
    fs::read_to_string(path).map_err(Trouble::io(format_args!("read `{}`", path.display())))
}
