// SPDX-License-Identifier: Apache-2.0
//! Where the trail takes its time from.

use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use virtwarden_core::object::Uuid;
use virtwarden_core::trail::line::Stamp;
use virtwarden_core::trail::time::Time;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A source of moments. Tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Stamp;
}

/// The host's clocks.
#[derive(Debug)]
pub struct HostClock {
    boot: Uuid,
}

impl HostClock {
    /// Reads which boot this is.
    ///
    /// # Errors
    /// If the kernel does not say.
    pub fn new() -> io::Result<Self> {
        let text = std::fs::read_to_string(BOOT_ID)?;
        let boot = Uuid::parse(text.trim()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { boot })
    }
}

impl Clock for HostClock {
    fn now(&self) -> Stamp {
        Stamp {
            time: Time::from_micros(micros(ClockId::CLOCK_REALTIME)),
            boot: self.boot,
            up: micros(ClockId::CLOCK_BOOTTIME),
        }
    }
}

/// Neither clock can fail on Linux; one that did would read as zero, which the chain's order outlives.
fn micros(clock: ClockId) -> u64 {
    let time = clock_gettime(clock).map(Duration::from).unwrap_or_default();
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
