// SPDX-License-Identifier: Apache-2.0
//! Giving libvirt back: everything the journal knows, in reverse.

use crate::takeover::host::Host;
use crate::takeover::journal::{Entry, Journal, Phase};
use crate::takeover::library;
use crate::takeover::settings;
use crate::takeover::stacks;
use crate::takeover::switch;
use crate::takeover::trouble::Trouble;
use crate::takeover::wall;

/// Makes sure that no login asks for the monitor once it is gone: lines that the takeover has not written it
/// cannot take out.
pub(crate) fn check(host: &Host<'_>, journal: &Journal) -> Result<(), Trouble> {
    if journal.entries.iter().any(|entry| entry.change.is_for_logins()) {
        return Ok(());
    }
    stacks::check_withdrawn(host)
}

/// Puts everything back as it was and forgets the takeover. Can be interrupted and run again.
pub(crate) fn give_back(host: &Host<'_>, journal: &mut Journal) -> Result<(), Trouble> {
    journal.phase = Phase::Disabling;
    journal.save(host)?;
    let (logins, others): (Vec<&Entry>, Vec<&Entry>) =
        journal.entries.iter().rev().partition(|entry| entry.change.is_for_logins());
    // Nobody is asked any more before nobody answers.
    restore(host, &logins)?;
    settings::withdraw(host)?;
    let live = switch::is_live(host);
    if live {
        library::hide(host);
        switch::stop(host)?;
        // The monitor may have ordered something between the two.
        settings::withdraw(host)?;
    }
    restore(host, &others)?;
    if live {
        switch::refresh_rules(host);
        switch::to_libvirt(host, &journal.running)?;
        wall::lower(host)?;
    }
    Journal::remove(host)
}

fn restore(host: &Host<'_>, entries: &[&Entry]) -> Result<(), Trouble> {
    entries.iter().try_for_each(|entry| entry.restore(host))
}
