// SPDX-License-Identifier: Apache-2.0
//! `KEY=VALUE` on the command line, merged into a setting as it is.

mod servers;

use virtwarden_core::setting::{
    CertificateValidity, DefaultVm, HostLevel, HostMedia, IdleLimit, IpsecCryptography, IpsecSuite, Locking,
    PasswordPolicy, PasswordStrength, RemoteTimeout, ScreenIdle, ScreenLock, ScreenLockTimeout, Setting,
    SettingName, SshCryptography, SshSuite, TemplateName, TlsCryptography, TlsSuite, ValidityAction,
};

use self::servers::{audit_server, directory_server, time_servers};
use crate::arguments::{Pair, mebibytes};
use crate::duration::{parse_duration, parse_duration_or_never};
use crate::exit::Failed;

/// Whether the setting is set by pairs at all.
pub(super) fn check(name: SettingName) -> Result<(), Failed> {
    match name {
        SettingName::Banner => Err(Failed::usage("the banner is set with `virtwarden banner set`")),
        SettingName::Lockout => Err(Failed::usage("the lockout is set with `virtwarden lockout set`")),
        SettingName::DefaultVm
        | SettingName::HostMedia
        | SettingName::PasswordPolicy
        | SettingName::AuditServer
        | SettingName::DirectoryServer
        | SettingName::RemoteTimeout
        | SettingName::ScreenLock
        | SettingName::ScreenLockTimeout
        | SettingName::SshCryptography
        | SettingName::CertificateValidity
        | SettingName::IpsecCryptography
        | SettingName::TimeServers
        | SettingName::TlsCryptography => Ok(()),
    }
}

/// The setting with these parts changed. Ranges are checked by the setting itself.
pub(super) fn merged(setting: Setting, pairs: &[Pair]) -> Result<Setting, Failed> {
    check(setting.name())?;
    pairs.iter().try_fold(setting, |setting, pair| match setting {
        Setting::AuditServer(server) => audit_server(server, pair).map(Setting::AuditServer),
        Setting::DirectoryServer(server) => directory_server(server, pair).map(Setting::DirectoryServer),
        Setting::DefaultVm(vm) => default_vm(vm, pair).map(Setting::DefaultVm),
        Setting::HostMedia(media) => host_media(media, pair).map(Setting::HostMedia),
        Setting::PasswordPolicy(policy) => password_policy(policy, pair).map(Setting::PasswordPolicy),
        Setting::RemoteTimeout(_) => remote_timeout(pair).map(Setting::RemoteTimeout),
        Setting::ScreenLock(_) => screen_lock(pair).map(Setting::ScreenLock),
        Setting::ScreenLockTimeout(timeout) => {
            screen_lock_timeout(timeout, pair).map(Setting::ScreenLockTimeout)
        }
        Setting::SshCryptography(_) => ssh_cryptography(pair).map(Setting::SshCryptography),
        Setting::TimeServers(time) => time_servers(time, pair).map(Setting::TimeServers),
        Setting::CertificateValidity(_) => certificate_validity(pair).map(Setting::CertificateValidity),
        Setting::IpsecCryptography(_) => ipsec_cryptography(pair).map(Setting::IpsecCryptography),
        Setting::TlsCryptography(_) => tls_cryptography(pair).map(Setting::TlsCryptography),
        Setting::Banner(_) | Setting::Lockout(_) => Ok(setting),
    })
}

fn default_vm(vm: DefaultVm, pair: &Pair) -> Result<DefaultVm, Failed> {
    let wrong = |why: String| Failed::usage(format!("{}=`{}`: {why}", pair.key, pair.value));
    match (pair.key.as_str(), pair.value.as_str()) {
        ("template", "policy") => Ok(DefaultVm { template: None, ..vm }),
        ("template", name) => {
            let name = TemplateName::new(name).map_err(|error| wrong(error.to_string()))?;
            Ok(DefaultVm { template: Some(name), ..vm })
        }
        ("memory", size) => Ok(DefaultVm { memory: mebibytes(size).map_err(wrong)?, ..vm }),
        ("vcpus", _) => Ok(DefaultVm { vcpus: number(pair)?, ..vm }),
        _ => Err(unknown(pair, "`template`, `memory` and `vcpus`")),
    }
}

