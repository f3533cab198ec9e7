// SPDX-License-Identifier: Apache-2.0
//! Typed settings of the host's stock components, and of policyd itself. Rows 2, 10 to 20 and 27 of Table 3.
//!
//! policyd holds the value; settingsd renders it into the component's own files. A value that is
//! here is a legal one: every type is checked where it is made.

mod audit;
mod banner;
mod certificates;
mod default_vm;
mod directory;
pub mod document;
mod host_media;
mod ipsec;
mod lockout;
mod name;
mod password;
mod remote;
mod screen;
mod ssh;
mod time;
mod tls;
mod validity;
mod words;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use audit::{AuditServer, KnownServer};
pub use banner::{Acknowledgement, Banner, BannerText, LONGEST_BANNER};
pub use certificates::Certificates;
pub use default_vm::{DefaultVm, TemplateName};
pub use directory::{DirectoryProtection, DirectoryServer, KnownDirectory, SearchBase};
pub use host_media::{HostLevel, HostMedia};
pub use ipsec::{IpsecCryptography, IpsecSuite};
pub use lockout::{Counted, Disclosure, Limit, Lockout, Unlocking};
pub use name::SettingName;
pub use password::{PasswordPolicy, PasswordStrength};
pub use remote::{IdleLimit, RemoteTimeout};
pub use screen::{Locking, OwnIdle, ScreenIdle, ScreenLock, ScreenLockTimeout};
pub use ssh::{SshCryptography, SshSuite};
pub use time::{ServerName, TimeProof, TimeServers};
pub use tls::{TlsCryptography, TlsSuite};
pub use validity::{CertificateValidity, ValidityAction};

/// A value that is not legal: what is wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError(pub String);

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SettingError {}

/// A setting with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Setting {
    /// Row 18.
    AuditServer(AuditServer),
    /// Row 20, FTA_TAB.1.
    Banner(Banner),
    /// Row 17.
    DirectoryServer(DirectoryServer),
    /// Row 4.
    DefaultVm(DefaultVm),
    /// Row 10, FPT_RDM_EXT.1.
    HostMedia(HostMedia),
    /// Row 16, FIA_AFL_EXT.1.
    Lockout(Lockout),
    /// Row 2, FIA_PMG_EXT.1.
    PasswordPolicy(PasswordPolicy),
    /// Row 15.
    RemoteTimeout(RemoteTimeout),
    /// Row 13.
    ScreenLock(ScreenLock),
    /// Row 14.
    ScreenLockTimeout(ScreenLockTimeout),
    /// Row 11.
    SshCryptography(SshCryptography),
    /// Row 19.
    TimeServers(TimeServers),
    /// Row 27.
    CertificateValidity(CertificateValidity),
    /// Row 11.
    IpsecCryptography(IpsecCryptography),
    /// Row 11.
    TlsCryptography(TlsCryptography),
}

impl Setting {
    /// Which one.
    pub const fn name(&self) -> SettingName {
        match self {
            Setting::AuditServer(_) => SettingName::AuditServer,
            Setting::Banner(_) => SettingName::Banner,
            Setting::DirectoryServer(_) => SettingName::DirectoryServer,
            Setting::DefaultVm(_) => SettingName::DefaultVm,
            Setting::HostMedia(_) => SettingName::HostMedia,
            Setting::Lockout(_) => SettingName::Lockout,
            Setting::PasswordPolicy(_) => SettingName::PasswordPolicy,
            Setting::RemoteTimeout(_) => SettingName::RemoteTimeout,
            Setting::ScreenLock(_) => SettingName::ScreenLock,
            Setting::ScreenLockTimeout(_) => SettingName::ScreenLockTimeout,
            Setting::SshCryptography(_) => SettingName::SshCryptography,
            Setting::TimeServers(_) => SettingName::TimeServers,
            Setting::CertificateValidity(_) => SettingName::CertificateValidity,
            Setting::IpsecCryptography(_) => SettingName::IpsecCryptography,
            Setting::TlsCryptography(_) => SettingName::TlsCryptography,
        }
    }

    /// The same with nothing that people have of their own beside it.
    #[must_use]
    pub fn of_everybody(&self) -> Setting {
        let Setting::ScreenLockTimeout(timeout) = self else { return self.clone() };
        Setting::ScreenLockTimeout(ScreenLockTimeout::everybody(timeout.idle))
    }

    /// The same with what people have of their own by another value of it: that is theirs, whoever sets everybody's.
    #[must_use]
    pub fn with_peoples_own(&self, before: &Setting) -> Setting {
        let (Setting::ScreenLockTimeout(new), Setting::ScreenLockTimeout(old)) = (self, before) else {
            return self.of_everybody();
        };
        Setting::ScreenLockTimeout(ScreenLockTimeout { idle: new.idle, own: old.own.clone() })
    }

    /// Checks what its type alone does not: every number within its range.
    ///
    /// # Errors
    /// One is not.
    pub fn check(&self) -> Result<(), SettingError> {
        match self {
            Setting::Banner(_)
            | Setting::ScreenLock(_)
            | Setting::SshCryptography(_)
            | Setting::CertificateValidity(_)
            | Setting::IpsecCryptography(_)
            | Setting::TlsCryptography(_) => Ok(()),
            Setting::AuditServer(value) => value.check(),
            Setting::DirectoryServer(value) => value.check(),
            Setting::DefaultVm(vm) => vm.check(),
            Setting::HostMedia(media) => media.check(),
            Setting::Lockout(lockout) => lockout.check(),
            Setting::PasswordPolicy(policy) => policy.check(),
            Setting::RemoteTimeout(timeout) => timeout.check(),
            Setting::ScreenLockTimeout(timeout) => timeout.check(),
            Setting::TimeServers(servers) => servers.check(),
        }
    }
}
