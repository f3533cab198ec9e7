// SPDX-License-Identifier: Apache-2.0
//! What each request needs: the one place that says so.

use virtwarden_core::control::Request;
use virtwarden_core::policy::request::Right;
use virtwarden_core::setting::SettingName;
use virtwarden_core::table3::Function;

/// What a right must be held on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The VM that the request names.
    Vm,
    /// A VM that is not there yet.
    NewVm,
    /// The network that the request names.
    Network,
    /// The host.
    Host,
    /// The policy: who may do what here.
    Policy,
    /// The audit trail.
    Trail,
    /// The ends of a channel.
    Channels,
    /// A setting.
    Setting(SettingName),
    /// What the asker has stricter for himself than a setting has it for everybody.
    OwnSetting(SettingName),
}

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// Nothing: it tells the asker about himself, or what is public. What it lists is filtered.
    Nothing,
    /// A process of root's: libvirt's hook.
    Root,
    /// All these rights.
    Rights(&'static [Right], Scope),
}

const CONFIGURE: &[Right] = &[Right::Function(Function::ConfigureVms)];
/// Who has a VM is part of its configuration, but giving it away is more than configuring it: it
/// would let its holder out of his quota and let in people that the Administrator did not choose.
const ASSIGN: &[Right] = &[Right::Function(Function::ConfigureVms), Right::Administer];
/// Opening a channel is row 8, and more than its holder may do alone: FDP_VMS_EXT.1.3 leaves it to Administrators.
const SHARE: &[Right] = &[Right::Function(Function::ConfigureSharing), Right::Administer];
/// Whose a network is decides which VMs reach each other: more than how it is made.
const CLAIM: &[Right] = &[Right::Function(Function::ConfigureNetworks), Right::Administer];
const ADMINISTER: &[Right] = &[Right::Administer];
/// Who is an Administrator is row 12, and more than its holder may decide alone: he could give himself the rest.
const MEMBERS: &[Right] = &[Right::Function(Function::AuthorizationFactors), Right::Administer];
/// The medium's own rule is asked beside it.
const CONNECT: &[Right] = &[Right::Function(Function::ConnectRemovable)];
const MEDIA_POLICY: &[Right] = &[Right::Function(Function::MediaPolicy)];
/// Who reads the trail and who manages it can be two people: a site's auditor deletes nothing.
const REVIEW: &[Right] = &[Right::Review];
const SIMULATE: &[Right] = &[Right::Administer, Right::Review];
const SCREEN: &[Right] = &[Right::Function(Function::ScreenLockTimeout)];
const UPDATE: &[Right] = &[Right::Function(Function::UpdateSystem)];
const MANAGE_AUDIT: &[Right] = &[Right::Function(Function::ManageAudit)];

/// To look at a setting, or to set it, is its own function of Table 3.
const fn setting(name: SettingName) -> Demand {
    let rights: &'static [Right] = match name {
        SettingName::AuditServer => &[Right::Function(Function::AuditServer)],
        SettingName::Banner => &[Right::Function(Function::Banner)],
        SettingName::DirectoryServer => &[Right::Function(Function::DirectoryServer)],
        // Of all VMs that are to come: more than its maker may decide for his own.
        SettingName::DefaultVm => &[Right::Function(Function::DefaultVms), Right::Administer],
        SettingName::HostMedia => &[Right::Function(Function::MediaPolicy)],
        SettingName::Lockout => &[Right::Function(Function::LockoutPolicy)],
        SettingName::PasswordPolicy => &[Right::Function(Function::PasswordPolicy)],
        SettingName::RemoteTimeout => &[Right::Function(Function::RemoteTimeout)],
        SettingName::ScreenLock => &[Right::Function(Function::ScreenLock)],
        SettingName::ScreenLockTimeout => &[Right::Function(Function::ScreenLockTimeout)],
        SettingName::SshCryptography => &[Right::Function(Function::Cryptography)],
        SettingName::TimeServers => &[Right::Function(Function::TimeServer)],
        SettingName::CertificateValidity => &[Right::Function(Function::CertificateAction)],
        SettingName::IpsecCryptography => &[Right::Function(Function::Cryptography)],
        SettingName::TlsCryptography => &[Right::Function(Function::Cryptography)],
    };
    Demand::Rights(rights, Scope::Setting(name))
}