fn host_media(media: HostMedia, pair: &Pair) -> Result<HostMedia, Failed> {
    one_of(pair, "level", HostLevel::ALL, HostLevel::word).map(|level| HostMedia { level, ..media })
}

fn password_policy(policy: PasswordPolicy, pair: &Pair) -> Result<PasswordPolicy, Failed> {
    let now = policy.strength();
    let strength = match pair.key.as_str() {
        "minimum-length" => PasswordStrength { minimum_length: number(pair)?, ..now },
        "classes" => PasswordStrength { classes: number(pair)?, ..now },
        _ => return Err(unknown(pair, "`minimum-length` and `classes`")),
    };
    Ok(PasswordPolicy::AtLeast(strength))
}

fn remote_timeout(pair: &Pair) -> Result<RemoteTimeout, Failed> {
    if pair.key != "idle" {
        return Err(unknown(pair, "`idle`"));
    }
    let seconds = parse_duration_or_never(&pair.value)
        .map_err(|error| Failed::usage(format!("idle=`{}`: {error}", pair.value)))?;
    Ok(RemoteTimeout { idle: seconds.map_or(IdleLimit::Never, IdleLimit::After) })
}

fn screen_lock(pair: &Pair) -> Result<ScreenLock, Failed> {
    let all = [Locking::Enabled, Locking::Disabled, Locking::Personal];
    one_of(pair, "lock", all, Locking::word).map(|locking| ScreenLock { locking })
}

fn screen_lock_timeout(timeout: ScreenLockTimeout, pair: &Pair) -> Result<ScreenLockTimeout, Failed> {
    let length = || {
        let wrong = |error| Failed::usage(format!("{}=`{}`: {error}", pair.key, pair.value));
        parse_duration(&pair.value).map_err(wrong)
    };
    let idle = match (pair.key.as_str(), pair.value.as_str(), timeout.idle) {
        ("idle", "personal", _) => ScreenIdle::Personal,
        ("idle", _, ScreenIdle::Personal) => ScreenIdle::After { seconds: length()?, delay: 0 },
        ("idle", _, ScreenIdle::After { delay, .. }) => ScreenIdle::After { seconds: length()?, delay },
        ("delay", _, ScreenIdle::After { seconds, .. }) => ScreenIdle::After { seconds, delay: length()? },
        ("delay", _, ScreenIdle::Personal) => {
            return Err(Failed::usage("delay: name the time before it, such as `idle=15m delay=30s`"));
        }
        _ => return Err(unknown(pair, "`idle` and `delay`")),
    };
    Ok(ScreenLockTimeout { idle, ..timeout })
}

fn ssh_cryptography(pair: &Pair) -> Result<SshCryptography, Failed> {
    one_of(pair, "suite", SshSuite::ALL, SshSuite::word).map(|suite| SshCryptography { suite })
}

fn ipsec_cryptography(pair: &Pair) -> Result<IpsecCryptography, Failed> {
    one_of(pair, "suite", IpsecSuite::ALL, IpsecSuite::word).map(|suite| IpsecCryptography { suite })
}

fn tls_cryptography(pair: &Pair) -> Result<TlsCryptography, Failed> {
    one_of(pair, "suite", TlsSuite::ALL, TlsSuite::word).map(|suite| TlsCryptography { suite })
}

fn certificate_validity(pair: &Pair) -> Result<CertificateValidity, Failed> {
    one_of(pair, "action", ValidityAction::ALL, ValidityAction::word)
        .map(|action| CertificateValidity { action })
}

/// The value of the one key that a setting has.
fn one_of<T: Copy, const N: usize>(
    pair: &Pair,
    key: &str,
    all: [T; N],
    word: fn(T) -> &'static str,
) -> Result<T, Failed> {
    if pair.key != key {
        return Err(unknown(pair, &format!("`{key}`")));
    }
    let wrong = || {
        let words = all.map(word).join(", ");
        Failed::usage(format!("{key}=`{}`: expected one of {words}", pair.value))
    };
    all.into_iter().find(|value| word(*value) == pair.value).ok_or_else(wrong)
}

fn number<T: std::str::FromStr>(pair: &Pair) -> Result<T, Failed> {
    let wrong = |_| Failed::usage(format!("{}=`{}`: expected a small whole number", pair.key, pair.value));
    pair.value.parse().map_err(wrong)
}

