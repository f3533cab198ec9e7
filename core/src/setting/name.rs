// SPDX-License-Identifier: Apache-2.0
//! The settings by name: the row of each, its words in commands and records, and the value where nobody set one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    AuditServer, Banner, CertificateValidity, DefaultVm, DirectoryServer, HostMedia, IpsecCryptography,
    Lockout, PasswordPolicy, RemoteTimeout, ScreenLock, ScreenLockTimeout, Setting, SshCryptography,
    TimeServers, TlsCryptography,
};
use crate::table3::Function;

/// Which setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingName {
    /// Where the audit trail is sent: row 18.
    AuditServer,
    /// The access banner: row 20.
    Banner,
    /// Which directory people are looked up in: row 17.
    DirectoryServer,
    /// What a new VM is like where nobody says: row 4.
    DefaultVm,
    /// What the host does with removable media: row 10.
    HostMedia,
    /// Lockout after failed authentications: row 16.
    Lockout,
    /// The passwords of people: row 2.
    PasswordPolicy,
    /// When idle remote sessions end: row 15.
    RemoteTimeout,
    /// Whether idle screens lock: row 13.
    ScreenLock,
    /// After how long they do: row 14.
    ScreenLockTimeout,
    /// Which cryptography ssh may use: row 11.
    SshCryptography,
    /// Where the host's time comes from: row 19.
    TimeServers,
    /// What becomes of a peer whose certificate nobody can tell valid or revoked: row 27.
    CertificateValidity,
    /// Which cryptography connections of IPsec may use: row 11.
    IpsecCryptography,
    /// Which cryptography Virtwarden's own connections over TLS may use: row 11.
    TlsCryptography,
}

impl SettingName {
    /// All, in the order in which they are listed.
    pub const ALL: [SettingName; 15] = [
        SettingName::AuditServer,
        SettingName::Banner,
        SettingName::DirectoryServer,
        SettingName::DefaultVm,
        SettingName::HostMedia,
        SettingName::Lockout,
        SettingName::PasswordPolicy,
        SettingName::RemoteTimeout,
        SettingName::ScreenLock,
        SettingName::ScreenLockTimeout,
        SettingName::SshCryptography,
        SettingName::TimeServers,
        SettingName::CertificateValidity,
        SettingName::IpsecCryptography,
        SettingName::TlsCryptography,
    ];

