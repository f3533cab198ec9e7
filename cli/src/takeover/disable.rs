// SPDX-License-Identifier: Apache-2.0
//! Giving libvirt back: everything the journal knows, in reverse.

use crate::takeover::before;
use crate::takeover::host::Host;
use crate::takeover::journal::{Journal, Phase};
use crate::takeover::switch;
use crate::takeover::trouble::Trouble;

/// Puts everything back as it was and forgets the takeover. Can be interrupted and run again.
pub(crate) fn give_back(host: &Host<'_>, journal: &mut Journal) -> Result<(), Trouble> {
    journal.phase = Phase::Disabling;
    journal.save(host)?;
    let live = switch::is_live(host);
    if live {
        switch::stop(host)?;
    }
    for entry in journal.entries.iter().rev() {
        before::restore(host, entry)?;
    }
    if live {
        switch::refresh_rules(host);
        switch::to_libvirt(host, &journal.running)?;
    }
    Journal::remove(host)
}