/// What a request needs.
pub(super) const fn demand(request: &Request) -> Demand {
    match request {
        Request::Status | Request::Table | Request::Whoami | Request::VmList | Request::NetworkList => {
            Demand::Nothing
        }
        Request::VmShow { .. } => Demand::Rights(&[Right::View], Scope::Vm),
        // Each step is judged by the gate besides, as if it were the asker's own.
        Request::VmTemplates | Request::VmCreate { belonging: None, .. } => {
            Demand::Rights(CONFIGURE, Scope::NewVm)
        }
        Request::VmCreate { belonging: Some(_), .. } => Demand::Rights(ASSIGN, Scope::NewVm),
        Request::VmAssign { .. } | Request::VmUnassign { .. } | Request::VmSensitive { .. } => {
            Demand::Rights(ASSIGN, Scope::Vm)
        }
        Request::VmDomain { .. } => Demand::Rights(ADMINISTER, Scope::Vm),
        Request::NetworkShow { .. } => Demand::Rights(&[Right::View], Scope::Network),
        Request::NetworkAssign { .. } | Request::NetworkUnassign { .. } => {
            Demand::Rights(CLAIM, Scope::Network)
        }
        Request::NetworkCreate { .. } | Request::NetworkDelete { .. } => {
            Demand::Rights(CLAIM, Scope::Network)
        }
        // RoleDone only ends what RoleChange was allowed to begin, on the same connection.
        Request::RoleChange { .. } => Demand::Rights(MEMBERS, Scope::Policy),
        Request::RoleDone { .. } => Demand::Nothing,
        Request::RoleList
        | Request::RoleReview
        | Request::PolicyShow
        | Request::PolicyReload { .. }
        | Request::PolicyTry { .. }
        | Request::PolicyConfirm
        | Request::PolicyDiff { .. }
        | Request::PolicyFormer
        | Request::PolicyRecall { .. }
        | Request::PolicyExplain { .. } => Demand::Rights(ADMINISTER, Scope::Policy),
        // What is on record is told by it, too.
        Request::PolicySimulate { .. } => Demand::Rights(SIMULATE, Scope::Policy),
        Request::AuditList { .. }
        | Request::AuditFollow { .. }
        | Request::AuditVerify
        | Request::AuditKeys
        | Request::AuditExport { .. } => Demand::Rights(REVIEW, Scope::Trail),
        Request::AuditDelete { .. } => Demand::Rights(MANAGE_AUDIT, Scope::Trail),
        // Everybody may look at, raise and end his own session; anybody else's is looked at where it is known whose.
        Request::SessionList
        | Request::SessionShow { .. }
        | Request::SessionEnd { .. }
        | Request::SessionElevate
        | Request::SessionLower
        | Request::BannerAccept
        | Request::ScreenShow => Demand::Nothing,
        Request::ScreenOwn { .. } => {
            Demand::Rights(SCREEN, Scope::OwnSetting(SettingName::ScreenLockTimeout))
        }
        Request::LockoutList | Request::LockoutShow { .. } | Request::LockoutUnlock { .. } => {
            setting(SettingName::Lockout)
        }
        Request::SettingList => Demand::Rights(ADMINISTER, Scope::Policy),
        Request::SettingShow { name }
        | Request::SettingUnset { name, .. }
        | Request::SettingConfirm { name } => setting(*name),
        Request::SettingSet { setting: value, .. } => setting(value.name()),
        Request::Sharing(_) => Demand::Rights(SHARE, Scope::Channels),
        // What is listed is filtered; who may connect no media at all is refused where it is answered.
        Request::MediaList { .. } | Request::MediaPending | Request::MediaWatch => Demand::Nothing,
        Request::MediaInsert { .. }
        | Request::MediaEject { .. }
        | Request::MediaConnect { .. }
        | Request::MediaDisconnect { .. }
        | Request::MediaConfirm { .. } => Demand::Rights(CONNECT, Scope::Vm),
        Request::DeviceClasses => Demand::Rights(MEDIA_POLICY, Scope::Policy),
        Request::Update { .. } => Demand::Rights(UPDATE, Scope::Host),
        // Ends only what Update was allowed to begin, on the same connection.
        Request::UpdateDone { .. } => Demand::Nothing,
        Request::Hook(_) => Demand::Root,
    }
}
