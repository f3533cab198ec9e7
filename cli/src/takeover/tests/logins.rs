// SPDX-License-Identifier: Apache-2.0
//! Stories about the login stacks.

use super::fake::Fake;
use super::steps;
use crate::takeover::disable;
use crate::takeover::enable::{Enabled, enable};
use crate::takeover::finding::Severity;
use crate::takeover::host::Host;
use crate::takeover::journal::Journal;
use crate::takeover::logins;
use crate::takeover::stacks;
use crate::takeover::standing::Standing;

const AUTH: &str = "/etc/pam.d/common-auth";

const APPLIED: &str = "/usr/lib/virtwarden/virtwarden-settingsd --apply-all";

const BY_HAND: &str = "# by hand\nauth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n";

fn give_up(host: &Host<'_>) -> Result<(), crate::takeover::trouble::Trouble> {
    let mut journal = Journal::load(host).unwrap().unwrap();
    disable::check(host, &journal)?;
    disable::give_back(host, &mut journal)
}

fn enabled(fake: &Fake) {
    let host = fake.host();
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::Now));
}

#[test]
fn login_programs_ask_only_while_somebody_answers() {
    let fake = Fake::new();
    enabled(&fake);
    assert!(fake.read(AUTH).contains("pam_virtwarden.so begin"));

    let fake = Fake::new();
    let host = fake.host();
    fake.break_unit("virtwarden-policyd.service");
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::RolledBack(_)));
    assert!(!fake.commands().iter().any(|command| command.contains("--disable")), "they were never touched");
}

#[test]
fn the_module_comes_last_and_goes_first() {
    let fake = Fake::new();
    enabled(&fake);
    let at = |words: &str| fake.commands().iter().position(|command| command.contains(words)).unwrap();
    assert!(at("systemctl start virtwarden-policyd.socket") < at("settingsd --apply-all"));
    assert_eq!(fake.commands().last().map(String::as_str), Some(APPLIED));

    let auth = fake.read(AUTH);
    fake.forget_commands();
    fake.fail_after(0);
    give_up(&fake.host()).unwrap_err();
    assert_ne!(fake.read(AUTH), auth, "no other program is needed");
    assert!(!fake.read(AUTH).contains("virtwarden"));
}

#[test]
fn stacks_edited_by_hand_are_named_with_the_lines_they_lack() {
    let fake = Fake::new();
    let host = fake.host();
    fake.write(AUTH, BY_HAND, 0o644);
    let said = stacks::check(&host).unwrap_err().to_string();
    for wanted in
        ["/etc/pam.d/common-auth: `auth requisite pam_virtwarden.so begin`", "pam-auth-update --force"]
    {
        assert!(said.contains(wanted), "{said}");
    }
    let before = fake.picture();
    assert!(matches!(enable(&host, &steps(&host)).unwrap(), Enabled::RolledBack(_)));
    assert_eq!(fake.picture(), before);
}

#[test]
fn lines_written_by_hand_are_enough_and_keep_the_host_from_being_given_back() {
    let fake = Fake::new();
    let host = fake.host();
    for line in stacks::WANTED {
        let (path, text) = (line.file, line.to_string());
        let text = text.split('`').nth(1).unwrap();
        fake.write(path, &format!("{}{text}  # by hand\n", fake.read(path)), 0o644);
    }
    stacks::check(&host).unwrap();
    enabled(&fake);
    let said = give_up(&host).unwrap_err().to_string();
    assert!(said.contains("/etc/pam.d/common-account: account required pam_virtwarden.so"), "{said}");
    assert!(fake.picture().contains_key("unit virtwarden-login.socket"), "whoever asks is answered");
}

#[test]
fn what_another_package_changed_meanwhile_stays_changed() {
    let fake = Fake::new();
    let host = fake.host();
    enabled(&fake);
    fake.write(AUTH, &fake.read(AUTH).replace("# primary", "auth optional pam_other.so"), 0o644);
    assert!(steps(&host).iter().all(|step| step.standing == Standing::InPlace), "that is no drift");
    give_up(&host).unwrap();
    assert!(fake.read(AUTH).contains("pam_other.so") && !fake.read(AUTH).contains("virtwarden"));
    assert_eq!(fake.read("/var/lib/pam/seen"), "unix\nsystemd\n");
}

