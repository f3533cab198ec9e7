// SPDX-License-Identifier: Apache-2.0
//! The processes that lead sessions. A number can be given to another process; a descriptor cannot.

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

/// The leaders of open sessions, by audit session id.
#[derive(Debug)]
pub(super) struct Leaders {
    held: Mutex<BTreeMap<u32, Arc<OwnedFd>>>,
    bell: Wake,
}

impl Leaders {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { held: Mutex::default(), bell: Wake::new()? })
    }

    /// Watches a process from now on.
    ///
    /// # Errors
    /// It is gone already, or no descriptor is left.
    pub(super) fn watch(&self, session: u32, leader: Process) -> Result<(), String> {
        let descriptor = descriptor_of(leader)?;
        self.held().insert(session, Arc::new(descriptor));
        self.bell.ring();
        Ok(())
    }

    /// Ends the wait, because what is waited for has changed.
    pub(super) fn wake(&self) {
        self.bell.ring();
    }

    pub(super) fn forget(&self, session: u32) {
        self.held().remove(&session);
    }

    /// Waits for a leader to end, a new one, or time to pass. The sessions whose leaders are gone.
    pub(super) fn wait(&self, most: Duration) -> Vec<u32> {
        let held: Vec<_> = self.held().iter().map(|(session, leader)| (*session, leader.clone())).collect();
        let mut waits = vec![PollFd::new(&self.bell, PollFlags::IN)];
        waits.extend(held.iter().map(|(_, leader)| PollFd::new(&**leader, PollFlags::IN)));
        match poll(&mut waits, Timespec::try_from(most).ok().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => std::thread::sleep(BREATH),
        }
        self.bell.silence();
        let ended = held.iter().zip(waits.iter().skip(1)).filter(|(_, wait)| !wait.revents().is_empty());
        ended.map(|((session, _), _)| *session).collect()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<OwnedFd>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The start time is read after the descriptor is open, so that both are of one process.
fn descriptor_of(leader: Process) -> Result<OwnedFd, String> {
    let gone = || format!("the process {} that leads the session is gone", leader.pid);
    let pid = i32::try_from(leader.pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
    let descriptor = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| match error {
        rustix::io::Errno::SRCH => gone(),
        other => format!("the process {} cannot be watched: {other}", leader.pid),
    })?;
    match start_time(leader.pid) {
        Ok(start_time) if start_time == leader.start_time => Ok(descriptor),
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
    fn the_end_of_a_leader_is_noticed_and_nobody_elses() {
        let leaders = Leaders::new().unwrap();
        let ((mut first, one), (mut second, two)) = (sleeper(), sleeper());
        leaders.watch(1, one).unwrap();
        leaders.watch(2, two).unwrap();
        assert_eq!(leaders.wait(Duration::ZERO), [0; 0]);
        first.kill().unwrap();
        first.wait().unwrap();
        assert_eq!(leaders.wait(Duration::from_secs(5)), [1]);
        leaders.forget(1);
        assert_eq!(leaders.wait(Duration::ZERO), [0; 0]);
        second.kill().unwrap();
        second.wait().unwrap();
    }

    #[test]
    fn a_number_that_belongs_to_another_process_now_leads_nothing() {
        let leaders = Leaders::new().unwrap();
        let (mut child, process) = sleeper();
        let earlier = Process { start_time: process.start_time - 1, ..process };
        assert!(leaders.watch(1, earlier).unwrap_err().contains("is gone"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(leaders.watch(1, process).unwrap_err().contains("is gone"));
        assert!(leaders.watch(1, Process { pid: 0, start_time: 0 }).is_err());
    }
}
