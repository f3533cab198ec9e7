// SPDX-License-Identifier: Apache-2.0
//! What can be asked over the control socket.

use serde::{Deserialize, Serialize};

use super::{
    AuditFilter, AuditRange, Before, HookCall, OriginClass, PolicyFile, ScreenWish, SharingRequest,
    UpdateAct, VmBelonging, VmWish, WayOut,
};
use crate::object::{Sensitivity, Uuid};
use crate::policy::request::Right;
use crate::record::Outcome;
use crate::setting::{Setting, SettingName};
use crate::xml::reach::Ports;

/// Whether a change is made or only shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Make it.
    Apply,
    /// Say what would change. Judged and recorded like the change itself.
    DryRun,
}

/// Which way a role's membership changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Membership {
    /// The person gets the role.
    Added,
    /// The person loses it.
    Removed,
}

/// An object as a person names it. policyd looks it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ObjectName {
    /// The host or libvirt as a whole.
    Host,
    /// A VM, by name or UUID.
    Vm(String),
    /// A virtual network.
    Network(String),
    /// A network filter.
    NetworkFilter(String),
    /// A storage pool.
    Pool(String),
    /// A volume in a pool.
    Volume {
        /// The pool.
        pool: String,
        /// The volume.
        name: String,
    },
    /// A host network interface.
    Interface(String),
    /// A physical device, by libvirt's name.
    Device(String),
    /// A secret.
    Secret(Uuid),
    /// A setting.
    Setting(String),
    /// The policy.
    Policy,
    /// The audit trail.
    Trail,
}

