// SPDX-License-Identifier: Apache-2.0
//! What policyd answers.

use serde::{Deserialize, Serialize};

use super::{
    AccessRow, ConfirmationRow, DeviceClassRow, Elevation, FormerPolicy, HookAnswer, LockoutRow, MediumRow,
    NetworkRow, ScreenRow, SessionRow, SettingRow, SharingRows, Simulation, TemplateRow, TrailKeys,
    Verification,
};
use crate::authentication::Authentication;
use crate::object::{Assignment, Uuid};
use crate::subject::{Account, Group};
use crate::table3::{Cell, Column, Function};

/// An answer. Requests that stream get any number of [`Reply::Vm`], [`Reply::Record`] or [`Reply::Confirmations`], then
/// [`Reply::End`] or [`Reply::Failed`]; all others get exactly one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Reply {
    /// To `status`.
    Status(Status),
    /// To `table`, in the order of the table.
    Table(Vec<TableRow>),
    /// To `whoami`.
    Whoami(Whoami),
    /// To `vm show`; to `vm list`, one for each.
    Vm(VmRow),
    /// To `vm templates`.
    Templates(Vec<TemplateRow>),
    /// To `network list` and `network show`.
    Networks(Vec<NetworkRow>),
    /// To every change: what changed, or would.
    Changed(Change),
    /// To `role list`.
    Roles(Vec<RoleRow>),
    /// To an announced change of a role: edit the members of this group, then say how it went.
    EditGroup {
        /// The group that carries the role.
        group: String,
    },
    /// To `role review`, one for each.
    Access(AccessRow),
    /// To an announced update: it is permitted and on record. Do it, then say how it went.
    Proceed,
    /// To `policy show`.
    Policy(PolicyText),
    /// To `policy simulate`.
    Simulation(Simulation),
    /// To `policy rollback`: those that were in force before, newest first; with their files if one was named.
    FormerPolicies(Vec<FormerPolicy>),
    /// To `policy explain`.
    Explanation(Explanation),
    /// One record of the trail, exactly the line that is stored, without its end.
    Record {
        /// The line.
        line: String,
    },
    /// The end of a stream.
    End {
        /// How many replies came before it.
        replies: u64,
    },
    /// To `audit verify`.
    Verification(Verification),
    /// To `audit keys`.
    TrailKeys(TrailKeys),
    /// To `session list` and `session show`.
    Sessions(Vec<SessionRow>),
    /// To `session elevate`.
    Elevation(Elevation),
    /// To `lockout list` and `lockout show`.
    Lockouts(Vec<LockoutRow>),
    /// To `setting list` and `setting show`.
    Settings(Vec<SettingRow>),
    /// To `screen show`.
    Screen(ScreenRow),
    /// To `sharing list`.
    Sharing(SharingRows),
    /// To `media list`.
    Media(Vec<MediumRow>),
    /// To `media pending`; to `media watch`, one for each transfer; and to whoever wants a transfer that is to be
    /// confirmed first.
    Confirmations(Vec<ConfirmationRow>),
    /// To `device classes`.
    DeviceClasses(Vec<DeviceClassRow>),
    /// To a hook.
    Hook(HookAnswer),
    /// The request was refused, or it failed.
    Failed(Failure),
}

/// How policyd is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// policyd's version.
    pub version: String,
    /// The asker's roles.
    pub roles: Vec<String>,
    /// For Administrators only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<StatusDetails>,
}

/// What an Administrator is told about policyd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusDetails {
    /// SHA-256 of the policy in force, in hexadecimal.
    pub policy_hash: String,
    /// The files it was read from.
    pub policy_files: Vec<String>,
    /// VMs in the registry.
    pub registered: u64,
    /// How many of them are assigned to somebody.
    pub assigned: u64,
    /// Whether libvirtd answers, and its version, or why not.
    pub libvirt: String,
    /// The newest record of the trail.
    pub trail: String,
    /// Login sessions that are open.
    pub sessions: u64,
    /// How many of them are raised.
    pub raised: u64,
    /// Accounts with a lock, by name; `*` where everybody is kept out over the network.
    pub locked: Vec<String>,
    /// What an Administrator should look at. Empty when all is well.
    pub warnings: Vec<String>,
}

/// A row of Table 3 and who has it here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRow {
    /// The function.
    pub function: Function,
    /// What the table says for Administrators.
    pub administrator: Cell,
    /// What it says for Users.
    pub user: Cell,
    /// The roles that have it by the policy in force.
    pub roles: Vec<String>,
}

/// Who the asker is to Virtwarden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whoami {
    /// The account whose rights count.
    pub account: Account,
    /// The account that logged in, which records name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Account>,
    /// Whether a person stands behind the asker, or why not.
    pub authentication: Authentication,
    /// Roles that do not count because of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// Its groups.
    pub groups: Vec<Group>,
    /// Its roles.
    pub roles: Vec<String>,
    /// The functions that these give on at least some object.
    pub functions: Vec<Function>,
}

/// A VM's state, as libvirt names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VmState {
    /// Running, or blocked on a resource.
    Running,
    /// Paused.
    Paused,
    /// Shutting down.
    ShuttingDown,
    /// Shut off.
    ShutOff,
    /// Crashed.
    Crashed,
    /// Suspended by the guest's power management.
    Suspended,
    /// libvirt has no word for it, or did not answer.
    Unknown,
}

/// Whether libvirt has a VM that the registry knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// It has.
    Present,
    /// It has not: undefined behind the gate's back. The entry waits for an Administrator.
    Missing,
}

/// A VM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmRow {
    /// Its identity.
    pub uuid: Uuid,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: VmState,
    /// Whether libvirt has it.
    pub presence: Presence,
    /// Whose it is; none means nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<Assignment>,
}

/// What changed, or would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Made or only shown.
    pub mode: super::Mode,
    /// One line for each difference; empty when nothing differs.
    pub differences: Vec<String>,
}

/// A role and who holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRow {
    /// Its name.
    pub name: String,
    /// The column of Table 3 that bounds it.
    pub column: Column,
    /// Accounts named in the policy.
    pub users: Vec<String>,
    /// Groups named in the policy.
    pub groups: Vec<String>,
    /// Accounts named in the policy that hold it without a login.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Accounts that hold it now, by name or by group.
    pub members: Vec<String>,
    /// Its functions.
    pub functions: Vec<Function>,
}

/// One policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Where it was read from.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The policy in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// SHA-256, in hexadecimal, as checkpoints of the trail carry it.
    pub hash: String,
    /// Its files, in the order they were read.
    pub files: Vec<PolicyFile>,
}

/// The policy's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Yes.
    Allowed,
    /// No.
    Denied,
}

/// What the policy would answer, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Yes or no.
    pub verdict: Verdict,
    /// The roles the account holds.
    pub roles: Vec<String>,
    /// The reasons, one line each.
    pub reasons: Vec<String>,
}

/// What kind of failure, for programs: it decides the command's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The request makes no sense.
    Usage,
    /// The asker may not.
    Denied,
    /// There is no such thing, or the asker may not know of it.
    NotFound,
    /// policyd, libvirtd or the trail cannot do it now.
    Unavailable,
    /// It was tried and failed.
    Error,
}

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// What went wrong and what to do next, for people.
    pub message: String,
}
