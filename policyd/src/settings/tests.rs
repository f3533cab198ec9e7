// SPDX-License-Identifier: Apache-2.0
use std::fs;
use std::io::Read;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use virtwarden_core::control::{Mode, Order, Report};
use virtwarden_core::setting::{BannerText, IdleLimit};

use super::*;

fn chosen(setting: Setting) -> Chosen {
    Chosen { setting, by: "alice".into(), at: 1_700_000_000, reason: "site rule 4".into() }
}

fn warning() -> Setting {
    let text = Some(BannerText::new("TEST TEST Warning Message TEST TEST").unwrap());
    Setting::Banner(Banner { text, ..Banner::default() })
}

#[test]
fn where_nobody_set_anything_the_defaults_hold() {
    let state = tempfile::tempdir().unwrap();
    let settings = Settings::open(state.path()).unwrap();
    assert_eq!(settings.condition(), &Condition::Fresh);
    assert_eq!(settings.lockout(), Lockout::default());
    assert_eq!(settings.banner(), Banner::default());
    assert_eq!(settings.password_policy(), PasswordPolicy::default());
    assert_eq!(settings.remote_timeout(), RemoteTimeout::default());
    assert_eq!(settings.source(SettingName::Banner), SettingSource::Default);
}

#[test]
fn what_somebody_chose_outlives_the_daemon_and_can_be_taken_back() {
    let state = tempfile::tempdir().unwrap();
    let timeout = RemoteTimeout { idle: IdleLimit::After(600) };
    {
        let settings = Settings::open(state.path()).unwrap();
        settings.change().keep(chosen(warning())).unwrap();
        settings.change().keep(chosen(Setting::RemoteTimeout(timeout))).unwrap();
        assert_eq!(settings.remote_timeout(), timeout);
    }
    let settings = Settings::open(state.path()).unwrap();
    assert_eq!(settings.condition(), &Condition::Sound);
    assert_eq!((settings.value(SettingName::Banner), settings.remote_timeout()), (warning(), timeout));
    let source = SettingSource::Set { by: "alice".into(), at: 1_700_000_000, reason: "site rule 4".into() };
    assert_eq!(settings.source(SettingName::Banner), source);
    settings.change().forget(SettingName::Banner).unwrap();
    assert_eq!(settings.banner(), Banner::default());
    assert_eq!(Settings::open(state.path()).unwrap().banner(), Banner::default());
}

#[test]
fn a_damaged_file_is_put_aside_and_the_defaults_hold() {
    for text in [
        "",
        "{\"format\":1,\"settings\":[",
        "{\"format\":2,\"settings\":[]}",
        "{\"format\":1,\"settings\":[{\"setting\":{\"password-policy\":{\"minimum-length\":1,\"classes\":1}},\"by\":\"\",\"at\":0,\"reason\":\"\"}]}",
        "{\"format\":1,\"settings\":[{\"setting\":{\"banner\":{\"text\":\"\\u001b[2J\"}},\"by\":\"\",\"at\":0,\"reason\":\"\"}]}",
    ] {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("settings.json"), text).unwrap();
        let settings = Settings::open(state.path()).unwrap();
        let Condition::Damaged { kept, .. } = settings.condition() else { panic!("{text} was read") };
        assert_eq!(fs::read_to_string(kept).unwrap(), text);
        assert!(settings.condition().warning().unwrap().contains("settings.damaged-1.json"));
        assert_eq!(settings.password_policy(), PasswordPolicy::default());
        assert!(!state.path().join("settings.json").exists());
    }
}

#[test]
fn a_value_that_cannot_be_kept_is_not_in_force() {
    let state = tempfile::tempdir().unwrap();
    let settings = Settings::open(state.path()).unwrap();
    fs::create_dir(state.path().join("settings.json.new")).unwrap();
    assert!(settings.change().keep(chosen(warning())).is_err());
    assert_eq!(settings.banner(), Banner::default());
}

/// A settingsd that reads one line and says this.
fn answering(answer: &'static [u8]) -> (tempfile::TempDir, Settingsd) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.sock");
    let listener = UnixListener::bind(&path).unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert!(bytes[..count].ends_with(b"\n"));
        std::io::Write::write_all(&mut stream, answer).unwrap();
    });
    (directory, Settingsd::at(path, Duration::from_secs(5)))
}

#[test]
fn settingsd_answers_or_it_is_said_that_it_did_not() {
    let order = Order::Withdraw { name: SettingName::Banner, mode: Mode::Apply };
    let (_directory, settingsd) =
        answering(b"{\"protocol\":1,\"message\":{\"done\":[\"- /etc/virtwarden/banner\"]}}\n");
    assert_eq!(settingsd.order(&order), Ok(Report::Done(vec!["- /etc/virtwarden/banner".into()])));
    for answer in [&b""[..], b"{\"protocol\":1,\"message\":\"done\"}\n", b"{\"protocol\":1,\"mess"] {
        let (_directory, settingsd) = answering(answer);
        assert!(settingsd.order(&order).unwrap_err().to_string().contains("systemctl status"));
    }
    let nobody = Settingsd::at("/nonexistent/settings.sock".into(), Duration::from_secs(1));
    assert!(matches!(nobody.order(&order), Err(Silence::Away(_))));
}

#[test]
fn a_settingsd_that_hangs_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("settings.sock");
    let _silent = UnixListener::bind(&path).unwrap();
    let settingsd = Settingsd::at(path, Duration::from_millis(50));
    let order = Order::Inspect { setting: warning() };
    assert!(matches!(settingsd.order(&order), Err(Silence::Lost(_))));
}
