// SPDX-License-Identifier: Apache-2.0
//! Settings, the banner and the lockout policy.

use virtwarden_core::control::{FailureKind, Mode, Reply, Request, ScreenWish, SettingRow, SettingSource};
use virtwarden_core::setting::{
    Acknowledgement, AuditServer, Banner, BannerText, Counted, Disclosure, IdleLimit, Limit, Lockout,
    PasswordPolicy, PasswordStrength, RemoteTimeout, Setting, SettingName, Unlocking,
};

use crate::scene::{Scene, changed, command, failure};

fn shown(setting: Setting) -> Vec<Reply> {
    vec![Reply::Settings(vec![SettingRow { setting, source: SettingSource::Default, drift: Vec::new() }])]
}

/// policyd answers what the setting is now, on a connection of its own, and then takes the change.
fn asked_to_set(typed: &[&str], now: Setting) -> Request {
    let scene = Scene::new();
    let change = changed(Mode::Apply, "before -> after").remove(0);
    let policyd = scene.policyd_of_two([shown(now), change]);
    let run = scene.run(typed);
    assert_eq!((run.code(), run.out().as_str()), (0, "changed: before -> after\n"), "{}", run.err());
    policyd.join().unwrap().pop().unwrap()
}

#[test]
fn what_is_typed_is_what_is_set() {
    let by_attempts = |failures, period, unlocking| Limit::Attempts { failures, period, unlocking };
    let lockout = |limit| Setting::Lockout(Lockout { limit, ..Lockout::default() });
    let silent = Lockout { counted: Counted::Remote, disclosure: Disclosure::Nothing, ..Lockout::default() };
    let banner = |text: &str, acknowledgement| {
        Setting::Banner(Banner { text: Some(BannerText::new(text).unwrap()), acknowledgement })
    };
    for (typed, expected) in [
        (
            &["lockout", "set", "--attempts", "3", "--period", "1h", "--unlock", "never"][..],
            lockout(by_attempts(3, 3600, Unlocking::ByAdministrator)),
        ),
        (
            &["lockout", "set", "--delay", "2s", "--longest", "10 min"],
            lockout(Limit::Delay { first: 2, longest: 600 }),
        ),
        (&["lockout", "set", "--counted", "remote", "--silent"], Setting::Lockout(silent)),
        (
            &["setting", "set", "password-policy", "minimum-length=20", "classes=3"],
            Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength {
                minimum_length: 20,
                classes: 3,
            })),
        ),
        (
            &["setting", "set", "remote-timeout", "idle=15m"],
            Setting::RemoteTimeout(RemoteTimeout { idle: IdleLimit::After(900) }),
        ),
        (
            &["banner", "set", "Mind \\u the gap.", "--accept", "required"],
            banner("Mind \\u the gap.", Acknowledgement::Required),
        ),
    ] {
        let now = expected.name().default_value();
        let with_reason = [typed, &["--reason", "site rule 4"]].concat();
        let request =
            Request::SettingSet { setting: expected, reason: "site rule 4".into(), mode: Mode::Apply };
        assert_eq!(asked_to_set(&with_reason, now), request);
    }
}

#[test]
fn ones_own_screen_is_asked_for_in_one_request() {
    let own = |wish, mode| Request::ScreenOwn { wish, mode };
    let wish = |seconds, delay| Some(ScreenWish { seconds, delay });
    for (typed, mode, expected) in [
        (&["screen", "shorten", "5m"][..], Mode::Apply, wish(300, None)),
        (&["screen", "shorten", "1h 30m", "--delay", "0s", "--dry-run"], Mode::DryRun, wish(5400, Some(0))),
        (&["screen", "restore"], Mode::Apply, None),
    ] {
        let scene = Scene::new();
        let policyd = scene.policyd(vec![changed(mode, "before -> after").remove(0)]);
        let run = scene.run(typed);
        assert_eq!(policyd.join().unwrap(), [own(expected, mode)]);
        let says_when = run.out().contains("where you log in from now on");
        assert_eq!(says_when, expected.is_some() && mode == Mode::Apply, "{}", run.out());
        assert!(run.out().contains("before -> after"), "{}", run.err());
    }
}

#[test]
fn what_cannot_be_is_said_before_anything_is_asked() {
    for (typed, said) in [
        (&["lockout", "set"][..], "--attempts"),
        (&["lockout", "set", "--attempts", "3", "--delay", "2s"], "cannot be used with"),
        (&["lockout", "set", "--period", "15"], "with its unit"),
        (&["lockout", "set", "--tell", "--silent"], "cannot be used with"),
        (&["lockout", "set", "--counted", "nowhere"], "everywhere"),
        (&["lockout", "unlock", "alice", "--local", "--remote"], "cannot be used with"),
        (&["setting", "set", "remote-timeout"], "KEY=VALUE"),
        (&["setting", "set", "remote-timeout", "idle"], "KEY=VALUE"),
        (&["setting", "set", "nothing", "a=b"], "password-policy"),
        (&["setting", "set", "banner", "text=x"], "virtwarden banner set"),
        (&["screen", "shorten"], "TIME"),
        (&["screen", "shorten", "5"], "with its unit"),
        (&["banner", "set"], "--accept"),
        (&["banner", "set", ""], "the banner is empty"),
        (&["banner", "set", "a\u{1b}[2J"], "U+001B"),
        (&["banner", "preview", "a\u{202e}b"], "U+202E"),
        (&["session", "elevate", "--lower", "--stdin"], "cannot be used with"),
    ] {
        let run = Scene::new().run(typed);
        assert_eq!(run.code(), 2, "{typed:?} {}", run.err());
        assert!(run.err().contains(said), "{typed:?} {}", run.err());
    }
}

