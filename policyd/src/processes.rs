// SPDX-License-Identifier: Apache-2.0
//! Processes whose end matters. A number can be given to another process; a descriptor cannot.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use virtwarden_core::subject::Process;

use crate::gate::wake::Wake;
use crate::peer::start_time;

/// How long to wait when the host is out of memory; the next round asks again.
const BREATH: Duration = Duration::from_millis(100);

/// Those that are watched, each under a key.
#[derive(Debug)]
pub(crate) struct Processes<K> {
    held: Mutex<BTreeMap<K, Arc<OwnedFd>>>,
    bell: Wake,
}

impl<K: Copy + Ord> Processes<K> {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { held: Mutex::default(), bell: Wake::new()? })
    }

    /// Watches a process from now on.
    ///
    /// # Errors
    /// It is gone already, or no descriptor is left.
    pub(crate) fn watch(&self, key: K, process: Process) -> Result<(), String> {
        let descriptor = descriptor_of(process)?;
        self.held().insert(key, Arc::new(descriptor));
        self.bell.ring();
        Ok(())
    }

    /// Ends the wait, because what is waited for has changed.
    pub(crate) fn wake(&self) {
        self.bell.ring();
    }

    pub(crate) fn forget(&self, key: K) {
        self.held().remove(&key);
    }

    /// Waits for a process to end, a new one, or time to pass. The keys of those that are gone.
    pub(crate) fn wait(&self, most: Duration) -> Vec<K> {
        let held: Vec<_> = self.held().iter().map(|(key, process)| (*key, process.clone())).collect();
        let mut waits = vec![PollFd::new(&self.bell, PollFlags::IN)];
        waits.extend(held.iter().map(|(_, process)| PollFd::new(&**process, PollFlags::IN)));
        match poll(&mut waits, Timespec::try_from(most).ok().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => std::thread::sleep(BREATH),
        }
        self.bell.silence();
        let ended = held.iter().zip(waits.iter().skip(1)).filter(|(_, wait)| !wait.revents().is_empty());
        ended.map(|((key, _), _)| *key).collect()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<K, Arc<OwnedFd>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The start time is read after the descriptor is open, so that both are of one process.
fn descriptor_of(process: Process) -> Result<OwnedFd, String> {
    let gone = || format!("the process {} is gone", process.pid);
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
    let descriptor = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| match error {
        rustix::io::Errno::SRCH => gone(),
        other => format!("the process {} cannot be watched: {other}", process.pid),
    })?;
    match start_time(process.pid) {
        Ok(start_time) if start_time == process.start_time => Ok(descriptor),
        Ok(_) | Err(_) => Err(gone()),
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    fn sleeper() -> (Child, Process) {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        (child, Process { pid, start_time: start_time(pid).unwrap() })
    }

    #[test]
    fn the_end_of_a_process_is_noticed_and_nobody_elses() {
        let processes = Processes::new().unwrap();
        let ((mut first, one), (mut second, two)) = (sleeper(), sleeper());
        processes.watch(1, one).unwrap();
        processes.watch(2, two).unwrap();
        assert_eq!(processes.wait(Duration::ZERO), [0; 0]);
        first.kill().unwrap();
        first.wait().unwrap();
        assert_eq!(processes.wait(Duration::from_secs(5)), [1]);
        processes.forget(1);
        assert_eq!(processes.wait(Duration::ZERO), [0; 0]);
        second.kill().unwrap();
        second.wait().unwrap();
    }

    #[test]
    fn a_number_that_belongs_to_another_process_now_is_not_taken() {
        let processes = Processes::new().unwrap();
        let (mut child, process) = sleeper();
        let earlier = Process { start_time: process.start_time - 1, ..process };
        assert!(processes.watch(1, earlier).unwrap_err().contains("is gone"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(processes.watch(1, process).unwrap_err().contains("is gone"));
        assert!(processes.watch(1, Process { pid: 0, start_time: 0 }).is_err());
    }
}
