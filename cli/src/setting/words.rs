// SPDX-License-Identifier: Apache-2.0
//! Settings as people read them.

use virtwarden_core::media::Kind;
use virtwarden_core::setting::{
    Acknowledgement, AuditServer, Banner, Counted, DirectoryServer, Disclosure, HostMedia, IdleLimit, Limit,
    PasswordPolicy, RemoteTimeout, ScreenIdle, ScreenLockTimeout, ServerName, Setting, TemplateName,
    TimeProof, TimeServers, Unlocking,
};

use crate::duration::spelled;
use crate::screen::times;

/// A setting with a name for each of its parts. The names are those that `setting set` takes, where it does.
pub(super) fn lines(setting: &Setting) -> Vec<[String; 2]> {
    let pairs: Vec<(&str, String)> = match setting {
        Setting::AuditServer(server) => audit_server(server),
        Setting::Banner(banner) => banner_lines(banner),
        Setting::DirectoryServer(server) => directory_server(server),
        Setting::DefaultVm(vm) => vec![
            ("template", vm.template.as_ref().map_or("policy", TemplateName::as_str).to_owned()),
            ("memory", format!("{}M", vm.memory)),
            ("vcpus", vm.vcpus.to_string()),
        ],
        Setting::HostMedia(media) => host_media(media),
        Setting::Lockout(lockout) => vec![
            ("limit", limited(lockout.limit)),
            ("counted", counted_words(lockout.counted).to_owned()),
            ("told", disclosure_words(lockout.disclosure).to_owned()),
        ],
        Setting::PasswordPolicy(PasswordPolicy::Distribution) => {
            ["minimum-length", "classes"].map(|part| (part, "distribution".to_owned())).to_vec()
        }
        Setting::PasswordPolicy(PasswordPolicy::AtLeast(strength)) => vec![
            ("minimum-length", strength.minimum_length.to_string()),
            ("classes", strength.classes.to_string()),
        ],
        Setting::RemoteTimeout(timeout) => vec![("idle", idle(*timeout))],
        Setting::ScreenLock(lock) => vec![("lock", lock.locking.word().to_owned())],
        Setting::ScreenLockTimeout(timeout) => return screen(timeout),
        Setting::TlsCryptography(value) => vec![("suite", value.suite.word().to_owned())],
        Setting::IpsecCryptography(value) => vec![("suite", value.suite.word().to_owned())],
        Setting::CertificateValidity(value) => vec![("action", value.action.word().to_owned())],
        Setting::SshCryptography(ssh) => vec![("suite", ssh.suite.word().to_owned())],
        Setting::TimeServers(time) => {
            vec![("servers", servers(time)), ("proof", proof(time.proof).to_owned())]
        }
    };
    pairs.into_iter().map(|(name, value)| [name.to_owned(), value]).collect()
}

fn audit_server(server: &AuditServer) -> Vec<(&'static str, String)> {
    let AuditServer { address, port, peer, ca } = server;
    let Some(address) = address else { return vec![("address", "none".to_owned())] };
    let mut lines = vec![
        ("address", address.to_string()),
        ("port", port.to_string()),
        ("peer", peer.as_ref().unwrap_or(address).to_string()),
    ];
    lines.extend(ca.as_ref().map(|ca| ("ca", format!("certificates that end in {ca}"))));
    lines
}

fn directory_server(server: &DirectoryServer) -> Vec<(&'static str, String)> {
    let Ok(Some(known)) = server.known() else { return vec![("address", "none".to_owned())] };
    vec![
        ("server", known.uri),
        ("protection", known.protection.word().to_owned()),
        ("base", known.base.to_string()),
        ("ca", format!("certificates that end in {}", known.ca)),
    ]
}

fn banner_lines(banner: &Banner) -> Vec<(&'static str, String)> {
    let mut lines: Vec<_> = match &banner.text {
        Some(text) => text.as_str().lines().map(|line| ("", line.to_owned())).collect(),
        None => vec![("", "none".to_owned())],
    };
    if let Some(first) = lines.first_mut() {
        first.0 = "text";
    }
    lines.push(("acceptance", acknowledgement(banner.acknowledgement).to_owned()));
    lines
}

