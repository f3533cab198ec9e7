// SPDX-License-Identifier: Apache-2.0
//! Whether every way to log in leads past our module, and what weakens it.

mod service;

use crate::takeover::finding::Finding;
use crate::takeover::host::Host;
use crate::takeover::logins::service::{Realm, Service};
use crate::takeover::stacks::{self, PROFILES, Wish};
use crate::takeover::trouble::Trouble;

const AGAIN: &str = "`apt install --reinstall libpam-virtwarden`";

/// Modules that look at a factor: a service that asks one of them and not ours is a way round the lockout.
const FACTORS: &[&str] = &[
    "pam_fprintd.so",
    "pam_google_authenticator.so",
    "pam_krb5.so",
    "pam_ldap.so",
    "pam_oath.so",
    "pam_pkcs11.so",
    "pam_sss.so",
    "pam_u2f.so",
    "pam_unix.so",
    "pam_winbind.so",
];

/// Services whose sessions people work in, or that run something for them.
const SESSIONS: &[&str] = &[
    "atd",
    "cron",
    "gdm-password",
    "lightdm",
    "login",
    "sddm",
    "sshd",
    "su",
    "su-l",
    "sudo",
    "sudo-i",
    "systemd-user",
];

/// Services that no login program asks for: sssd does, and only if its configuration names it, once a login's own stack
/// has led to `pam_sss.so` past us.
const INNER: &[&str] = &["sssd-shadowutils"];

/// Everything about logins.
pub(crate) fn look(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let looks =
        [installed(host), by_hand(host)?, services(host), sshd(host), kernel(host), second_lockout(host)];
    let found: Vec<Finding> = looks.into_iter().flatten().collect();
    if found.is_empty() { Ok(vec![Finding::good("every login leads past the monitor")]) } else { Ok(found) }
}

fn installed(host: &Host<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let directories = host.list("/usr/lib").into_iter().map(|name| format!("/usr/lib/{name}/security"));
    if !directories.into_iter().any(|directory| host.has(&format!("{directory}/pam_virtwarden.so"))) {
        found.push(Finding::problem("pam_virtwarden.so is missing: login programs may let nobody in", AGAIN));
    }
    for profile in PROFILES.iter().filter(|name| !host.has(&format!("/usr/share/pam-configs/{name}"))) {
        found.push(Finding::problem(format!("/usr/share/pam-configs/{profile} is missing"), AGAIN));
    }
    found
}

/// Lines that are missing altogether are drift, and named there.
fn by_hand(host: &Host<'_>) -> Result<Vec<Finding>, Trouble> {
    let mut found: Vec<Finding> = stacks::short_jumps(host)
        .into_iter()
        .map(|line| {
            let what = format!("/etc/pam.d/common-auth: `{line}` does not reach past pam_deny.so");
            Finding::problem(
                what,
                "raise its `success=N` by one: the line `failed` is to be jumped over, too",
            )
        })
        .collect();
    if stacks::missing(host).is_empty() && stacks::rehearse(host, Wish::Disable)?.is_none() {
        found.push(Finding::warning(
            "the login stacks were edited by hand, so that pam-auth-update leaves them alone",
            "what packages bring for them, and what `virtwarden disable` takes out, is done by hand too",
        ));
    }
    Ok(found)
}

fn services(host: &Host<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for service in Service::all(host) {
        let factors = service.modules(host, Realm::Auth);
        let asked = |realm| service.modules(host, realm).iter().any(|module| module == stacks::MODULE);
        let is_inner = INNER.contains(&service.name());
        if factors.iter().any(|module| FACTORS.contains(&module.as_str())) && !is_inner && !asked(Realm::Auth)
        {
            found.push(Finding::problem(
                format!("{} looks at factors past the lockout", service.path()),
                "let it `@include common-auth`",
            ));
        }
        if SESSIONS.contains(&service.name()) && !asked(Realm::Session) {
            found.push(Finding::warning(
                format!("sessions of {} are not known: nobody is Administrator in them", service.path()),
                "let it `@include common-session`",
            ));
        }
    }
    found
}

/// Asks sshd for the configuration that it would start with.
fn sshd(host: &Host<'_>) -> Vec<Finding> {
    if !host.has("/usr/sbin/sshd") {
        return Vec::new();
    }
    let settings = match host.run("/usr/sbin/sshd", &["-T"]) {
        Ok(settings) => settings,
        Err(trouble) => {
            return vec![Finding::warning(format!("sshd does not tell how it is set up: {trouble}"), "")];
        }
    };
    if settings.lines().any(|line| line.eq_ignore_ascii_case("usepam no")) {
        return vec![Finding::problem(
            "sshd does not use PAM: its logins are not counted, and nobody is Administrator in them",
            "`UsePAM yes` in /etc/ssh/sshd_config",
        )];
    }
    Vec::new()
}

fn kernel(host: &Host<'_>) -> Vec<Finding> {
    if host.has("/proc/self/loginuid") && host.has("/proc/self/sessionid") {
        return Vec::new();
    }
    vec![Finding::problem(
        "this kernel does not know who has logged in: nobody is Administrator",
        "a kernel with CONFIG_AUDIT, as Debian's have",
    )]
}

fn second_lockout(host: &Host<'_>) -> Vec<Finding> {
    let counts = |service: &Service| {
        service.modules(host, Realm::Auth).iter().any(|module| module == "pam_faillock.so")
    };
    let names: Vec<String> = Service::all(host).iter().filter(|s| counts(s)).map(Service::path).collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![Finding::warning(
        format!("pam_faillock counts as well, in {}: its locks are in no record", names.join(", ")),
        "use one of the two",
    )]
}