#[test]
fn stacks_edited_meanwhile_keep_their_module_and_the_monitor() {
    let fake = Fake::new();
    let host = fake.host();
    enabled(&fake);
    fake.write(AUTH, &format!("{}# by hand\n", fake.read(AUTH)), 0o644);
    let said = give_up(&host).unwrap_err().to_string();
    assert!(said.contains("auth [default=die] pam_virtwarden.so failed"), "{said}");
    assert!(fake.picture().contains_key("unit virtwarden-login.socket"), "whoever asks is answered");

    fake.write(AUTH, BY_HAND, 0o644);
    give_up(&host).unwrap();
    assert_eq!(fake.read(AUTH), BY_HAND);
}

#[test]
fn a_factor_that_jumps_too_short_is_found_before_anybody_is_locked_out() {
    let fake = Fake::new();
    let host = fake.host();
    enabled(&fake);
    let lines = "auth requisite pam_virtwarden.so begin\nauth [success=1 default=ignore] pam_unix.so\n\
                 auth [default=die] pam_virtwarden.so failed\nauth requisite pam_deny.so\n\
                 auth required pam_virtwarden.so passed # by hand\n";
    fake.write(AUTH, lines, 0o644);
    let said = stacks::check(&host).unwrap_err().to_string();
    assert!(said.contains("`auth [success=1 default=ignore] pam_unix.so`"), "{said}");
    fake.write(AUTH, &lines.replace("success=1", "success=2"), 0o644);
    stacks::check(&host).unwrap();
}

#[test]
fn whatever_weakens_logins_is_found() {
    let table = [
        (
            "/etc/pam.d/ftp",
            "auth required pam_unix.so\n",
            Severity::Problem,
            "/etc/pam.d/ftp looks at factors",
        ),
        (
            "/usr/lib/pam.d/x",
            "-auth [default=ok] /lib/pam_sss.so\n",
            Severity::Problem,
            "/usr/lib/pam.d/x looks",
        ),
        ("/etc/pam.d/sshd", "@include common-auth\n", Severity::Warning, "sessions of /etc/pam.d/sshd"),
        (
            "/etc/pam.d/su",
            "auth substack sshd\nsession include sshd\nauth required pam_faillock.so\n",
            Severity::Warning,
            "pam_faillock counts as well, in /etc/pam.d/su:",
        ),
        (AUTH, BY_HAND, Severity::Problem, "/etc/pam.d/sshd looks at factors"),
    ];
    for (path, text, severity, what) in table {
        let fake = Fake::new();
        enabled(&fake);
        fake.write(path, text, 0o644);
        let found = logins::look(&fake.host()).unwrap();
        assert!(
            found.iter().any(|f| f.severity == severity && f.what.starts_with(what)),
            "{what}: {found:?}"
        );
    }
}

#[test]
fn what_sssd_asks_within_a_login_is_no_way_past() {
    let fake = Fake::new();
    enabled(&fake);
    fake.write("/etc/pam.d/sssd-shadowutils", "auth [success=done default=die] pam_unix.so\n", 0o644);
    let found = logins::look(&fake.host()).unwrap();
    assert!(found.iter().all(|f| f.severity == Severity::Good), "{found:?}");
}

#[test]
fn an_sshd_without_pam_is_found() {
    let fake = Fake::new();
    enabled(&fake);
    fake.write("/usr/sbin/sshd", "", 0o755);
    fake.answer("/usr/sbin/sshd -T", "port 22\nusepam no\n");
    let found = logins::look(&fake.host()).unwrap();
    assert!(
        found.iter().any(|f| f.severity == Severity::Problem && f.what.contains("sshd does not use PAM"))
    );
}
