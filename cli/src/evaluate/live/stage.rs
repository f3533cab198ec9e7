// SPDX-License-Identifier: Apache-2.0
//! The scene of an evaluation: two people who have just been given their roles, each in a login session of his own, and
//! VMs of which one is the User's.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use virtwarden_core::policy::Policy;
use virtwarden_core::policy::settings::Activation;
use virtwarden_core::table3::Column;

use super::authority::Authority;
use super::interrupt::Interrupt;
use super::made::{Made, PREFIX};
use super::people::Person;
use super::program::root;
use super::receiver::Receiver;
use super::sshd::Sshd;
use super::state::Look;
use super::{directory, machines, sshd};
use crate::exit::Failed;

/// Who and what is on the scene, by name.
pub(super) struct Stage<'r> {
    /// What tells this run's names from others'.
    pub(super) mark: String,
    /// The Administrator.
    pub(super) administrator: Person,
    /// The User.
    pub(super) user: Person,
    /// Where files of the run are that both may read.
    pub(super) files: PathBuf,
    /// Where media are that Users may insert; none if the policy names no such directory.
    pub(super) library: Option<PathBuf>,
    /// `kvm`, or `qemu` where the host has no KVM.
    pub(super) vm_type: &'static str,
    pub(super) sshd: Sshd,
    /// An audit server that exists for the time of the run.
    pub(super) receiver: Receiver,
    /// The port of a directory that exists for as long.
    directory: u16,
    pub(super) interrupt: &'r Interrupt,
    /// How things were after the last attempt, if nothing has been done since.
    pub(super) looked: Cell<Option<Look>>,
}

impl Stage<'_> {
    /// A text of the tables with this run's names in it.
    pub(super) fn named(&self, text: &str) -> String {
        let library = self.library.as_deref().unwrap_or(Path::new("/nonexistent"));
        let names = [
            ("{own}", format!("{PREFIX}own-{}", self.mark)),
            ("{other}", format!("{PREFIX}other-{}", self.mark)),
            ("{new}", format!("{PREFIX}new-{}", self.mark)),
            ("{net}", format!("{PREFIX}net-{}", self.mark)),
            ("{newnet}", format!("{PREFIX}newnet-{}", self.mark)),
            ("{iso}", library.join(format!("{PREFIX}{}.iso", self.mark)).display().to_string()),
            ("{files}", self.files.display().to_string()),
            ("{admin}", self.administrator.name.clone()),
            ("{user}", self.user.name.clone()),
            ("{adminrole}", self.administrator.role.clone()),
            ("{userrole}", self.user.role.clone()),
            ("{library}", library.display().to_string()),
            ("{mark}", self.mark.clone()),
            ("{logport}", self.receiver.port.to_string()),
            ("{ldapport}", self.directory.to_string()),
            ("{ldapbase}", directory::BASE.to_owned()),
            ("{somebody}", somebody(&self.mark)),
        ];
        names.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

/// Sets it. What is on the host when this fails is in `made`.
pub(super) fn set<'r>(
    policy: &Policy,
    made: &mut Made,
    mark: &str,
    interrupt: &'r Interrupt,
    say: &dyn Fn(&str),
) -> Result<Stage<'r>, Failed> {
    can_be_done(policy)?;
    let files = directory(&made.directory().join("files"), 0o755)?;
    say("making two accounts and giving them their roles");
    let keys = sshd::keys(made.directory())?;
    let administrator = Person::make(policy, Column::Administrator, "admin", mark, made)?;
    let user = Person::make(policy, Column::User, "user", mark, made)?;
    say("starting an sshd of our own on the loopback interface, and logging in twice");
    let sshd = Sshd::start(&keys, made, mark)?;
    sshd.log_in(&administrator.name)?;
    sshd.log_in(&user.name)?;
    let authority = Authority::make(&files.join("authority.pem"))?;
    let receiver = Receiver::listen(&authority)?;
    let directory = directory::listen(&authority, &somebody(mark))?;
    let mut stage = Stage {
        mark: mark.to_owned(),
        administrator,
        user,
        files,
        library: library(policy),
        vm_type: machines::vm_type(),
        sshd,
        receiver,
        directory,
        interrupt,
        looked: Cell::new(None),
    };
    say("making two VMs, one of them the User's");
    machines::set(&mut stage, made)?;
    Ok(stage)
}

/// Who is in the directory, and nowhere else.
fn somebody(mark: &str) -> String {
    format!("{PREFIX}somebody-{mark}")
}

/// What an evaluation cannot do without.
fn can_be_done(policy: &Policy) -> Result<(), Failed> {
    for program in
        ["/usr/sbin/sshd", "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/virsh", "/usr/bin/qemu-img"]
    {
        if !Path::new(program).exists() {
            return Err(Failed::error(format!(
                "`{program}` is missing; install openssh-server, libvirt-clients and qemu-utils, or say `--plan`"
            )));
        }
    }
    if policy.session().activation == Activation::Raise {
        return Err(Failed::error(
            "the policy asks Administrators to raise their sessions, which nobody is there to do in a live evaluation; \
             say `--plan`",
        ));
    }
    Ok(())
}

/// The first directory of the policy's library that is there.
fn library(policy: &Policy) -> Option<PathBuf> {
    policy.media().iter().find(|directory| directory.is_dir()).cloned()
}

/// Makes a directory.
pub(super) fn directory(path: &Path, mode: u32) -> Result<PathBuf, Failed> {
    let made = fs::DirBuilder::new().mode(mode).create(path);
    made.map_err(|error| Failed::error(format!("cannot make `{}`: {error}", path.display())))?;
    Ok(path.to_owned())
}

/// Writes a file that was not there.
pub(super) fn file(path: &Path, text: &str, mode: u32) -> Result<(), Failed> {
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = opened.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| Failed::error(format!("cannot write `{}`: {error}", path.display())))
}

/// Runs a program that must succeed.
pub(super) fn must(words: &[&str]) -> Result<String, Failed> {
    let ran = root(words);
    if ran.succeeded() {
        return Ok(ran.output);
    }
    Err(Failed::error(format!("`{}` failed: {}", words.join(" "), ran.output)))
}