/// A request. Names are as people type them; policyd resolves them and says so when it cannot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// How policyd is. Answered with [`super::Reply::Status`].
    Status,
    /// Table 3 and which role has what here.
    Table,
    /// Who the asker is to Virtwarden.
    Whoami,
    /// The VMs that the asker may see. Streams.
    VmList,
    /// One VM.
    VmShow {
        /// Name or UUID.
        vm: String,
    },
    /// The templates that VMs can be made from.
    VmTemplates,
    /// Make a VM from a template.
    VmCreate {
        /// What it is to be like.
        wish: VmWish,
        /// Whose it shall be; none leaves that to the policy.
        #[serde(default)]
        belonging: Option<VmBelonging>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Assign a VM to more people.
    VmAssign {
        /// Name or UUID.
        vm: String,
        /// Accounts that get it.
        #[serde(default)]
        users: Vec<String>,
        /// Groups whose members get it.
        #[serde(default)]
        groups: Vec<String>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Take a VM from people; with no names at all, from everybody.
    VmUnassign {
        /// Name or UUID.
        vm: String,
        /// Accounts that lose it.
        #[serde(default)]
        users: Vec<String>,
        /// Groups that lose it.
        #[serde(default)]
        groups: Vec<String>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Put a VM into an information domain, or into none.
    VmDomain {
        /// Name or UUID.
        vm: String,
        /// The information domain, which the policy must define; none takes the VM out.
        information_domain: Option<String>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Make a VM sensitive, or ordinary again.
    VmSensitive {
        /// Name or UUID.
        vm: String,
        /// Which.
        sensitivity: Sensitivity,
        /// Make the change or show it.
        mode: Mode,
    },
    /// The networks that the asker may see, with the VMs on them.
    NetworkList,
    /// One network.
    NetworkShow {
        /// Name or UUID.
        network: String,
    },
    /// Put a network into an information domain.
    NetworkAssign {
        /// Name or UUID.
        network: String,
        /// The information domain, which the policy must define.
        information_domain: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Take a network out of the information domain that it was put into.
    NetworkUnassign {
        /// Name or UUID.
        network: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Make a network of an information domain, and start it.
    NetworkCreate {
        /// Its name.
        network: String,
        /// The information domain, which the policy must define.
        information_domain: String,
        /// How it leads out.
        way_out: WayOut,
        /// Whether its VMs reach each other.
        ports: Ports,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Stop a network and remove it.
    NetworkDelete {
        /// Name or UUID.
        network: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Who can do what on which VM. Streams.
    RoleReview,
    /// The roles and who holds them.
    RoleList,
    /// Announce that the asker is about to change who holds a role. The answer names the group to
    /// change; [`Request::RoleDone`] on the same connection says how it went.
    RoleChange {
        /// The role.
        role: String,
        /// The account.
        user: String,
        /// Which way.
        membership: Membership,
        /// Make the change or show it.
        mode: Mode,
    },
    /// How an announced change of a role went.
    RoleDone {
        /// Success or failure.
        outcome: Outcome,
        /// How it failed.
        detail: String,
    },
    /// The policy in force, as text.
    PolicyShow,
    /// Read the policy files again; [`Mode::DryRun`] only checks them.
    PolicyReload {
        /// Make the change or show it.
        mode: Mode,
    },
    /// Read the policy files again, and take them back after a time unless [`Request::PolicyConfirm`] comes.
    PolicyTry {
        /// How long.
        seconds: u32,
    },
    /// The policy on trial stays.
    PolicyConfirm,
    /// What the policy would answer, and why.
    PolicyExplain {
        /// The account that would ask.
        user: String,
        /// For what right.
        right: Right,
        /// On which object.
        object: ObjectName,
    },
    /// How files that are not in force would change the policy.
    PolicyDiff {
        /// They stand beside the host's own, or in the place of those of their names; none: the host's own alone.
        #[serde(default)]
        files: Vec<PolicyFile>,
    },
    /// What such a policy would have answered to what is on record.
    PolicySimulate {
        /// As above.
        #[serde(default)]
        files: Vec<PolicyFile>,
        /// Not before this time, in microseconds since 1970 UTC.
        #[serde(default)]
        since: Option<u64>,
    },
    /// The policies that were in force before.
    PolicyFormer,
    /// One of them with its files, to put it in force again by them.
    PolicyRecall {
        /// Its number.
        number: u32,
    },
    /// Records of the audit trail, oldest first. Streams.
    AuditList {
        /// Which.
        filter: AuditFilter,
    },
    /// Records as they are written, until the asker leaves. Streams.
    AuditFollow {
        /// Which.
        filter: AuditFilter,
    },
    /// Check the whole trail.
    AuditVerify,
    /// Lines of the trail exactly as stored. Streams.
    AuditExport {
        /// Which.
        range: AuditRange,
    },
    /// The keys that a copy of the trail is checked with.
    AuditKeys,
    /// Delete old segments of the trail.
    AuditDelete {
        /// Which.
        before: Before,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Login sessions: the asker's own, or all for an Administrator.
    SessionList,
    /// One login session.
    SessionShow {
        /// Its audit session id; none means the asker's own.
        #[serde(default)]
        session: Option<u32>,
    },
    /// End a login session: the asker's own, or anybody's for an Administrator.
    SessionEnd {
        /// Its audit session id.
        session: u32,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Begin to raise the asker's session, so that his Administrator roles count in it.
    SessionElevate,
    /// End that before its time.
    SessionLower,
    /// Accept the banner for the asker's session.
    BannerAccept,
    /// Accounts with failures or locks.
    LockoutList,
    /// One account's.
    LockoutShow {
        /// The account.
        account: String,
    },
    /// Forget an account's failures and lock.
    LockoutUnlock {
        /// The account.
        account: String,
        /// Which logins; none means both.
        #[serde(default)]
        class: Option<OriginClass>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// All settings and how the host stands to them.
    SettingList,
    /// One setting.
    SettingShow {
        /// Which.
        name: SettingName,
    },
    /// Give a setting a value.
    SettingSet {
        /// The value.
        setting: Setting,
        /// Why, for the record.
        reason: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Take a setting's value back, so that its default holds.
    SettingUnset {
        /// Which.
        name: SettingName,
        /// Why, for the record.
        reason: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// When the asker's own screen locks.
    ScreenShow,
    /// Lock the asker's own screen sooner than everybody's.
    ScreenOwn {
        /// When at most; none for when everybody's does.
        wish: Option<ScreenWish>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Channels between VMs.
    Sharing(SharingRequest),
    /// The removable media that are there now: all, or one.
    MediaList {
        /// Only this one: its id, serial number, name, `vendor:product`, port, path or file name.
        #[serde(default)]
        medium: Option<String>,
        /// Say of each whether this VM may have it, by name or UUID.
        #[serde(default)]
        vm: Option<String>,
    },
    /// Put a medium into a drive of a VM.
    MediaInsert {
        /// Name or UUID.
        vm: String,
        /// The medium, as for [`Request::MediaList`].
        medium: String,
        /// The drive, by its name in the VM's definition (`sda`); none lets policyd choose.
        #[serde(default)]
        drive: Option<String>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Take the medium out of a drive of a VM.
    MediaEject {
        /// Name or UUID.
        vm: String,
        /// The drive; none lets policyd choose the one that has a medium.
        #[serde(default)]
        drive: Option<String>,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Connect a device to a running VM.
    MediaConnect {
        /// Name or UUID.
        vm: String,
        /// The medium, as for [`Request::MediaList`].
        medium: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// Disconnect it again.
    MediaDisconnect {
        /// Name or UUID.
        vm: String,
        /// The medium, as for [`Request::MediaList`].
        medium: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// The transfers that wait for a confirmation and that the asker may know of.
    MediaPending,
    /// The same, and each new one, until the asker leaves. Streams.
    MediaWatch,
    /// A User of the receiving VM confirms a transfer.
    MediaConfirm {
        /// Its number.
        number: u32,
    },
    /// What the policy says of kinds of media and of device classes.
    DeviceClasses,
    /// Keep a value that would be taken back by itself.
    SettingConfirm {
        /// Which.
        name: SettingName,
    },
    /// Announce an update, which root then carries out. Answered with [`super::Reply::Proceed`].
    Update {
        /// What is to be done.
        act: UpdateAct,
        /// With what, for the record.
        what: String,
        /// Make the change or show it.
        mode: Mode,
    },
    /// How an announced update went.
    UpdateDone {
        /// Success or failure.
        outcome: Outcome,
        /// In a few words, for the record.
        detail: String,
    },
    /// libvirt's hook asks whether to go on. For root's processes only.
    Hook(HookCall),
}

impl Request {
    /// The words of the command line and of records.
    pub const fn operation(&self) -> &'static str {
        match self {
            Request::Status => "status",
            Request::Table => "table",
            Request::Whoami => "whoami",
            Request::VmList => "vm list",
            Request::VmShow { .. } => "vm show",
            Request::VmTemplates => "vm templates",
            Request::VmCreate { .. } => "vm create",
            Request::VmAssign { .. } => "vm assign",
            Request::VmUnassign { .. } => "vm unassign",
            Request::VmDomain { .. } => "vm domain",
            Request::VmSensitive { .. } => "vm sensitive",
            Request::NetworkList => "network list",
            Request::NetworkShow { .. } => "network show",
            Request::NetworkAssign { .. } => "network assign",
            Request::NetworkUnassign { .. } => "network unassign",
            Request::NetworkCreate { .. } => "network create",
            Request::NetworkDelete { .. } => "network delete",
            Request::RoleReview => "role review",
            Request::RoleList => "role list",
            Request::RoleChange { membership: Membership::Added, .. } => "role add",
            Request::RoleChange { membership: Membership::Removed, .. } => "role remove",
            Request::RoleDone { .. } => "role done",
            Request::PolicyShow => "policy show",
            Request::PolicyReload { .. } => "policy reload",
            Request::PolicyTry { .. } => "policy try",
            Request::PolicyConfirm => "policy confirm",
            Request::PolicyExplain { .. } => "policy explain",
            Request::PolicyDiff { .. } => "policy diff",
            Request::PolicySimulate { .. } => "policy simulate",
            Request::PolicyFormer => "policy former",
            Request::PolicyRecall { .. } => "policy rollback",
            Request::AuditList { .. } => "audit list",
            Request::AuditFollow { .. } => "audit follow",
            Request::AuditVerify => "audit verify",
            Request::AuditExport { .. } => "audit export",
            Request::AuditKeys => "audit keys",
            Request::AuditDelete { .. } => "audit delete",
            Request::SessionList => "session list",
            Request::SessionShow { .. } => "session show",
            Request::SessionEnd { .. } => "session end",
            Request::SessionElevate => "session elevate",
            Request::SessionLower => "session lower",
            Request::BannerAccept => "banner accept",
            Request::LockoutList => "lockout list",
            Request::LockoutShow { .. } => "lockout show",
            Request::LockoutUnlock { .. } => "lockout unlock",
            Request::SettingList => "setting list",
            Request::SettingShow { .. } => "setting show",
            Request::SettingSet { setting, .. } => setting.name().set_operation(),
            Request::SettingUnset { name, .. } => name.unset_operation(),
            Request::ScreenShow => "screen show",
            Request::ScreenOwn { wish: Some(_), .. } => "screen shorten",
            Request::ScreenOwn { wish: None, .. } => "screen restore",
            Request::Sharing(SharingRequest::List) => "sharing list",
            Request::Sharing(SharingRequest::Allow { .. }) => "sharing allow",
            Request::Sharing(SharingRequest::Deny { .. }) => "sharing deny",
            Request::MediaList { .. } => "media list",
            Request::MediaInsert { .. } => "media insert",
            Request::MediaEject { .. } => "media eject",
            Request::MediaConnect { .. } => "media connect",
            Request::MediaDisconnect { .. } => "media disconnect",
            Request::MediaPending => "media pending",
            Request::MediaWatch => "media watch",
            Request::MediaConfirm { .. } => "media confirm",
            Request::DeviceClasses => "device classes",
            Request::SettingConfirm { .. } => "setting confirm",
            Request::Update { act, .. } => act.operation(),
            Request::UpdateDone { .. } => "update done",
            Request::Hook(_) => "hook",
        }
    }
}