fn host_media(media: &HostMedia) -> Vec<(&'static str, String)> {
    let words = |kinds: Vec<Kind>| match kinds.as_slice() {
        [] => "nothing".to_owned(),
        kinds => kinds.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", "),
    };
    vec![("level", media.level.word().to_owned()), ("kept from the host", words(media.closed()))]
}

fn acknowledgement(acknowledgement: Acknowledgement) -> &'static str {
    match acknowledgement {
        Acknowledgement::NotAsked => "not asked",
        Acknowledgement::Required => "required of Administrators, once in each session",
    }
}

/// How failures are limited.
fn limited(limit: Limit) -> String {
    match limit {
        Limit::Attempts { failures, period, unlocking } => {
            let lasts = match unlocking {
                Unlocking::After(seconds) => format!("for {}", spelled(seconds.into())),
                Unlocking::ByAdministrator => "until an Administrator unlocks".to_owned(),
            };
            format!("{failures} failures within {} lock {lasts}", spelled(period.into()))
        }
        Limit::Delay { first, longest } => format!(
            "a failure delays the next attempt by {}, doubling up to {}",
            spelled(first.into()),
            spelled(longest.into())
        ),
    }
}

fn counted_words(counted: Counted) -> &'static str {
    match counted {
        Counted::Remote => "remote logins only",
        Counted::Everywhere => "everywhere",
    }
}

fn disclosure_words(disclosure: Disclosure) -> &'static str {
    match disclosure {
        Disclosure::Remaining => "that it is locked, and for how long",
        Disclosure::Nothing => "nothing",
    }
}

fn servers(time: &TimeServers) -> String {
    let names: Vec<_> = time.servers.iter().map(ServerName::as_str).collect();
    if names.is_empty() { "distribution".to_owned() } else { names.join(",") }
}

fn proof(proof: TimeProof) -> &'static str {
    match proof {
        TimeProof::Nothing => "nothing",
        TimeProof::Nts => "nts",
    }
}

fn screen(timeout: &ScreenLockTimeout) -> Vec<[String; 2]> {
    let ScreenIdle::After { seconds, delay } = timeout.idle else {
        return vec![["idle", "personal"].map(str::to_owned)];
    };
    let everybody =
        [["idle".to_owned(), spelled(seconds.into())], ["delay".to_owned(), spelled(delay.into())]];
    let own = timeout.shortened().filter_map(|(number, idle)| {
        let ScreenIdle::After { seconds, delay } = idle else { return None };
        let account = &timeout.own.get(&number)?.account;
        Some([format!("shorter for {account}"), times(seconds, delay)])
    });
    everybody.into_iter().chain(own).collect()
}

fn idle(timeout: RemoteTimeout) -> String {
    match timeout.idle {
        IdleLimit::Never => "never".to_owned(),
        IdleLimit::After(seconds) => format!("after {}", spelled(seconds.into())),
    }
}

#[cfg(test)]
mod tests {
    use virtwarden_core::setting::{BannerText, SettingName};

    use super::*;

    fn told(setting: &Setting) -> String {
        lines(setting).into_iter().map(|[name, value]| format!("{name}: {value}\n")).collect()
    }

    #[test]
    fn each_part_of_a_setting_has_its_line() {
        let text = Some(BannerText::new("One\nTwo").unwrap());
        let banner = Setting::Banner(Banner { text, acknowledgement: Acknowledgement::Required });
        for (setting, expected) in [
            (
                SettingName::Lockout.default_value(),
                "limit: 5 failures within 15 min lock for 10 min\ncounted: everywhere\n\
                 told: that it is locked, and for how long\n",
            ),
            (
                SettingName::PasswordPolicy.default_value(),
                "minimum-length: distribution\nclasses: distribution\n",
            ),
            (SettingName::RemoteTimeout.default_value(), "idle: never\n"),
            (
                SettingName::HostMedia.default_value(),
                "level: no-automount\nkept from the host: usb-storage, optical, sd-card\n",
            ),
            (SettingName::Banner.default_value(), "text: none\nacceptance: not asked\n"),
            (banner, "text: One\n: Two\nacceptance: required of Administrators, once in each session\n"),
        ] {
            assert_eq!(told(&setting), expected);
        }
        let delay = Limit::Delay { first: 2, longest: 3600 };
        assert_eq!(limited(delay), "a failure delays the next attempt by 2 s, doubling up to 1 h");
    }
}
