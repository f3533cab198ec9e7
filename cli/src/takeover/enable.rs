// SPDX-License-Identifier: Apache-2.0
//! Taking libvirt over, step by step, each noted before it is made.

use crate::takeover::disable;
use crate::takeover::examine;
use crate::takeover::host::Host;
use crate::takeover::journal::{Journal, Phase};
use crate::takeover::libvirt;
use crate::takeover::plan::Step;
use crate::takeover::settings;
use crate::takeover::standing::Standing;
use crate::takeover::switch;
use crate::takeover::trouble::Trouble;
use crate::takeover::wall;

/// How it ended.
#[derive(Debug)]
pub(crate) enum Enabled {
    /// Everything was in place and running already.
    Already,
    /// Done and verified.
    Now,
    /// Something failed, and the host is as it was.
    RolledBack(Trouble),
}

/// Makes every step that is not in place, then moves the running host over and verifies.
///
/// # Errors
/// When something failed and the host could not be given back either; `virtwarden disable` tries again.
pub(crate) fn enable(host: &Host<'_>, steps: &[Step]) -> Result<Enabled, Trouble> {
    let journal = Journal::load(host)?;
    if is_complete(host, journal.as_ref(), steps)? {
        return Ok(Enabled::Already);
    }
    let in_service = journal.as_ref().is_some_and(|journal| journal.phase == Phase::Enabled);
    let mut journal = match journal {
        Some(journal) => journal,
        None => Journal::begin(libvirt::running(host)?),
    };
    match take_over(host, &mut journal, steps) {
        Ok(()) => Ok(Enabled::Now),
        // A host that was in service before keeps its doors closed, even if that means no management.
        Err(trouble) if in_service => Err(trouble),
        Err(trouble) => match disable::give_back(host, &mut journal) {
            Ok(()) => Ok(Enabled::RolledBack(trouble)),
            Err(second) => Err(Trouble::Refused(format!(
                "{trouble}; giving back failed as well: {second}; `virtwarden disable` tries again"
            ))),
        },
    }
}

fn is_complete(host: &Host<'_>, journal: Option<&Journal>, steps: &[Step]) -> Result<bool, Trouble> {
    let made = journal.is_some_and(|journal| journal.phase == Phase::Enabled)
        && steps.iter().all(|step| step.standing == Standing::InPlace);
    Ok(made && (!switch::is_live(host) || examine::is_in_service(host)?))
}

fn make(host: &Host<'_>, journal: &mut Journal, steps: &[&Step]) -> Result<(), Trouble> {
    for step in steps {
        journal.note(host, &step.change)?;
        step.change.make(host)?;
    }
    Ok(())
}

fn take_over(host: &Host<'_>, journal: &mut Journal, steps: &[Step]) -> Result<(), Trouble> {
    let was_enabled = journal.phase == Phase::Enabled;
    let units_change =
        steps.iter().any(|step| step.standing != Standing::InPlace && step.change.is_for_units());
    journal.phase = Phase::Enabling;
    journal.save(host)?;
    let (logins, others): (Vec<&Step>, Vec<&Step>) = steps
        .iter()
        .filter(|step| step.standing != Standing::InPlace)
        .partition(|step| step.change.is_for_logins());
    make(host, journal, &others)?;
    if switch::is_live(host) {
        switch::refresh_rules(host);
        wall::raise(host)?;
        if !was_enabled || units_change || !examine::is_in_service(host)? {
            switch::stop(host)?;
            switch::to_gate(host, &journal.running)?;
        }
        examine::verify(host)?;
    }
    settings::put_into_force(host)?;
    // Login programs ask only where somebody answers.
    make(host, journal, &logins)?;
    journal.phase = Phase::Enabled;
    journal.save(host)
}
