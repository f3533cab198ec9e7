// SPDX-License-Identifier: Apache-2.0
//! `sharing list`, `allow` and `deny`: which channels are open between VMs. Row 8 of Table 3.

use std::time::UNIX_EPOCH;

use virtwarden_core::control::{
    Change, Failure, Mode, OpeningRow, Presence, Reply, Request, SharingRequest, SharingRows,
};
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::sharing::{Channel, Opening, Party};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;

use super::failure::{denied, failed, not_found, unavailable, usage};
use super::{Control, needs};
use crate::sharing::Declaration;

/// The two ends as they were typed, and why.
struct Wish<'a> {
    channel: Channel,
    ends: (&'a str, &'a str),
    reason: &'a str,
    mode: Mode,
}

/// An end of a channel that was found.
struct End {
    party: Party,
    /// As people read it.
    name: String,
}

/// Which way a channel changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Open,
    Closed,
}

impl Control {
    /// Answers what is asked about channels.
    pub(super) fn sharing(
        &self,
        subject: &Subject,
        request: &Request,
        asked: &SharingRequest,
    ) -> Result<Reply, Failure> {
        match asked {
            SharingRequest::List => self.sharing_list(subject, request),
            SharingRequest::Allow { channel, one, other, reason, mode } => {
                let wish = Wish { channel: *channel, ends: (one, other), reason, mode: *mode };
                self.sharing_change(subject, request, &wish, Turn::Open)
            }
            SharingRequest::Deny { channel, one, other, reason, mode } => {
                let wish = Wish { channel: *channel, ends: (one, other), reason, mode: *mode };
                self.sharing_change(subject, request, &wish, Turn::Closed)
            }
        }
    }

