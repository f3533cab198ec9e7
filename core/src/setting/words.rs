// SPDX-License-Identifier: Apache-2.0
//! Values on one line, for records and for people.

use std::fmt;

use super::{
    Acknowledgement, AuditServer, Counted, DirectoryServer, Disclosure, HostMedia, IdleLimit, Limit,
    PasswordPolicy, ScreenIdle, ServerName, Setting, TimeProof, TimeServers, Unlocking,
};

/// The most characters of a banner that stand in a line.
const LONGEST: usize = 200;

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::AuditServer(server) => audit_server(server, f),
            Setting::Banner(banner) => {
                match &banner.text {
                    None => f.write_str("none")?,
                    Some(text) => excerpt(text.as_str(), f)?,
                }
                match banner.acknowledgement {
                    Acknowledgement::NotAsked => Ok(()),
                    Acknowledgement::Required => f.write_str(", must be accepted"),
                }
            }
            Setting::DirectoryServer(server) => directory_server(server, f),
            Setting::DefaultVm(vm) => vm.fmt(f),
            Setting::HostMedia(media) => host_media(media, f),
            Setting::Lockout(lockout) => {
                limit(&lockout.limit, f)?;
                f.write_str(match lockout.counted {
                    Counted::Remote => ", remote logins only",
                    Counted::Everywhere => ", everywhere",
                })?;
                f.write_str(match lockout.disclosure {
                    Disclosure::Remaining => ", the time left is told",
                    Disclosure::Nothing => ", nothing is told",
                })
            }
            Setting::PasswordPolicy(policy) => password_policy(policy, f),
            Setting::RemoteTimeout(timeout) => match timeout.idle {
                IdleLimit::Never => f.write_str("never"),
                IdleLimit::After(seconds) => write!(f, "after {seconds} s"),
            },
            Setting::ScreenLock(lock) => f.write_str(lock.locking.word()),
            Setting::ScreenLockTimeout(timeout) => {
                timeout.idle.fmt(f)?;
                match timeout.shortened().count() {
                    0 => Ok(()),
                    1 => f.write_str(", shorter for 1 person"),
                    people => write!(f, ", shorter for {people} people"),
                }
            }
            Setting::SshCryptography(ssh) => f.write_str(ssh.suite.word()),
            Setting::TimeServers(time) => time_servers(time, f),
            Setting::CertificateValidity(value) => f.write_str(value.action.word()),
            Setting::IpsecCryptography(value) => f.write_str(value.suite.word()),
            Setting::TlsCryptography(value) => f.write_str(value.suite.word()),
        }
    }
}

impl fmt::Display for ScreenIdle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScreenIdle::Personal => f.write_str("personal"),
            ScreenIdle::After { seconds, delay: 0 } => write!(f, "after {seconds} s"),
            ScreenIdle::After { seconds, delay } => write!(f, "after {seconds} s and {delay} s more"),
        }
    }
}

fn password_policy(policy: &PasswordPolicy, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let PasswordPolicy::AtLeast(strength) = policy else { return f.write_str("distribution") };
    write!(f, "at least {} characters", strength.minimum_length)?;
    match strength.classes {
        1 => Ok(()),
        classes => write!(f, " of {classes} classes or more"),
    }
}

fn audit_server(server: &AuditServer, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let AuditServer { address, port, peer, ca } = server;
    let Some(address) = address else { return f.write_str("none") };
    write!(f, "{address} port {port}, proven as {}", peer.as_ref().unwrap_or(address))?;
    ca.as_ref().map_or(Ok(()), |ca| write!(f, " by {ca}"))
}

fn directory_server(server: &DirectoryServer, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match server.known() {
        Ok(Some(known)) => write!(f, "{} base {}, proven by {}", known.uri, known.base, known.ca),
        Ok(None) => f.write_str("none"),
        Err(error) => write!(f, "not whole: {error}"),
    }
}

fn time_servers(time: &TimeServers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if time.servers.is_empty() {
        return f.write_str("those of the distribution");
    }
    let names: Vec<_> = time.servers.iter().map(ServerName::as_str).collect();
    f.write_str(&names.join(", "))?;
    match time.proof {
        TimeProof::Nothing => Ok(()),
        TimeProof::Nts => f.write_str(", by NTS"),
    }
}

fn excerpt(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let shown: String = text.chars().take(LONGEST).collect();
    let rest = if shown.len() < text.len() { "..." } else { "" };
    write!(f, "{shown:?}{rest} ({} bytes)", text.len())
}

fn host_media(media: &HostMedia, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(media.level.word())?;
    let granted: Vec<_> = media.granted.iter().map(|kind| kind.word()).collect();
    if granted.is_empty() { Ok(()) } else { write!(f, ", the host may have {}", granted.join(", ")) }
}

fn limit(limit: &Limit, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match limit {
        Limit::Attempts { failures, period, unlocking } => {
            write!(f, "{failures} failures within {period} s lock ")?;
            match unlocking {
                Unlocking::After(seconds) => write!(f, "for {seconds} s"),
                Unlocking::ByAdministrator => f.write_str("until an Administrator unlocks"),
            }
        }
        Limit::Delay { first, longest } => write!(f, "each failure delays, {first} s to {longest} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Banner, BannerText, PasswordStrength, SettingName};
    use super::*;

    #[test]
    fn every_value_is_one_line() {
        let text = BannerText::new(&"Warning\n".repeat(100)).unwrap();
        let long = Setting::Banner(Banner { text: Some(text), acknowledgement: Acknowledgement::Required });
        let password = |minimum_length, classes| {
            Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength { minimum_length, classes }))
        };
        for (value, expected) in [
            (SettingName::AuditServer.default_value(), "none"),
            (SettingName::Banner.default_value(), "none"),
            (SettingName::HostMedia.default_value(), "no-automount"),
            (
                SettingName::Lockout.default_value(),
                "5 failures within 900 s lock for 600 s, everywhere, the time left is told",
            ),
            (SettingName::PasswordPolicy.default_value(), "distribution"),
            (password(15, 1), "at least 15 characters"),
            (password(20, 3), "at least 20 characters of 3 classes or more"),
            (SettingName::RemoteTimeout.default_value(), "never"),
            (SettingName::ScreenLock.default_value(), "personal"),
            (SettingName::ScreenLockTimeout.default_value(), "personal"),
        ] {
            assert_eq!(value.to_string(), expected);
        }
        let line = long.to_string();
        assert!(line.ends_with("... (800 bytes), must be accepted") && !line.contains('\n'), "{line}");
    }
}
