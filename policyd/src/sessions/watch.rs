// SPDX-License-Identifier: Apache-2.0
//! The thread that notices what nobody tells: leaders that are gone, time that is over, sessions nobody uses.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use virtwarden_core::control::{Order, Report};
use virtwarden_core::record::Outcome;
use virtwarden_core::setting::IdleLimit;

use super::idle::{quiet, unused};
use super::records::event;
use super::table::{Over, Session};
use super::terminals::last_input;
use super::{Bell, Sessions, seconds};
use crate::settings::Settings;

/// How often idle sessions are looked for.
const LOOK: Duration = Duration::from_secs(10);

impl Sessions {
    /// Begins to notice, and to ring a bell whenever somebody may have lost a right.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn watch(self: &Arc<Self>, settings: Arc<Settings>, bell: Bell) -> std::io::Result<()> {
        let _once = self.bell.set(bell);
        let sessions = self.clone();
        let watch = move || {
            let _alive = Indispensable;
            loop {
                sessions.notice(&settings);
            }
        };
        thread::Builder::new().name("sessions".to_owned()).spawn(watch).map(drop)
    }

    fn notice(self: &Arc<Self>, settings: &Arc<Settings>) {
        let gone = self.leaders.wait(self.patience(SystemTime::now()));
        let now = SystemTime::now();
        for id in gone {
            self.close(id, Over::Gone, now);
        }
        self.pass(now);
        for session in self.end_idle(settings.remote_timeout().idle, now) {
            self.order_end(settings, session);
        }
    }

    /// Until when nothing happens by itself.
    fn patience(&self, now: SystemTime) -> Duration {
        let expiry = self.table().next_expiry().map(|until| until.saturating_sub(seconds(now)));
        // A second is not too long for one that has begun already.
        expiry.map_or(LOOK, |left| LOOK.min(Duration::from_secs(left.max(1))))
    }

    /// What time alone brings.
    pub(super) fn pass(&self, now: SystemTime) {
        for id in self.table().expired(seconds(now)) {
            self.lower(id, "its time is over");
        }
        let stale = self.table().stale(seconds(now));
        if !stale.is_empty() {
            self.change(|table, _| stale.iter().for_each(|id| drop(table.sessions.remove(id))));
            self.activity().retain(|id, _| !stale.contains(id));
        }
    }

    /// Ends the sessions that nobody has used for too long. Processes are looked at only if there may be one.
    pub(super) fn end_idle(&self, limit: IdleLimit, now: SystemTime) -> Vec<Arc<Session>> {
        let IdleLimit::After(limit) = limit else { return Vec::new() };
        let quiet = quiet(&self.table(), &self.activity(), limit, seconds(now));
        if quiet.is_empty() {
            return Vec::new();
        }
        let unused = unused(&quiet, &last_input(&quiet), limit, seconds(now));
        unused.into_iter().filter_map(|id| self.close(id, Over::Idle, now)).collect()
    }

    /// Root's part ends the session's processes, which may take a while. That they are nobody's already does
    /// not depend on it.
    pub fn order_end_of(self: &Arc<Self>, settings: &Arc<Settings>, id: u32) {
        if let Some(session) = self.table().sessions.get(&id) {
            self.order_end(settings, session.clone());
        }
    }

    fn order_end(self: &Arc<Self>, settings: &Arc<Settings>, session: Arc<Session>) {
        let (sessions, settings) = (self.clone(), settings.clone());
        let give = move || {
            let order = Order::EndSession { session: session.id, leader: session.leader.pid };
            let trouble = match settings.components().order(&order) {
                Ok(Report::Done(_) | Report::Drift(_)) => return,
                Ok(Report::Failed(why)) => why,
                Err(silence) => silence.to_string(),
            };
            let detail = format!("its processes may still run: {trouble}");
            sessions.ledger.note(event("session end", &session, Outcome::Failure, detail));
        };
        if let Err(error) = thread::Builder::new().name("end-session".to_owned()).spawn(give) {
            eprintln!("virtwarden-policyd: nobody ends the processes of an ended session: {error}");
        }
    }
}

/// Without the one that notices, sessions would never end: then all must. systemd starts policyd anew.
struct Indispensable;

impl Drop for Indispensable {
    fn drop(&mut self) {
        eprintln!("virtwarden-policyd: nobody watches the login sessions any more");
        std::process::exit(1);
    }
}
