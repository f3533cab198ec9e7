// SPDX-License-Identifier: Apache-2.0
//! `virtwarden enable`, `disable` and `doctor`: taking libvirt over, giving it back, and looking whether it holds.

mod accounts;
mod administrators;
mod before;
mod bundle;
mod change;
mod connections;
mod definitions;
mod disable;
mod enable;
mod examine;
mod finding;
mod host;
mod images;
mod journal;
mod library;
mod libvirt;
mod lock;
mod logins;
pub(crate) mod looks;
mod machine;
mod override_list;
mod own_daemons;
mod place;
pub(crate) mod plan;
mod programs;
mod settings;
mod setuid;
mod show;
mod stacks;
mod standing;
mod switch;
mod told;
mod trouble;
mod wall;

use std::io::{IsTerminal, Write, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;

pub(crate) use crate::takeover::place::has_access_list;

use crate::arguments::{DisableArguments, DoctorArguments, EnableArguments, TakeoverArguments};
use crate::exit::Failed;
use crate::takeover::enable::Enabled;
use crate::takeover::finding::{Finding, Severity};
use crate::takeover::host::{Host, Programs};
use crate::takeover::journal::Journal;
use crate::takeover::trouble::Trouble;

/// Puts Virtwarden in front of libvirt; 0: in service, 1: not.
pub(crate) fn enable(arguments: &EnableArguments) -> Result<ExitCode, Failed> {
    Ok(arguments.run(&Host::new("/", &Programs))?)
}

/// Gives libvirt back; 0: the host is as it was, 1: not.
pub(crate) fn disable(arguments: &DisableArguments) -> Result<ExitCode, Failed> {
    Ok(arguments.run(&Host::new("/", &Programs))?)
}

/// Looks for what is wrong; 0: the roles hold, 1: something must be done.
pub(crate) fn doctor(arguments: &DoctorArguments, socket: &Path) -> Result<ExitCode, Failed> {
    Ok(arguments.run(&Host::new("/", &Programs), socket)?)
}

impl EnableArguments {
    fn run(&self, host: &Host<'_>) -> Result<ExitCode, Trouble> {
        need_root()?;
        libvirt::check(host)?;
        administrators::check(host, &self.administrators)?;
        stacks::check(host)?;
        let steps = plan::draw(host, &self.administrators)?;
        if self.json {
            return print_json(&steps);
        }
        say(&show::plan(&steps));
        warn(host)?;
        if self.common.dry_run || !self.common.agreed("take libvirt over now?")? {
            return Ok(ExitCode::SUCCESS);
        }
        let _alone = lock::take(host)?;
        report(enable::enable(host, &steps)?)
    }
}

impl DisableArguments {
    fn run(&self, host: &Host<'_>) -> Result<ExitCode, Trouble> {
        need_root()?;
        let _alone = lock::take(host)?;
        let Some(mut journal) = Journal::load(host)? else {
            // The very first note may have been interrupted.
            Journal::remove(host)?;
            say("libvirt is not taken over: there is nothing to give back\n");
            return Ok(ExitCode::SUCCESS);
        };
        say(&show::giving_back(&journal));
        if self.common.dry_run || !self.common.agreed("give libvirt back now?")? {
            return Ok(ExitCode::SUCCESS);
        }
        disable::check(host, &journal)?;
        disable::give_back(host, &mut journal)?;
        say("libvirt is on its own sockets again, and the host is as it was\n");
        Ok(ExitCode::SUCCESS)
    }
}

impl DoctorArguments {
    fn run(&self, host: &Host<'_>, socket: &Path) -> Result<ExitCode, Trouble> {
        need_root()?;
        // Whatever keeps us from knowing what `enable` would do, the rest can be looked at.
        let (steps, unknown) = match plan::draw(host, &[]) {
            Ok(steps) => (steps, None),
            Err(trouble) => (Vec::new(), Some(unplanned(&trouble))),
        };
        let mut findings = examine::everything(host, &steps)?;
        findings.extend(unknown);
        if Journal::load(host)?.is_some() {
            findings.extend(told::look(socket));
        }
        if self.json {
            print_json(&findings)?;
        } else {
            say(&show::findings(&findings));
        }
        if let Some(path) = &self.bundle {
            let members = bundle::write(host, &findings, path)?;
            eprintln!("`{}` holds {}; read it before you hand it over", path.display(), members.join(", "));
        }
        let sick = findings.iter().any(|finding| finding.severity == Severity::Problem);
        Ok(if sick { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

fn unplanned(trouble: &Trouble) -> Finding {
    Finding::problem(
        format!("whether the takeover is whole cannot be told: {}", examine::first_line(trouble)),
        "`virtwarden enable --dry-run` says all of it",
    )
}

impl TakeoverArguments {
    /// Asks, where somebody can answer.
    fn agreed(&self, question: &str) -> Result<bool, Trouble> {
        if self.yes {
            return Ok(true);
        }
        if !stdin().is_terminal() {
            return Err(Trouble::Refused("nobody is here to be asked; say `--yes` to go on".into()));
        }
        say(&format!("{question} [y/N] "));
        let mut answer = String::new();
        stdin().read_line(&mut answer).map_err(Trouble::io("read the answer"))?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

/// Puts a file of root's in its place, or removes it.
pub(crate) fn put_in_place(path: &Path, text: Option<&str>) -> Result<(), Failed> {
    match text {
        Some(text) => Ok(place::write(path, text, 0o644, None)?),
        None => Ok(place::remove(path).and_then(|()| place::sync_parent(path))?),
    }
}

/// People whose groups are stronger than any role, one sentence each. Needs no rights.
pub(crate) fn dangerous_people() -> Result<Vec<String>, Failed> {
    let host = Host::new("/", &Programs);
    let mut found = accounts::too_strong(&host)?;
    found.extend(accounts::root_by_sudo(&host)?);
    Ok(found)
}

fn need_root() -> Result<(), Trouble> {
    if nix::unistd::geteuid().is_root() {
        Ok(())
    } else {
        Err(Trouble::Refused("only root can do this; use `sudo`".into()))
    }
}

/// What somebody should know before agreeing.
fn warn(host: &Host<'_>) -> Result<(), Trouble> {
    let vms = libvirt::running_vms(host);
    if !vms.is_empty() {
        say(&format!("running VMs keep running: {}\n", vms.join(", ")));
    }
    for client in connections::clients(host)? {
        say(&format!("warning: {client} is connected to libvirt and will be cut off\n"));
    }
    for daemon in own_daemons::running(host) {
        say(&format!("warning: {daemon} keeps running until its owner logs out\n"));
    }
    for strong in accounts::too_strong(host)? {
        say(&format!("warning: {strong}\n"));
    }
    for late in definitions::look(host) {
        say(&format!("warning: {}; {}\n", late.what, late.remedy));
    }
    Ok(())
}

fn report(enabled: Enabled) -> Result<ExitCode, Trouble> {
    match enabled {
        Enabled::Already => say("everything is in place already\n"),
        Enabled::Now => {
            say("libvirt is behind the monitor now; `virtwarden doctor` looks whether it holds\n")
        }
        Enabled::RolledBack(trouble) => {
            return Err(Trouble::Refused(format!("{trouble}; nothing was changed: the host is as it was")));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json<T: serde::Serialize>(value: &T) -> Result<ExitCode, Trouble> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Trouble::Refused(e.to_string()))?;
    say(&text);
    say("\n");
    Ok(ExitCode::SUCCESS)
}

/// A reader that went away is no reason to stop half way.
fn say(text: &str) {
    let _ = stdout().write_all(text.as_bytes());
    let _ = stdout().flush();
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::error(trouble.to_string())
    }
}

#[cfg(test)]
mod tests;
