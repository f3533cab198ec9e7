// SPDX-License-Identifier: Apache-2.0
//! The passwords of people: libpwquality, for everybody who sets one, root included. Row 2,
//! FIA_PMG_EXT.1.

mod quality;

use virtwarden_core::setting::{PasswordPolicy, SettingName};

use super::{Derived, Provider, Rendered, pam, sshd};
use crate::host::Host;

const FILE: &str = "/etc/security/pwquality.conf.d/50-virtwarden.conf";
const MODULE: &str = "pam_pwquality.so";
/// Arguments of the module that would weaken what the files say.
const STRONGER: [&str; 7] =
    ["minlen=", "minclass=", "dcredit=", "ucredit=", "lcredit=", "ocredit=", "enforcing="];

/// The password policy's files.
pub(crate) struct PasswordFiles;

impl Provider for PasswordFiles {
    type Value = PasswordPolicy;
    const NAME: SettingName = SettingName::PasswordPolicy;
    const FILES: &'static [&'static str] = &[FILE];
    const DERIVED: &'static [Derived] = &[];

    fn examine(host: &Host, value: &PasswordPolicy) -> Result<(), String> {
        let PasswordPolicy::AtLeast(_) = value else { return Ok(()) };
        stack(host)?;
        quality::dictionary(host)
    }

    fn render(_host: &Host, value: &PasswordPolicy) -> Result<Vec<Rendered>, String> {
        let PasswordPolicy::AtLeast(strength) = value else { return Ok(Vec::new()) };
        let lines: String =
            quality::wanted(strength).iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
        Ok(vec![Rendered { path: FILE, text: format!("{}{lines}enforce_for_root\n", sshd::HEAD) }])
    }

    fn try_out(_host: &Host, _rendered: &[Rendered]) -> Result<(), String> {
        Ok(())
    }

    /// The next password is judged by what the files say then.
    fn take_effect(_host: &Host) -> Result<(), String> {
        Ok(())
    }

    fn read_back(host: &Host, value: &PasswordPolicy) -> Vec<String> {
        let PasswordPolicy::AtLeast(strength) = value else { return Vec::new() };
        let mut differences: Vec<_> = stack(host).err().into_iter().collect();
        differences.extend(quality::dictionary(host).err());
        differences.extend(quality::differences(host, strength));
        differences.extend(quality::probe(host, strength));
        differences
    }

    fn remarks(_host: &Host, _value: &PasswordPolicy) -> Vec<String> {
        Vec::new()
    }
}

/// Whether new passwords pass libpwquality at all.
///
/// # Errors
/// They do not, or not by what its files say.
fn stack(host: &Host) -> Result<(), String> {
    let lines = pam::lines(host, "common-password");
    let line = lines.iter().find(|line| line.starts_with("password") && line.contains(MODULE)).ok_or(
        "new passwords are not checked on this host; install libpam-pwquality, or switch it on with \
         `pam-auth-update`",
    )?;
    if !line.contains("requisite") && !line.contains("required") {
        return Err(format!(
            "/etc/pam.d/common-password does not insist on {MODULE} (`{line}`); make it `requisite`"
        ));
    }
    match STRONGER.iter().find(|argument| line.contains(*argument)) {
        Some(argument) => Err(format!(
            "/etc/pam.d/common-password sets `{argument}` for {MODULE}, which would hold against the setting; take it \
             out there"
        )),
        None => Ok(()),
    }
}