fn unknown(pair: &Pair, known: &str) -> Failed {
    Failed::usage(format!("unknown key `{}`; this setting has {known}", pair.key))
}

#[cfg(test)]
mod tests {
    use super::super::keys::keys;
    use super::*;

    fn pair(key: &str, value: &str) -> Pair {
        Pair { key: key.to_owned(), value: value.to_owned() }
    }

    #[test]
    fn what_is_not_named_stays() {
        let policy = Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength {
            minimum_length: 20,
            classes: 3,
        }));
        let expected = Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength {
            minimum_length: 20,
            classes: 2,
        }));
        assert_eq!(merged(policy, &[pair("classes", "2")]).unwrap(), expected);
    }

    #[test]
    fn an_idle_time_is_a_length_or_never() {
        let timeout = |idle| Setting::RemoteTimeout(RemoteTimeout { idle });
        let set = |value: &str| merged(timeout(IdleLimit::Never), &[pair("idle", value)]);
        assert_eq!(set("15m").unwrap(), timeout(IdleLimit::After(900)));
        assert_eq!(set("never").unwrap(), timeout(IdleLimit::Never));
        assert!(set("15").unwrap_err().message.contains("with its unit"));
    }

    #[test]
    fn a_screen_is_locked_some_time_after_it_went_dark() {
        let timeout = |idle| Setting::ScreenLockTimeout(ScreenLockTimeout::everybody(idle));
        let set = |pairs: &[Pair]| merged(timeout(ScreenIdle::Personal), pairs);
        let expected = timeout(ScreenIdle::After { seconds: 900, delay: 30 });
        assert_eq!(set(&[pair("idle", "15m"), pair("delay", "30s")]).unwrap(), expected);
        assert_eq!(merged(expected, &[pair("idle", "personal")]).unwrap(), timeout(ScreenIdle::Personal));
    }

    #[test]
    fn what_is_offered_is_taken_and_what_is_taken_is_offered() {
        for name in SettingName::ALL.into_iter().filter(|name| check(*name).is_ok()) {
            let keys = keys(name);
            for (key, value) in keys.iter().flat_map(|(key, words)| words.iter().map(move |word| (key, word)))
            {
                merged(name.default_value(), &[pair(key, value)]).unwrap();
            }
            let said = merged(name.default_value(), &[pair("no-such-key", "1")]).unwrap_err().message;
            assert_eq!(said.matches('`').count() / 2 - 1, keys.len(), "{said}");
            assert!(keys.iter().all(|(key, _)| said.contains(&format!("`{key}`"))), "{said}");
        }
    }

    #[test]
    fn mistakes_name_the_way_out() {
        let policy = || Setting::PasswordPolicy(PasswordPolicy::default());
        for (setting, pair, said) in [
            (policy(), pair("length", "15"), "`minimum-length` and `classes`"),
            (policy(), pair("classes", "many"), "whole number"),
            (policy(), pair("classes", "256"), "whole number"),
            (SettingName::RemoteTimeout.default_value(), pair("time", "15m"), "has `idle`"),
            (SettingName::ScreenLock.default_value(), pair("lock", "never"), "enabled, disabled, personal"),
            (SettingName::ScreenLockTimeout.default_value(), pair("delay", "5s"), "idle=15m delay=30s"),
            (SettingName::ScreenLockTimeout.default_value(), pair("idle", "never"), "with its unit"),
            (SettingName::HostMedia.default_value(), pair("granted", "usb"), "has `level`"),
            (SettingName::HostMedia.default_value(), pair("level", "shut"), "open, no-automount, no-driver"),
            (SettingName::TlsCryptography.default_value(), pair("suite", "tls1.0"), "profile, profile-256"),
            (SettingName::TlsCryptography.default_value(), pair("ciphers", "RC4"), "has `suite`"),
            (SettingName::IpsecCryptography.default_value(), pair("suite", "3des"), "profile, profile-256"),
            (SettingName::CertificateValidity.default_value(), pair("action", "ask"), "refuse, accept"),
            (SettingName::Banner.default_value(), pair("text", "x"), "virtwarden banner set"),
            (SettingName::Lockout.default_value(), pair("attempts", "3"), "virtwarden lockout set"),
        ] {
            let failed = merged(setting, &[pair]).unwrap_err();
            assert!(failed.message.contains(said), "{}", failed.message);
        }
    }
}
