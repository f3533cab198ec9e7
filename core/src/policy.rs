// SPDX-License-Identifier: Apache-2.0
//! The policy: roles, what they may do on which objects, and the rules that bind everybody.
//!
//! A policy is loaded whole or not at all, is immutable afterwards, and answers every request:
//! what no rule allows is denied.

pub mod bounds;
pub mod channel;
mod contradictions;
pub mod decision;
pub mod difference;
pub mod explain;
pub mod fault;
pub mod hidden;
mod item;
mod media;
mod members;
pub mod message;
pub mod networks;
mod parse;
pub mod place;
pub mod quota;
pub mod request;
mod roles;
pub mod rule;
pub mod scope;
mod sections;
pub mod settings;
pub mod sharing;
mod spelling;
pub mod standing;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::media::Rules;
use crate::policy::decision::Decision;
use crate::policy::fault::PolicyError;
use crate::policy::hidden::Hidden;
use crate::policy::members::{Members, RoleSet};
pub use crate::policy::parse::LARGEST_FILE;
use crate::policy::quota::Allowance;
use crate::policy::request::{Request, Right};
use crate::policy::rule::{InformationDomain, Role};
use crate::policy::settings::{Audit, Gate, Media, Saved, Session, VmRules};
use crate::policy::standing::Standing;
use crate::subject::Subject;
use crate::table3::Function;

/// One policy file, already read. The caller resolves masking and sorts by name.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file's name, for messages.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// The loaded whole.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    roles: Vec<Role>,
    members: Members,
    information_domains: BTreeMap<String, InformationDomain>,
    vm: VmRules,
    media: Media,
    media_rules: Rules,
    saved: Saved,
    audit: Audit,
    gate: Gate,
    session: Session,
    hidden: Vec<Hidden>,
}

impl Policy {
    /// Loads a policy from its files, in the order of their names.
    ///
    /// # Errors
    /// Every mistake in any file, in the order of the files; then nothing is loaded.
    pub fn load(sources: &[Source<'_>]) -> Result<Self, Vec<PolicyError>> {
        let mut rules = parse::parse(sources);
        let mut errors = std::mem::take(&mut rules.errors);
        if errors.is_empty() {
            errors.extend(contradictions::find(&rules));
        }
        if errors.is_empty() { Ok(Self::index(rules)) } else { Err(errors) }
    }

    /// Answers a request. Total and pure; what no rule allows is denied.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        self.standing(request.subject).judge(request.needs)
    }

    /// What a subject stands for, to be asked many times.
    pub fn standing<'p, 's>(&'p self, subject: &'s Subject) -> Standing<'p, 's> {
        Standing { policy: self, subject, held: self.members.roles(subject) }
    }

    /// The roles that a subject holds and that count.
    pub fn roles(&self, subject: &Subject) -> Vec<&Role> {
        self.among(self.members.roles(subject).counted).collect()
    }

    /// The roles that a subject holds and that do not count, because no person stands behind it.
    pub fn withheld(&self, subject: &Subject) -> Vec<&Role> {
        self.among(self.members.roles(subject).withheld).collect()
    }

    /// How much a subject may configure.
    pub fn quota(&self, subject: &Subject) -> Allowance {
        let configure = Right::Function(Function::ConfigureVms);
        let holders: Vec<_> = self.roles(subject).into_iter().filter(|role| role.holds(configure)).collect();
        if holders.is_empty() {
            return Allowance::Nothing;
        }
        let quotas = holders.iter().map(|role| role.quota).collect::<Option<Vec<_>>>();
        quotas.map_or(Allowance::Unlimited, Allowance::Within)
    }

    /// All roles, by name.
    pub fn rules(&self) -> impl Iterator<Item = &Role> {
        self.roles.iter()
    }

    /// All information domains, by name.
    pub fn information_domains(&self) -> impl Iterator<Item = &InformationDomain> {
        self.information_domains.values()
    }

    /// The information domain of a name.
    pub fn information_domain(&self, name: &str) -> Option<&InformationDomain> {
        self.information_domains.get(name)
    }

    /// What binds every VM.
    pub fn vm(&self) -> &VmRules {
        &self.vm
    }

    /// What stands in the files and does not count.
    pub fn hidden(&self) -> &[Hidden] {
        &self.hidden
    }

    /// The directories of the media library.
    pub fn media(&self) -> &[PathBuf] {
        &self.media.library
    }

    /// Which media may be where.
    pub fn media_rules(&self) -> &Rules {
        &self.media_rules
    }

    /// Where saved VMs go.
    pub fn saved_directory(&self) -> &Path {
        &self.saved.directory
    }

    /// The trail's store.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// How many clients at once.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// What makes a login session an Administrator's.
    pub fn session(&self) -> &Session {
        &self.session
    }

    fn among(&self, held: RoleSet) -> impl Iterator<Item = &Role> {
        self.roles.iter().enumerate().filter(move |(index, _)| held.contains(*index)).map(|(_, role)| role)
    }

    fn raw_doors_are_shut(&self) -> String {
        format!("raw doors are shut (policy rule at {})", self.vm.place)
    }

    fn index(rules: parse::Rules) -> Self {
        let roles: Vec<_> = rules.roles.into_values().collect();
        let media = rules.media.unwrap_or_default();
        Self {
            members: Members::of(&roles),
            roles,
            information_domains: rules.information_domains,
            vm: rules.vm.unwrap_or_default(),
            media_rules: Rules { kinds: media.kinds.clone(), classes: rules.device_classes },
            media,
            saved: rules.saved.unwrap_or_default(),
            audit: rules.audit.unwrap_or_default(),
            gate: rules.gate.unwrap_or_default(),
            session: rules.session.unwrap_or_default(),
            hidden: rules.seen.hidden,
        }
    }
}

#[cfg(test)]
mod tests;
