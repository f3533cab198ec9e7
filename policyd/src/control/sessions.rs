// SPDX-License-Identifier: Apache-2.0
//! What the command asks about login sessions.

use std::time::SystemTime;

use virtwarden_core::authentication::Authentication;
use virtwarden_core::control::{Change, Elevation, Failure, Mode, Reply, Request, SessionRow};
use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::policy::settings::Activation;
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;
use virtwarden_core::table3::Column;

use super::Control;
use super::failure::{denied, failed, not_found, usage};
use crate::monitor::Attempt;

impl Control {
    /// The sessions of the asker's account, or all for who administers.
    pub(super) fn session_list(&self, subject: &Subject) -> Reply {
        let rows = self.monitor.sessions().rows();
        let all = self.administers(subject);
        Reply::Sessions(rows.into_iter().filter(|row| all || row.account == subject.account).collect())
    }

    /// One session. Somebody else's is answered like one that does not exist.
    pub(super) fn session_show(&self, subject: &Subject, session: Option<u32>) -> Result<Reply, Failure> {
        let Some(id) = session else {
            return self.own_session(subject).map(|row| Reply::Sessions(vec![row]));
        };
        let row =
            self.session_row(id).filter(|row| row.account == subject.account || self.administers(subject));
        row.map(|row| Reply::Sessions(vec![row])).ok_or_else(|| no_session(id))
    }

    /// Ends a session: at once for what is decided here, and its processes by root's part.
    pub(super) fn session_end(
        &self,
        subject: &Subject,
        request: &Request,
        id: u32,
        mode: Mode,
        now: SystemTime,
    ) -> Result<Reply, Failure> {
        let row = self.session_row(id);
        let attempt = match &row {
            Some(row) if row.account == subject.account => None,
            Some(_) | None => Some(self.begin_to_end(subject, request, id)?),
        };
        let ended = row.filter(|row| row.until.is_none()).ok_or_else(|| no_session(id)).and_then(|row| {
            let difference = format!("-session {id} of {} ({})", row.account.name, row.origin);
            match mode {
                Mode::DryRun => Ok(difference),
                Mode::Apply => self.end_now(id, now).map(|()| difference),
            }
        });
        let (outcome, detail) = match &ended {
            Ok(difference) => (Outcome::Success, difference.as_str()),
            Err(failure) => (Outcome::Failure, failure.message.as_str()),
        };
        attempt.into_iter().for_each(|attempt| attempt.finish(outcome, detail));
        ended.map(|difference| Reply::Changed(Change { mode, differences: vec![difference] }))
    }

    /// Somebody else's session, or none: the same answer to who may not.
    fn begin_to_end(&self, subject: &Subject, request: &Request, id: u32) -> Result<Attempt, Failure> {
        let needs = vec![administer()];
        let (operation, detail) = (request.operation(), format!("session {id}"));
        let judged = self.monitor.judge_in_detail(subject, operation, &detail, needs.clone());
        judged.map_err(|_refused| denied(self.why_not(subject, &needs)))
    }

    fn end_now(&self, id: u32, now: SystemTime) -> Result<(), Failure> {
        let sessions = self.monitor.sessions();
        sessions.end_for(id, now).ok_or_else(|| failed(format!("session {id} has just ended by itself")))?;
        sessions.order_end_of(&self.settings, id);
        Ok(())
    }

    /// Begins to raise the asker's session: root's helper must see him authenticate.
    pub(super) fn session_elevate(&self, subject: &Subject, now: SystemTime) -> Result<Reply, Failure> {
        let policy = self.monitor.policy();
        let rules = policy.policy.session();
        if rules.activation == Activation::Login {
            return Err(usage(
                "sessions are not raised here: an Administrator's roles count from the login on",
            ));
        }
        let (held, withheld) = (policy.policy.roles(subject), policy.policy.withheld(subject));
        if !held.iter().chain(&withheld).any(|role| role.column == Column::Administrator) {
            let name = &subject.account.name;
            return Err(denied(format!(
                "access denied: {name} holds no role that counts in a raised session only"
            )));
        }
        let sessions = self.monitor.sessions();
        let ticket = sessions
            .wish_to_raise(&subject.account, subject.login.as_ref(), now)
            .map_err(|absence| denied(format!("access denied: {}", absence.advice())))?;
        let banner = self.settings.banner();
        Ok(Reply::Elevation(Elevation {
            ticket: ticket.0,
            banner: banner.text,
            acknowledgement: banner.acknowledgement,
            seconds: rules.raised,
        }))
    }

    /// Ends that before its time.
    pub(super) fn session_lower(&self, subject: &Subject) -> Result<Reply, Failure> {
        let id = self.own_session(subject)?.id;
        if !self.monitor.sessions().lower(id, "by who is in it") {
            return Err(usage("this session is not raised"));
        }
        Ok(changed(format!("-session {id} raised")))
    }

    /// The person in the asker's session accepts the banner.
    pub(super) fn banner_accept(&self, subject: &Subject) -> Result<Reply, Failure> {
        let row = self.own_session(subject)?;
        if self.settings.banner().text.is_none() {
            return Err(usage("there is no banner to accept"));
        }
        if !self.monitor.sessions().accept_banner(row.id) {
            return Err(not_found("the login session of this process is over; log in again"));
        }
        Ok(changed(format!("+banner accepted in session {}", row.id)))
    }

    /// The session that the asker's process runs in, if it is his own; root is whoever's session he is in.
    fn own_session(&self, subject: &Subject) -> Result<SessionRow, Failure> {
        let row = subject.login.as_ref().and_then(|login| self.session_row(login.session));
        let own = row.filter(|row| row.account == subject.account || subject.account.uid == 0);
        own.ok_or_else(|| match &subject.authentication {
            Authentication::Nobody(absence) => not_found(absence.advice()),
            Authentication::Person(_) => {
                not_found("the login session of this process is not known; log in again")
            }
        })
    }

    fn session_row(&self, id: u32) -> Option<SessionRow> {
        self.monitor.sessions().rows().into_iter().find(|row| row.id == id)
    }

    fn administers(&self, subject: &Subject) -> bool {
        self.monitor.would_allow(subject, &[administer()])
    }
}

fn administer() -> Need {
    Need { right: Right::Administer, object: Object::Host }
}

fn changed(difference: String) -> Reply {
    Reply::Changed(Change { mode: Mode::Apply, differences: vec![difference] })
}

fn no_session(id: u32) -> Failure {
    not_found(format!("there is no open login session {id}; `virtwarden session list` shows them"))
}
