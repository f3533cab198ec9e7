// SPDX-License-Identifier: Apache-2.0
//! Sets the scene of an evaluation, step by step, with each step noted before it is made.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use virtwarden_core::policy::Policy;
use virtwarden_core::policy::settings::Activation;
use virtwarden_core::table3::Column;

use super::authority::Authority;
use super::interrupt::Interrupt;
use super::made::Made;
use super::names::{Names, somebody};
use super::people::Person;
use super::receiver::Receiver;
use super::sshd::Sshd;
use super::stage::Stage;
use super::{directory, files, machines, sshd};
use crate::exit::Failed;

/// Sets it. What is on the host when this fails is in `made`.
pub(super) fn set<'r>(
    policy: &Policy,
    made: &mut Made,
    mark: &str,
    interrupt: &'r Interrupt,
    say: &dyn Fn(&str),
) -> Result<Stage<'r>, Failed> {
    can_be_done(policy)?;
    let files = files::directory(&made.directory().join("files"), 0o755)?;
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
    let library = library(policy);
    let names = Names::of(mark, [&administrator, &user])
        .in_places(&files, library.as_deref(), mark)
        .with_servers(receiver.port, directory, directory::BASE);
    let stage = Stage {
        mark: mark.to_owned(),
        names,
        administrator,
        user,
        files,
        library,
        vm_type: machines::vm_type(),
        sshd,
        receiver,
        interrupt,
        looked: Cell::new(None),
    };
    say("making two VMs, one of them the User's");
    machines::set(&stage, made)?;
    Ok(stage)
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