    /// The word in commands, records and files.
    pub const fn word(self) -> &'static str {
        match self {
            SettingName::AuditServer => "audit-server",
            SettingName::Banner => "banner",
            SettingName::DirectoryServer => "directory-server",
            SettingName::DefaultVm => "default-vm",
            SettingName::HostMedia => "host-media",
            SettingName::Lockout => "lockout",
            SettingName::PasswordPolicy => "password-policy",
            SettingName::RemoteTimeout => "remote-timeout",
            SettingName::ScreenLock => "screen-lock",
            SettingName::ScreenLockTimeout => "screen-lock-timeout",
            SettingName::SshCryptography => "ssh-cryptography",
            SettingName::TimeServers => "time-servers",
            SettingName::CertificateValidity => "certificate-validity",
            SettingName::IpsecCryptography => "ipsec-cryptography",
            SettingName::TlsCryptography => "tls-cryptography",
        }
    }

    /// What a record calls setting it.
    pub const fn set_operation(self) -> &'static str {
        match self {
            SettingName::AuditServer => "setting set audit-server",
            SettingName::Banner => "banner set",
            SettingName::DirectoryServer => "setting set directory-server",
            SettingName::DefaultVm => "setting set default-vm",
            SettingName::HostMedia => "setting set host-media",
            SettingName::Lockout => "lockout set",
            SettingName::PasswordPolicy => "setting set password-policy",
            SettingName::RemoteTimeout => "setting set remote-timeout",
            SettingName::ScreenLock => "setting set screen-lock",
            SettingName::ScreenLockTimeout => "setting set screen-lock-timeout",
            SettingName::SshCryptography => "setting set ssh-cryptography",
            SettingName::TimeServers => "setting set time-servers",
            SettingName::CertificateValidity => "setting set certificate-validity",
            SettingName::IpsecCryptography => "setting set ipsec-cryptography",
            SettingName::TlsCryptography => "setting set tls-cryptography",
        }
    }

    /// What a record calls taking it back.
    pub const fn unset_operation(self) -> &'static str {
        match self {
            SettingName::AuditServer => "setting unset audit-server",
            SettingName::Banner => "banner unset",
            SettingName::DirectoryServer => "setting unset directory-server",
            SettingName::DefaultVm => "setting unset default-vm",
            SettingName::HostMedia => "setting unset host-media",
            SettingName::Lockout => "lockout unset",
            SettingName::PasswordPolicy => "setting unset password-policy",
            SettingName::RemoteTimeout => "setting unset remote-timeout",
            SettingName::ScreenLock => "setting unset screen-lock",
            SettingName::ScreenLockTimeout => "setting unset screen-lock-timeout",
            SettingName::SshCryptography => "setting unset ssh-cryptography",
            SettingName::TimeServers => "setting unset time-servers",
            SettingName::CertificateValidity => "setting unset certificate-validity",
            SettingName::IpsecCryptography => "setting unset ipsec-cryptography",
            SettingName::TlsCryptography => "setting unset tls-cryptography",
        }
    }

    /// The function of Table 3 that is to set it.
    pub const fn function(self) -> Function {
        match self {
            SettingName::AuditServer => Function::AuditServer,
            SettingName::Banner => Function::Banner,
            SettingName::DirectoryServer => Function::DirectoryServer,
            SettingName::DefaultVm => Function::DefaultVms,
            SettingName::HostMedia => Function::MediaPolicy,
            SettingName::Lockout => Function::LockoutPolicy,
            SettingName::PasswordPolicy => Function::PasswordPolicy,
            SettingName::RemoteTimeout => Function::RemoteTimeout,
            SettingName::ScreenLock => Function::ScreenLock,
            SettingName::ScreenLockTimeout => Function::ScreenLockTimeout,
            SettingName::SshCryptography => Function::Cryptography,
            SettingName::TimeServers => Function::TimeServer,
            SettingName::CertificateValidity => Function::CertificateAction,
            SettingName::IpsecCryptography => Function::Cryptography,
            SettingName::TlsCryptography => Function::Cryptography,
        }
    }

    /// The setting of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.word() == word)
    }

    /// The value that holds where nobody set one.
    pub fn default_value(self) -> Setting {
        match self {
            SettingName::AuditServer => Setting::AuditServer(AuditServer::default()),
            SettingName::Banner => Setting::Banner(Banner::default()),
            SettingName::DirectoryServer => Setting::DirectoryServer(DirectoryServer::default()),
            SettingName::DefaultVm => Setting::DefaultVm(DefaultVm::default()),
            SettingName::HostMedia => Setting::HostMedia(HostMedia::default()),
            SettingName::Lockout => Setting::Lockout(Lockout::default()),
            SettingName::PasswordPolicy => Setting::PasswordPolicy(PasswordPolicy::default()),
            SettingName::RemoteTimeout => Setting::RemoteTimeout(RemoteTimeout::default()),
            SettingName::ScreenLock => Setting::ScreenLock(ScreenLock::default()),
            SettingName::ScreenLockTimeout => Setting::ScreenLockTimeout(ScreenLockTimeout::default()),
            SettingName::SshCryptography => Setting::SshCryptography(SshCryptography::default()),
            SettingName::TimeServers => Setting::TimeServers(TimeServers::default()),
            SettingName::CertificateValidity => Setting::CertificateValidity(CertificateValidity::default()),
            SettingName::IpsecCryptography => Setting::IpsecCryptography(IpsecCryptography::default()),
            SettingName::TlsCryptography => Setting::TlsCryptography(TlsCryptography::default()),
        }
    }
}

impl fmt::Display for SettingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