#[test]
fn a_value_out_of_range_is_not_even_sent() {
    for (typed, now) in [
        (&["lockout", "set", "--attempts", "0"][..], SettingName::Lockout),
        (&["setting", "set", "password-policy", "minimum-length=7"], SettingName::PasswordPolicy),
        (&["setting", "set", "remote-timeout", "idle=30s"], SettingName::RemoteTimeout),
    ] {
        let scene = Scene::new();
        let policyd = scene.policyd(vec![shown(now.default_value())]);
        let run = scene.run(typed);
        assert_eq!(policyd.join().unwrap(), [Request::SettingShow { name: now }]);
        assert_eq!(run.code(), 2, "{}", run.err());
    }
}

#[test]
fn who_may_not_look_is_refused_what_he_tried_to_set() {
    let lockout = Lockout { limit: Limit::Delay { first: 1, longest: 1 }, ..Lockout::default() };
    let banner = Banner { text: Some(BannerText::new("mine").unwrap()), ..Banner::default() };
    let server = AuditServer { port: 1, ..AuditServer::default() };
    for (typed, tried) in [
        (&["setting", "set", "remote-timeout", "idle=never"][..], SettingName::RemoteTimeout.default_value()),
        // What is not whole, and what is out of range.
        (&["setting", "set", "audit-server", "port=1"], Setting::AuditServer(server)),
        (&["lockout", "set", "--delay", "1s", "--longest", "1s"], Setting::Lockout(lockout)),
        (&["banner", "set", "mine"], Setting::Banner(banner)),
    ] {
        let scene = Scene::new();
        let denied = || failure(FailureKind::Denied).remove(0);
        let policyd = scene.policyd_of_two([denied(), denied()]);
        let run = scene.run(typed);
        assert_eq!((run.code(), run.err().as_str()), (3, "virtwarden: because\n"), "{typed:?}");
        let name = tried.name();
        let set = Request::SettingSet { setting: tried, reason: String::new(), mode: Mode::Apply };
        assert_eq!(policyd.join().unwrap(), [Request::SettingShow { name }, set], "{typed:?}");
    }
}

#[test]
fn a_setting_is_shown_with_who_set_it_and_what_differs() {
    let row = SettingRow {
        setting: Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength {
            minimum_length: 20,
            classes: 3,
        })),
        source: SettingSource::Set { by: "alice".into(), at: 1_795_253_415, reason: "site rule 4".into() },
        drift: vec!["pwquality.conf: minlen is 8, not 20".into()],
    };
    let run = |typed: &[&str]| {
        let scene = Scene::new();
        let policyd = scene.policyd(vec![vec![Reply::Settings(vec![row.clone()])]]);
        let run = scene.run(typed);
        policyd.join().unwrap();
        assert_eq!(run.code(), 0, "{}", run.err());
        run.out()
    };
    let text = run(&["setting", "show", "password-policy"]);
    for said in ["minimum-length  20", "alice, 2026-11-21 09:30:15 UTC", "site rule 4", "minlen is 8, not 20"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
    let table = run(&["setting", "list"]);
    assert!(table.contains("20") && table.contains("DIFFERS"), "{table}");
    let rows: Vec<SettingRow> = serde_json::from_str(&run(&["setting", "list", "--json"])).unwrap();
    assert_eq!(rows, std::slice::from_ref(&row));
}

#[test]
fn a_preview_shows_the_text_literally_and_needs_no_policyd() {
    let run = Scene::new().run(&["banner", "preview", "One \\l\n\tTwo"]);
    assert_eq!(run.code(), 0, "{}", run.err());
    assert_eq!(run.out().matches("One \\l\n\tTwo\n").count(), 4, "{}", run.out());
    assert!(run.out().contains("ssh alice@host") && run.out().contains("host login:"), "{}", run.out());
}

#[test]
fn a_text_can_come_from_standard_input() {
    use std::io::Write;
    use std::process::Stdio;

    let scene = Scene::new();
    let mut child = command()
        .arg("--socket")
        .arg(scene.socket())
        .args(["banner", "preview", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all("Nur für Befugte\n".as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Nur für Befugte\n") && text.contains("UTF-8"), "{text}");
}
