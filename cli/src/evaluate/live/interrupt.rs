// SPDX-License-Identifier: Apache-2.0
//! Ctrl-C while accounts and VMs are on the host that nobody wants to keep: it is noted, and they are taken back first.

use std::cell::Cell;

use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::exit::Failed;

const HELD_BACK: [Signal; 4] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];

/// Signals that would end the evaluation, held back until this is dropped.
pub(super) struct Interrupt {
    arrivals: SignalFd,
    before: SigSet,
    arrived: Cell<bool>,
}

impl Interrupt {
    /// Holds them back from now on, also in threads that are started later. Programs that are run get none of it.
    pub(super) fn hold_back() -> Result<Self, Failed> {
        let trouble = |errno: nix::Error| Failed::error(format!("cannot hold signals back: {errno}"));
        let signals = HELD_BACK.into_iter().collect::<SigSet>();
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let arrivals = SignalFd::with_flags(&signals, flags).map_err(trouble)?;
        let before = signals.thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(trouble)?;
        Ok(Self { arrivals, before, arrived: Cell::new(false) })
    }

    /// Whether somebody wants it to end.
    pub(super) fn has_arrived(&self) -> bool {
        if !self.arrived.get() && matches!(self.arrivals.read_signal(), Ok(Some(_))) {
            self.arrived.set(true);
        }
        self.arrived.get()
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        // What arrived was obeyed: it is not delivered once more.
        while matches!(self.arrivals.read_signal(), Ok(Some(_))) {}
        let _ = self.before.thread_set_mask();
    }
}
