// SPDX-License-Identifier: Apache-2.0
//! Which keys each setting has, for who is typing: what `pairs` takes, as a table.

use virtwarden_core::setting::SettingName;

/// The keys of a setting that is set by pairs, each with those of its values that are words.
pub(crate) const fn keys(name: SettingName) -> &'static [(&'static str, &'static [&'static str])] {
    match name {
        SettingName::AuditServer => {
            &[("address", &["none"]), ("port", &["6514"]), ("peer", &[]), ("ca", &[])]
        }
        SettingName::DirectoryServer => &[
            ("address", &["none"]),
            ("base", &[]),
            ("ca", &[]),
            ("port", &[]),
            ("protection", &["ldaps", "start-tls"]),
        ],
        SettingName::DefaultVm => &[("template", &["policy"]), ("memory", &[]), ("vcpus", &[])],
        SettingName::HostMedia => &[("level", &["open", "no-automount", "no-driver"])],
        SettingName::PasswordPolicy => &[("minimum-length", &[]), ("classes", &["1", "2", "3", "4"])],
        SettingName::RemoteTimeout => &[("idle", &["never"])],
        SettingName::ScreenLock => &[("lock", &["enabled", "disabled", "personal"])],
        SettingName::ScreenLockTimeout => &[("idle", &["personal"]), ("delay", &[])],
        SettingName::SshCryptography => &[("suite", &["profile", "distribution"])],
        SettingName::TlsCryptography => &[("suite", &["profile", "profile-256", "distribution"])],
        SettingName::TimeServers => &[("servers", &["distribution"]), ("proof", &["nts", "nothing"])],
        SettingName::IpsecCryptography => &[("suite", &["profile", "profile-256", "distribution"])],
        SettingName::CertificateValidity => &[("action", &["refuse", "accept"])],
        SettingName::Banner | SettingName::Lockout => &[],
    }
}
