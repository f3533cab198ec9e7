// SPDX-License-Identifier: Apache-2.0
//! What the audit trail says of one event. The trail adds sequence, time and chain.

use serde::{Deserialize, Serialize};

use crate::authentication::{Authenticated, Origin};
use crate::object::Uuid;
use crate::policy::request::Right;
use crate::subject::{Account, Door, Login, Process};
use crate::table3::Function;

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A permitted act is about to begin. Durable before the act starts.
    Attempt,
    /// How the act of an attempt ended.
    Outcome,
    /// A request was refused.
    Denial,
    /// Several alike refusals of one subject, counted together so that a flood cannot fill the disk.
    Repeated,
    /// A client connected to, or left, a socket of ours.
    Connection,
    /// Something that happened without a request through us: a start seen by the hook, a VM that appeared.
    Observation,
    /// The trail itself: start, stop, gap, full store, resume, sealed, exported.
    Trail,
    /// The policy, the registry or a setting took a new value.
    Change,
    /// Somebody authenticated or failed to, a session began or ended, an account was locked or unlocked.
    Login,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Begun; an [`Kind::Outcome`] record follows.
    Pending,
    /// Done.
    Success,
    /// Permitted, but it failed in libvirt or later.
    Failure,
    /// Refused by us.
    Denied,
    /// The link broke before the end was known.
    Unknown,
}

/// The person and process of an event, as the kernel knew them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The account whose rights counted.
    pub account: Account,
    /// The login behind it; none means that no person is known to have authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// Who proved himself, how and from where; none means that no person authenticated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<Authenticated>,
    /// The roles held at that moment.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The asking process.
    pub process: Process,
    /// The socket.
    pub door: Door,
}

/// The object of an event, in a form that outlives it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `vm`, `network`, `pool`, `volume`, `device`, `setting`, `policy`, `trail`, `host`, ...
    pub kind: String,
    /// Its name at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// What was needed on it, for attempts and denials: another policy can be asked the same again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rights: Vec<Right>,
}

/// One event, before the trail gives it a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind.
    pub kind: Kind,
    /// How it ended, or that it has begun.
    pub outcome: Outcome,
    /// Who; none for events of the trail itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What was called, in the words of the door: `DOMAIN_CREATE`, `vm assign`, `qemu start`.
    pub operation: String,
    /// The functions of Table 3 that it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Function>,
    /// The objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<Target>,
    /// For logins: where from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Why it was refused, what changed, or how it failed. Never a secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// For an outcome: the sequence number of its attempt. For repeated ones: of the first refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// For repeated ones: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}
