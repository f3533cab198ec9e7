// SPDX-License-Identifier: Apache-2.0
//! The host as it is set up, look by look, for whoever must say which function of Table 3 each one holds up.
//!
//! `doctor` tells a person what to mend. Here every look says what it is about, also where all is well, and a look that
//! cannot be made is one that went wrong.

use crate::takeover::change::Change;
use crate::takeover::examine::{self, IN_SERVICE};
use crate::takeover::finding::{Finding, Severity};
use crate::takeover::host::{Host, Programs};
use crate::takeover::plan::{self, Purpose, Step};
use crate::takeover::standing::Standing;
use crate::takeover::trouble::Trouble;
use crate::takeover::{accounts, administrators, connections, logins, own_daemons, programs, setuid};

/// What a look is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// A part of the takeover but for the hooks.
    Takeover(Purpose),
    /// The hook of VMs, by its link and its program.
    VmHook,
    /// The hook of networks.
    NetworkHook,
    /// A unit that must run.
    Unit(&'static str),
    /// The way to libvirtd past the monitor: directory, sockets, listeners, polkit's order.
    Bypass,
    /// Sockets of libvirt's daemons that are root's alone.
    RootSockets,
    /// People in a group that is stronger than any role.
    StrongGroup(&'static str),
    /// That somebody is an Administrator.
    Administrators,
    /// Programs that plug an emulator of anybody's into a network.
    BridgeHelpers,
    /// That every way to log in leads past the monitor.
    Logins,
    /// Daemons and emulators that people run themselves.
    OwnDaemons,
}

/// One look at the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// What it is about.
    pub(crate) about: About,
    /// What must be so, in a sentence.
    pub(crate) what: String,
    /// What is not so, a line each; empty where all is well.
    pub(crate) wrong: Vec<String>,
}

/// Looks at this host and changes nothing.
pub(crate) fn all() -> Vec<Look> {
    on(&Host::new("/", &Programs))
}

/// Looks at a host.
pub(crate) fn on(host: &Host<'_>) -> Vec<Look> {
    let mut looks = takeover(host);
    looks.extend(IN_SERVICE.iter().map(|unit| {
        let wrong = examine::is_down(host, unit).map(|down| down.then(|| format!("{unit} is not running")));
        look(About::Unit(unit), format!("{unit} runs."), wrong)
    }));
    looks.extend([
        look(About::Bypass, "Nobody but the monitor reaches libvirtd.", bypass(host)),
        look(
            About::RootSockets,
            "The daemons' other sockets are root's alone.",
            Ok(problems(examine::root_sockets(host))),
        ),
        look(About::Administrators, "Somebody who is not root is an Administrator.", administrator(host)),
        look(
            About::BridgeHelpers,
            "No helper plugs anybody's emulator into a network.",
            Ok(problems(setuid::look(host))),
        ),
        look(About::Logins, "Every way to log in leads past the monitor.", logins::look(host).map(problems)),
        look(
            About::OwnDaemons,
            "Nobody runs a libvirt daemon or an emulator of his own.",
            Ok(own_daemons::running(host)),
        ),
    ]);
    looks.extend(accounts::STRONG_GROUPS.iter().map(|(group, reach)| strong_group(host, group, reach)));
    looks
}

/// Each part of the takeover, and the hooks one by one.
fn takeover(host: &Host<'_>) -> Vec<Look> {
    let steps = match plan::draw(host, &[]) {
        Ok(steps) => steps,
        Err(trouble) => {
            return vec![look(
                About::Takeover(Purpose::Sockets),
                "libvirt is taken over.",
                Err::<Vec<_>, _>(trouble),
            )];
        }
    };
    let purposes = Purpose::ALL.into_iter().filter(|purpose| *purpose != Purpose::Hooks);
    let mut looks: Vec<Look> = purposes
        .filter(|purpose| steps.iter().any(|step| step.purpose == *purpose))
        .map(|purpose| {
            let wrong: Vec<_> =
                steps.iter().filter(|step| step.purpose == purpose).filter_map(drift).collect();
            look(About::Takeover(purpose), format!("As `enable` leaves it: {}.", purpose.why()), Ok(wrong))
        })
        .collect();
    looks.extend([(About::VmHook, "qemu"), (About::NetworkHook, "network")].map(|(about, driver)| {
        let of_driver = |step: &&Step| step.purpose == Purpose::Hooks && is_below(&step.change, driver);
        let mut wrong: Vec<_> = steps.iter().filter(of_driver).filter_map(drift).collect();
        wrong.extend(programs::hook(host));
        look(
            about,
            format!("libvirtd's {driver} hook asks the monitor, by a program that is ours."),
            Ok(wrong),
        )
    }));
    looks
}

fn is_below(change: &Change, driver: &str) -> bool {
    change.path().is_some_and(|path| path.starts_with(&format!("/etc/libvirt/hooks/{driver}.d/")))
}

fn drift(step: &Step) -> Option<String> {
    match step.standing {
        Standing::InPlace => None,
        Standing::Missing => Some(format!("missing: {}; `virtwarden enable` repairs it", step.change)),
        Standing::Different => {
            Some(format!("changed by somebody: {}; `virtwarden enable` repairs it", step.change))
        }
    }
}

fn bypass(host: &Host<'_>) -> Result<Vec<String>, Trouble> {
    let mut found = examine::listeners(host)?;
    found.extend(examine::upstream(host)?);
    found.extend(examine::polkit_order(host));
    let mut wrong = problems(found);
    wrong.extend(connections::remote(host)?.into_iter().map(|who| format!("{who} listens on the network")));
    Ok(wrong)
}

fn administrator(host: &Host<'_>) -> Result<Vec<String>, Trouble> {
    let nobody = administrators::present(host)?.is_empty();
    Ok(if nobody { vec!["nobody but root is an Administrator".to_owned()] } else { Vec::new() })
}

/// An Administrator may be in such a group: he has everything that it gives.
fn strong_group(host: &Host<'_>, group: &'static str, reach: &str) -> Look {
    let people = accounts::people(host, group).and_then(|people| {
        let administrators = administrators::present(host)?;
        Ok(people.difference(&administrators).cloned().collect::<Vec<_>>())
    });
    let wrong = people.map(|people| {
        people.iter().map(|name| format!("{name} is in group {group} and {reach}")).collect::<Vec<_>>()
    });
    look(About::StrongGroup(group), format!("Nobody but Administrators is in group {group}."), wrong)
}

fn problems(found: Vec<Finding>) -> Vec<String> {
    let problems = found.into_iter().filter(|finding| finding.severity == Severity::Problem);
    problems.map(|finding| format!("{}; {}", finding.what, finding.remedy)).collect()
}

fn look(
    about: About,
    what: impl Into<String>,
    wrong: Result<impl IntoIterator<Item = String>, Trouble>,
) -> Look {
    let wrong = match wrong {
        Ok(wrong) => wrong.into_iter().collect(),
        Err(trouble) => vec![format!("nobody can tell: {trouble}")],
    };
    Look { about, what: what.into(), wrong }
}
