// SPDX-License-Identifier: Apache-2.0
//! Asks another policy what is on record: each attempt and each denial of the trail, with the rights it needed.
//!
//! People, groups and whose VM is whose are taken as they are now. What the policy's rules say of definitions and media
//! is not asked again: the trail does not keep definitions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use virtwarden_core::authentication::{Absence, Authentication};
use virtwarden_core::control::{Simulation, SimulationRow, Verdict};
use virtwarden_core::object::Object;
use virtwarden_core::policy::Policy;
use virtwarden_core::policy::decision::Decision;
use virtwarden_core::policy::request::{Need, Request};
use virtwarden_core::record::{Actor, Event, Kind, Target};
use virtwarden_core::subject::Subject;

use super::Control;
use super::archive::{Flow, Reader, Record};
use crate::policies::InForce;

/// The most kinds of requests that are told apart.
const MOST: usize = 2_000;

/// Verdict, person, right, object.
type Key = (bool, String, String, String);

/// Why something on record is not asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LeftOut {
    NoRights,
    Gone,
    TooMany,
    OtherRule,
    Excess,
}

impl LeftOut {
    const fn words(self) -> &'static str {
        match self {
            LeftOut::NoRights => {
                "the record does not say which rights were needed (malformed, or of an older version)"
            }
            LeftOut::Gone => "the account is not there any more",
            LeftOut::TooMany => "the record names only a part of many objects",
            LeftOut::OtherRule => {
                "refused by a rule on definitions, media or information domains, or allowed since: the roles allow it"
            }
            LeftOut::Excess => "more kinds of requests than are told apart",
        }
    }
}

/// A replay under way.
pub(super) struct Replay<'a> {
    control: &'a Control,
    candidate: &'a Policy,
    current: Arc<InForce>,
    since: u64,
    now: Instant,
    asked: u64,
    alike: u64,
    rows: BTreeMap<Key, SimulationRow>,
    left_out: BTreeMap<LeftOut, u64>,
}

impl<'a> Replay<'a> {
    pub(super) fn of(control: &'a Control, candidate: &'a Policy, since: u64, now: Instant) -> Self {
        let (rows, left_out) = (BTreeMap::new(), BTreeMap::new());
        let current = control.monitor.policy();
        Self { control, candidate, current, since, now, asked: 0, alike: 0, rows, left_out }
    }

    /// What came of it, the most frequent first.
    pub(super) fn conclude(self) -> Simulation {
        let mut rows: Vec<_> = self.rows.into_values().collect();
        rows.sort_by_key(|row| (row.verdict == Verdict::Allowed, std::cmp::Reverse(row.count)));
        let left_out =
            self.left_out.into_iter().map(|(why, count)| (why.words().to_owned(), count)).collect();
        Simulation { asked: self.asked, alike: self.alike, rows, left_out }
    }

    fn ask_again(&mut self, record: &Record<'_>, actor: &Actor) -> Result<(), LeftOut> {
        let event = record.event;
        let (needs, subject) = (self.needs(event)?, self.subject(actor)?);
        let weight = event.count.unwrap_or(1);
        let request = Request { subject: &subject, needs: &needs };
        let was_allowed = event.kind == Kind::Attempt;
        let answer = match (self.candidate.decide(&request), was_allowed) {
            (Decision::Allow(_), true) | (Decision::Deny(_), false) => None,
            (Decision::Deny(denial), true) => {
                Some((Verdict::Denied, denial.need.clone(), denial.message(&subject)))
            }
            (Decision::Allow(_), false) => match self.current.policy.decide(&request) {
                Decision::Allow(_) => return Err(LeftOut::OtherRule),
                Decision::Deny(denial) => Some((Verdict::Allowed, denial.need, String::new())),
            },
        };
        self.asked = self.asked.saturating_add(weight);
        match answer {
            None => self.alike = self.alike.saturating_add(weight),
            Some((verdict, need, reason)) => {
                self.count(record, &subject, (verdict, &need, reason), weight)?
            }
        }
        Ok(())
    }

    fn count(
        &mut self,
        record: &Record<'_>,
        subject: &Subject,
        (verdict, need, reason): (Verdict, &Need, String),
        weight: u64,
    ) -> Result<(), LeftOut> {
        let (person, right) = (subject.person().to_owned(), need.right.word().to_owned());
        let object = need.object.to_string();
        let key = (verdict == Verdict::Allowed, person.clone(), right.clone(), object.clone());
        if self.rows.len() >= MOST && !self.rows.contains_key(&key) {
            return Err(LeftOut::Excess);
        }
        let row = self.rows.entry(key).or_insert_with(|| SimulationRow {
            verdict,
            person,
            right,
            object,
            count: 0,
            example: record.sequence,
            operation: record.event.operation.clone(),
            reason,
        });
        row.count = row.count.saturating_add(weight);
        Ok(())
    }

    fn needs(&self, event: &Event) -> Result<Vec<Need>, LeftOut> {
        let mut needs = Vec::new();
        for target in &event.targets {
            if target.kind == "more" {
                return Err(LeftOut::TooMany);
            }
            let object = self.object(target).ok_or(LeftOut::NoRights)?;
            needs.extend(target.rights.iter().map(|right| Need { right: *right, object: object.clone() }));
        }
        if needs.is_empty() { Err(LeftOut::NoRights) } else { Ok(needs) }
    }

    fn object(&self, target: &Target) -> Option<Object> {
        let name = target.name.clone().unwrap_or_default();
        Some(match target.kind.as_str() {
            "host" => Object::Host,
            "vm" => self.control.monitor.vm(target.uuid?, &name),
            "network" => Object::Network(name),
            "network-filter" => Object::NetworkFilter(name),
            "pool" => Object::Pool(name),
            "volume" => {
                let (pool, name) = name.split_once('/')?;
                Object::Volume { pool: pool.to_owned(), name: name.to_owned() }
            }
            "interface" => Object::Interface(name),
            "device" => Object::Device(name),
            "medium" => Object::Medium(name),
            "secret" => Object::Secret(target.uuid?),
            "setting" => Object::Setting(name),
            "own-setting" => Object::OwnSetting(name),
            "policy" => Object::Policy,
            "trail" => Object::Trail,
            _ => return None,
        })
    }

    /// Who asked, with the groups that the account has now.
    fn subject(&self, actor: &Actor) -> Result<Subject, LeftOut> {
        let known = self.control.accounts.of_uid(actor.account.uid, self.now);
        let known = known.filter(|known| known.account == actor.account).ok_or(LeftOut::Gone)?;
        let authentication = match &actor.authenticated {
            Some(authenticated) => Authentication::Person(authenticated.clone()),
            None => Authentication::Nobody(Absence::NoSession),
        };
        Ok(Subject {
            account: actor.account.clone(),
            groups: known.groups.clone(),
            login: actor.login.clone(),
            authentication,
            process: actor.process,
            door: actor.door,
        })
    }
}

impl Reader for Replay<'_> {
    fn take(&mut self, record: &Record<'_>) -> Flow {
        let asks = match record.event.kind {
            Kind::Attempt | Kind::Denial | Kind::Repeated => true,
            Kind::Outcome
            | Kind::Connection
            | Kind::Observation
            | Kind::Trail
            | Kind::Change
            | Kind::Login => false,
        };
        if let (true, Some(actor)) = (asks && record.time >= self.since, &record.event.actor)
            && let Err(why) = self.ask_again(record, actor)
        {
            *self.left_out.entry(why).or_default() += record.event.count.unwrap_or(1);
        }
        Flow::Continue
    }

    fn wait(&mut self) -> Flow {
        Flow::Stop
    }
}
