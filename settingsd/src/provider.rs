// SPDX-License-Identifier: Apache-2.0
//! One shape for all that puts a typed value into a stock component.

mod audit;
mod banner;
mod certificate_validity;
mod certificates;
mod directory;
mod gdm;
mod host_media;
mod ipsec_cryptography;
mod issue;
mod lockout;
mod pam;
mod password;
mod remote;
mod screen;
mod ssh_cryptography;
mod sshd;
mod swanctl;
mod time;
mod tls_cryptography;

use virtwarden_core::setting::SettingName;

pub(crate) use self::audit::AuditServerFiles;
pub(crate) use self::banner::BannerFiles;
pub(crate) use self::certificate_validity::CertificateValidityFiles;
pub(crate) use self::directory::DirectoryServerFiles;
pub(crate) use self::host_media::{HostMediaFiles, usb};
pub(crate) use self::ipsec_cryptography::IpsecCryptographyFiles;
pub(crate) use self::lockout::LockoutFiles;
pub(crate) use self::password::PasswordFiles;
pub(crate) use self::remote::RemoteFiles;
pub(crate) use self::screen::{ScreenLockFiles, ScreenLockTimeoutFiles, give_profile};
pub(crate) use self::ssh_cryptography::SshCryptographyFiles;
pub(crate) use self::time::TimeFiles;
pub(crate) use self::tls_cryptography::TlsCryptographyFiles;
use crate::host::Host;

/// A file as a provider wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// One of [`Provider::FILES`].
    pub(crate) path: &'static str,
    /// Its text.
    pub(crate) text: String,
}

/// A file that a component makes from ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Derived {
    /// The file.
    pub(crate) path: &'static str,
    /// The directory that it is made from; without it the file means nothing.
    pub(crate) source: &'static str,
}

/// Puts the values of one setting into a component's files.
pub(crate) trait Provider {
    /// The typed value.
    type Value;
    /// Which setting.
    const NAME: SettingName;
    /// Every file that it may write. No other is ever written, put back or removed.
    const FILES: &'static [&'static str];
    /// Permission bits of its files.
    const MODE: u32 = 0o644;
    /// What the component makes of them by itself.
    const DERIVED: &'static [Derived];

    /// Looks whether the component is there and sound, before anything is touched.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    fn examine(host: &Host, value: &Self::Value) -> Result<(), String>;

    /// The files that carry the value; those of [`Provider::FILES`] that are left out are put back.
    ///
    /// # Errors
    /// The component's present state cannot be read.
    fn render(host: &Host, value: &Self::Value) -> Result<Vec<Rendered>, String>;

    /// Lets the component's own checker look at candidates.
    ///
    /// # Errors
    /// What it does not like.
    fn try_out(host: &Host, rendered: &[Rendered]) -> Result<(), String>;

    /// Makes the component read its files again.
    ///
    /// # Errors
    /// It did not.
    fn take_effect(host: &Host) -> Result<(), String>;

    /// What the component itself says that it does otherwise than the value says, one line each.
    fn read_back(host: &Host, value: &Self::Value) -> Vec<String>;

    /// What else on the host works against the value, one line each.
    fn remarks(host: &Host, value: &Self::Value) -> Vec<String>;
}