    fn sharing_list(&self, subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let rows = self.sharing_rows(subject);
        match rows {
            Ok(rows) => {
                attempt.finish(Outcome::Success, "");
                Ok(Reply::Sharing(rows))
            }
            Err(failure) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    fn sharing_rows(&self, subject: &Subject) -> Result<SharingRows, Failure> {
        let declarations = self.monitor.sharing().declarations();
        let open = declarations.into_iter().map(|(opening, declaration)| {
            let [one, other] = opening.parties().map(|party| self.spelled(party));
            let Declaration { by, at, reason } = declaration;
            OpeningRow { channel: opening.channel, one, other, by, at, reason }
        });
        Ok(SharingRows { open: open.collect(), beyond: self.beyond(subject)? })
    }

    /// Opens or closes a channel. Whoever may not gets the same answer whether its ends exist or not.
    fn sharing_change(
        &self,
        subject: &Subject,
        request: &Request,
        wish: &Wish<'_>,
        turn: Turn,
    ) -> Result<Reply, Failure> {
        let (one, other) = wish.ends;
        let found = self.end(subject, one, turn).and_then(|one| Ok((one, self.end(subject, other, turn)?)));
        let named = found.iter().flat_map(|(one, other)| [one, other]).filter_map(|end| self.object_of(end));
        let objects = self.seen(subject, request, named.collect());
        let prefix = if wish.mode == Mode::DryRun { "dry run: " } else { "" };
        let because =
            if wish.reason.is_empty() { String::new() } else { format!(", because: {}", wish.reason) };
        let detail = format!("{prefix}{} between {one} and {other}{because}", wish.channel);
        let attempt = self.begin_on_all(subject, request, &detail, &objects)?;
        let made = found.and_then(|(one, other)| self.make(subject, wish, turn, (one, other)));
        match made {
            Ok(differences) => {
                attempt.finish(Outcome::Success, &format!("{prefix}{}", differences.join(", ")));
                Ok(Reply::Changed(Change { mode: wish.mode, differences }))
            }
            Err(failure) => {
                attempt.finish(Outcome::Failure, &failure.message);
                Err(failure)
            }
        }
    }

    /// What the attempt is about. Whoever may open no channel at all hears nothing of what he does not see.
    fn seen(&self, subject: &Subject, request: &Request, mut objects: Vec<Object>) -> Vec<Object> {
        if !self.monitor.would_allow(subject, &needs(request, &Object::Host)) {
            let policy = self.monitor.policy();
            let standing = policy.policy.standing(subject);
            objects.retain(|object| standing.sees(object));
        }
        if objects.is_empty() { vec![Object::Host] } else { objects }
    }

    fn make(
        &self,
        subject: &Subject,
        wish: &Wish<'_>,
        turn: Turn,
        (one, other): (End, End),
    ) -> Result<Vec<String>, Failure> {
        if one.party == other.party && !matches!(one.party, Party::InformationDomain(_)) {
            return Err(usage("a channel has two ends; name two VMs, or a VM and `host`"));
        }
        let words = format!("{} between {} and {}", wish.channel, one.name, other.name);
        let opening = Opening::new(wish.channel, one.party, other.party);
        if turn == Turn::Open {
            self.insist_on_ordinary(&opening)?;
        }
        let is_open = self.monitor.sharing().declarations().contains_key(&opening);
        let (line, kept) = match (turn, is_open, wish.mode) {
            (Turn::Open, true, _) | (Turn::Closed, false, _) => return Ok(Vec::new()),
            (Turn::Open, false, Mode::DryRun) => (format!("+{words}"), Ok(())),
            (Turn::Closed, true, Mode::DryRun) => (format!("-{words}"), Ok(())),
            (Turn::Open, false, Mode::Apply) => {
                (format!("+{words}"), self.monitor.sharing().allow(opening, self.declaration(subject, wish)))
            }
            (Turn::Closed, true, Mode::Apply) => (format!("-{words}"), self.monitor.sharing().deny(&opening)),
        };
        kept.map_err(|error| failed(error.to_string()))?;
        Ok(vec![line])
    }

    /// An opening for a sensitive VM would promise what holds for nobody.
    fn insist_on_ordinary(&self, opening: &Opening) -> Result<(), Failure> {
        let registry = self.monitor.registry();
        let sensitive = |vm: &Uuid| registry.vm(*vm).is_some_and(|vm| !vm.sensitivity.is_ordinary());
        if opening.vms().iter().any(sensitive) {
            return Err(denied(
                "access denied: the VM is sensitive and shares nothing; an Administrator may end that with \
                 `virtwarden vm sensitive VM off`",
            ));
        }
        Ok(())
    }

    fn declaration(&self, subject: &Subject, wish: &Wish<'_>) -> Declaration {
        let by = subject.login.as_ref().map_or(&subject.account, |login| &login.account).name.clone();
        let at = (self.clock)().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Declaration { by, at, reason: wish.reason.to_owned() }
    }

    /// What somebody typed for an end of a channel. An information domain that is gone can still be closed.
    fn end(&self, subject: &Subject, typed: &str, turn: Turn) -> Result<End, Failure> {
        if typed == "host" {
            return Ok(End { party: Party::Host, name: typed.to_owned() });
        }
        if let Some(name) = typed.strip_prefix('@') {
            let defined = self.monitor.policy().policy.information_domain(name).is_some();
            return if defined || turn == Turn::Closed {
                Ok(End { party: Party::InformationDomain(name.to_owned()), name: typed.to_owned() })
            } else {
                Err(not_found(format!("the policy defines no information domain `{name}`")))
            };
        }
        let row = self.find(subject, typed)?;
        match row.presence {
            Presence::Present => Ok(End { party: Party::Vm(row.uuid), name: row.name }),
            Presence::Missing => Err(unavailable(format!("libvirt does not have VM `{typed}` any more"))),
        }
    }

    fn object_of(&self, end: &End) -> Option<Object> {
        match &end.party {
            Party::Host => None,
            Party::InformationDomain(_) => Some(Object::Policy),
            Party::Vm(uuid) => Some(self.monitor.vm(*uuid, &end.name)),
        }
    }

    /// An end of a channel as it is typed.
    fn spelled(&self, party: &Party) -> String {
        match party {
            Party::Host => "host".to_owned(),
            Party::InformationDomain(name) => format!("@{name}"),
            Party::Vm(uuid) => {
                let entries = self.monitor.registry().entries();
                entries.get(uuid).map_or_else(|| uuid.to_string(), |entry| entry.name.clone())
            }
        }
    }
}
