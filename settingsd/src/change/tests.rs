// SPDX-License-Identifier: Apache-2.0
//! Settings put on a host that is a directory, with programs that answer as real ones do.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use virtwarden_core::control::{Order, Report};
use virtwarden_core::setting::{
    Banner, BannerText, HostMedia, IdleLimit, Lockout, PasswordPolicy, PasswordStrength, RemoteTimeout,
    Setting, SettingName,
};

mod audit;
mod directory;
mod host_media;
mod screen;

use super::*;
use crate::order::carry_out;
use crate::program::{Input, Programs, Ran};
use crate::takeover;

/// sshd, agetty, dconf and pwscore as far as providers ask them, reading the files below a root.
#[derive(Clone)]
struct Components {
    root: PathBuf,
    heard: Arc<Mutex<Vec<String>>>,
    /// A program whose command line starts so says no.
    fails: Arc<Mutex<Option<&'static str>>>,
}

impl Components {
    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// All files in a directory of dconf's, as it reads them.
    fn keys(&self, directory: &str) -> String {
        let entries =
            fs::read_dir(self.root.join("etc/dconf/db").join(directory)).into_iter().flatten().flatten();
        entries.map(|entry| fs::read_to_string(entry.path()).unwrap_or_default()).collect()
    }

    /// The database that the profile of one account names beside everybody's: it comes first, for it is locked.
    fn own_database(&self, profile: &str) -> String {
        let profile = self.text(profile.trim_start_matches("DCONF_PROFILE=").trim_start_matches('/'));
        let database = profile.lines().find_map(|line| line.strip_prefix("file-db:/"));
        database.map(|path| self.text(path)).unwrap_or_default()
    }

    fn drop_ins(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("etc/ssh/sshd_config.d")).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|n| n.ends_with(".conf"))
            .collect();
        names.sort();
        names.iter().map(|name| self.text(&format!("etc/ssh/sshd_config.d/{name}"))).collect()
    }

    /// The first value counts, as sshd has it; penalties are merged with their defaults.
    fn options(&self) -> String {
        let mut options = BTreeMap::new();
        let lines: Vec<String> = self
            .drop_ins()
            .iter()
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        for line in lines.iter().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.split_once(' ').unwrap();
            options.entry(name.to_lowercase()).or_insert(value.to_owned());
        }
        for (name, value) in [("banner", "none"), ("maxauthtries", "6"), ("persourcepenalties", "authfail:5")]
        {
            options.entry(name.to_owned()).or_insert(value.to_owned());
        }
        options.iter().map(|(name, value)| format!("{name} {value}\n")).collect()
    }

    fn says(&self, words: &[&str], input: Input<'_>) -> Result<String, String> {
        match words {
            ["/usr/sbin/sshd", "-T"] | ["/usr/sbin/sshd", "-T", "-C", _] => Ok(self.options()),
            ["/usr/sbin/sshd", "-t"] if self.drop_ins().iter().any(|text| text.contains("Bogus")) => {
                Err("Bad configuration option: Bogus".to_owned())
            }
            ["/usr/sbin/agetty", "--show-issue"] => {
                Ok(self.text("etc/issue.d/90-virtwarden.issue").replace("\\\\", "\\"))
            }
            ["/usr/bin/dconf", "update"] => {
                let made = ["gdm", "local"].map(|name| self.root.join("etc/dconf/db").join(name));
                let mut made = made.iter().filter(|path| path.with_extension("d").exists());
                made.try_for_each(|path| fs::write(path, "compiled").map_err(|e| e.to_string()))?;
                Ok(String::new())
            }
            ["/usr/bin/env", .., "list-locks", _] => Ok(self.keys("local.d/locks")),
            ["/usr/bin/dconf", "compile", database, source] => {
                let keys = self.text(&format!("{}/own", source.trim_start_matches('/')));
                fs::write(self.root.join(database.trim_start_matches('/')), keys)
                    .map_err(|e| e.to_string())?;
                Ok(String::new())
            }
            ["/usr/bin/env", profile, .., path] => {
                let name = format!("{}=", path.rsplit('/').next().unwrap());
                let keys = self.own_database(profile) + &self.keys("gdm.d") + &self.keys("local.d");
                Ok(keys.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default().to_owned())
            }
            ["/usr/bin/openssl", ..] => {
                Ok("subject=CN=ca\nX509v3 Basic Constraints: critical\n CA:TRUE\n".to_owned())
            }
            ["/bin/bash", "-lic", _] => {
                let script = self.text("etc/profile.d/virtwarden-console.sh");
                let time: String = script
                    .chars()
                    .skip(script.rfind("TMOUT=").unwrap_or(0) + 6)
                    .take_while(char::is_ascii_digit)
                    .collect();
                Ok(format!("TMOUT={time}.\n"))
            }
            ["/usr/bin/pwscore"] => {
                let Input::Text(password) = input else { panic!("no password") };
                let config = self.text("etc/security/pwquality.conf.d/50-virtwarden.conf");
                let least = config
                    .lines()
                    .find_map(|line| line.strip_prefix("minlen = "))
                    .map_or(8, |n| n.parse().unwrap());
                if password.trim_end().len() < least {
                    Err("too short".to_owned())
                } else {
                    Ok("90\n".to_owned())
                }
            }
            ["/usr/bin/udevadm", "info", _, device] => {
                let name = device.rsplit('/').next().unwrap();
                let closed = self.root.join("run/closed").join(name).exists();
                Ok(if closed { "VIRTWARDEN_HOST_MEDIA=closed\n" } else { "ID_BUS=usb\n" }.to_owned())
            }
            _ => Ok(String::new()),
        }
    }
}

impl Programs for Components {
    fn run(&self, words: &[&str], input: Input<'_>) -> Result<Ran, String> {
        let line = words.join(" ");
        self.heard.lock().unwrap().push(line.clone());
        let fails = self.fails.lock().unwrap().is_some_and(|start| line.starts_with(start));
        let (code, said) = match if fails { Err("it says no".to_owned()) } else { self.says(words, input) } {
            Ok(said) => (0, said),
            Err(said) => (1, said),
        };
        Ok(Ran { code: Some(code), said })
    }
}

struct Scene {
    root: TempDir,
    components: Components,
    host: Host,
}

impl Scene {
    /// A host with everything: sshd, agetty, gdm, dconf, libpwquality.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let components =
            Components { root: root.path().to_owned(), heard: Arc::default(), fails: Arc::default() };
        let owner = nix::unistd::geteuid().as_raw();
        let host = Host::below(root.path(), owner, Box::new(components.clone()));
        let scene = Self { root, components, host };
        for program in ["sbin/sshd", "sbin/agetty", "sbin/gdm3", "bin/dconf", "bin/pwscore"] {
            scene.write(&format!("usr/{program}"), "");
        }
        for directory in ["etc/ssh/sshd_config.d", "etc/virtwarden", "var/lib/virtwarden", "run/virtwarden"] {
            fs::create_dir_all(scene.root.path().join(directory)).unwrap();
        }
        scene.write("proc/1/mountinfo", "25 1 254:0 / / rw - ext4 /dev/vda rw\n");
        scene.write("var/cache/cracklib/cracklib_dict.pwd", "");
        scene.write("etc/issue", "Debian \\n \\l\n");
        scene.write("etc/ssh/sshd_config.d/zz-site.conf", "X11Forwarding no\n");
        scene.write(
            "etc/pam.d/common-password",
            "password requisite pam_pwquality.so retry=3\npassword [success=1 default=ignore] pam_unix.so\n",
        );
        scene
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        self.components.text(path)
    }

    /// Every file and directory of /etc with its content.
    fn etc(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        collect(&self.root.path().join("etc"), &mut found);
        found
    }

    fn apply(&self, setting: &Setting) -> Report {
        carry_out(&self.host, &Order::Apply { setting: setting.clone(), mode: Mode::Apply })
    }

    fn withdraw(&self, name: SettingName) -> Report {
        carry_out(&self.host, &Order::Withdraw { name, mode: Mode::Apply })
    }

    fn drift(&self, setting: &Setting) -> Vec<String> {
        match carry_out(&self.host, &Order::Inspect { setting: setting.clone() }) {
            Report::Drift(lines) => lines,
            other @ (Report::Done(_) | Report::Failed(_)) => panic!("{other:?}"),
        }
    }

    fn fail(&self, start: Option<&'static str>) {
        *self.components.fails.lock().unwrap() = start;
    }
}

fn collect(directory: &Path, found: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
            found.insert(path, "directory".to_owned());
        } else {
            found.insert(path.clone(), fs::read_to_string(path).unwrap());
        }
    }
}

fn banner(text: &str) -> Setting {
    Setting::Banner(Banner { text: Some(BannerText::new(text).unwrap()), ..Banner::default() })
}

fn one_of_each() -> [Setting; 5] {
    [
        Setting::HostMedia(HostMedia::default()),
        banner("TEST TEST \\l Warning\n$(id) `id` %n é 漢字"),
        Setting::Lockout(Lockout::default()),
        Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength { minimum_length: 20, classes: 3 })),
        Setting::RemoteTimeout(RemoteTimeout { idle: IdleLimit::After(600) }),
    ]
}

#[test]
fn every_setting_goes_on_and_comes_off_byte_for_byte() {
    let scene = Scene::new();
    let before = scene.etc();
    for setting in one_of_each() {
        let Report::Done(lines) = scene.apply(&setting) else { panic!("{:?}", scene.apply(&setting)) };
        assert!(lines.iter().any(|line| line.ends_with(": new")), "{lines:?}");
        assert_ne!(scene.etc(), before);
        assert_eq!(scene.drift(&setting), Vec::<String>::new());
        assert!(matches!(scene.withdraw(setting.name()), Report::Done(_)));
        assert_eq!(scene.etc(), before, "{setting}");
        assert_eq!(scene.withdraw(setting.name()), Report::Done(Vec::new()), "twice is once");
    }
}

#[test]
fn a_second_value_replaces_the_first_and_still_the_first_state_comes_back() {
    let scene = Scene::new();
    scene.write("etc/virtwarden/banner", "an older text\n");
    let before = scene.etc();
    scene.apply(&banner("one"));
    scene.apply(&banner("two"));
    assert_eq!(scene.read("etc/virtwarden/banner"), "two\n");
    // Without a text there is no file of ours, without taking the setting back.
    scene.apply(&Setting::Banner(Banner::default()));
    assert_eq!(scene.etc(), before);
    scene.withdraw(SettingName::Banner);
    assert_eq!(scene.etc(), before);
}

#[test]
fn a_dry_run_shows_the_lines_and_writes_nothing() {
    let scene = Scene::new();
    let before = scene.etc();
    for setting in one_of_each() {
        let order = Order::Apply { setting: setting.clone(), mode: Mode::DryRun };
        let Report::Done(lines) = carry_out(&scene.host, &order) else { panic!("refused") };
        assert!(lines.iter().any(|line| line.starts_with("  + ")), "{lines:?}");
        assert_eq!(scene.etc(), before);
        assert!(!scene.components.heard.lock().unwrap().iter().any(|line| line.contains("systemctl")));
    }
}

#[test]
fn whatever_fails_on_the_way_the_host_is_as_it_was() {
    for start in [
        "/usr/sbin/sshd -t -f",
        "/usr/sbin/sshd -T",
        "/usr/bin/systemctl",
        "/usr/sbin/agetty --show-issue",
        "/usr/bin/dconf",
        "/usr/bin/env",
    ] {
        let scene = Scene::new();
        let before = scene.etc();
        scene.fail(Some(start));
        let report = scene.apply(&banner("TEST"));
        scene.fail(None);
        assert!(matches!(report, Report::Failed(_)), "{start}: {report:?}");
        assert_eq!(scene.read("etc/virtwarden/banner"), "", "{start}");
        if !start.contains("dconf") && !start.contains("systemctl") {
            assert_eq!(scene.etc(), before, "{start}");
            assert!(!scene.root.path().join("var/lib/virtwarden/settings-journal/banner.json").exists());
        }
        // Where even putting back met the failure, the journal still knows what was there.
        scene.withdraw(SettingName::Banner);
        assert_eq!(scene.etc(), before, "{start}");
    }
}

#[test]
fn what_is_broken_already_is_not_built_upon() {
    let scene = Scene::new();
    scene.write("etc/ssh/sshd_config.d/50-site.conf", "Bogus yes\n");
    let before = scene.etc();
    for setting in [banner("TEST"), Setting::Lockout(Lockout::default())] {
        let Report::Failed(why) = scene.apply(&setting) else { panic!("built upon") };
        assert!(why.contains("broken already") && why.contains("Bogus"), "{why}");
        assert_eq!(scene.etc(), before);
    }
}

#[test]
fn an_option_that_an_earlier_file_has_is_a_failure_that_names_it() {
    let scene = Scene::new();
    scene.write("etc/ssh/sshd_config.d/00-site.conf", "Banner /etc/motd\nPerSourcePenalties authfail:60\n");
    let before = scene.etc();
    let Report::Failed(why) = scene.apply(&banner("TEST")) else { panic!("not noticed") };
    assert!(why.contains("sshd has Banner /etc/motd"), "{why}");
    let Report::Failed(why) = scene.apply(&Setting::Lockout(Lockout::default())) else {
        panic!("not noticed")
    };
    assert!(why.contains("hides the lockout"), "{why}");
    assert_eq!(scene.etc(), before);
}

#[test]
fn a_hand_that_edits_is_seen_and_written_over_by_setting_again() {
    let scene = Scene::new();
    for setting in one_of_each() {
        scene.apply(&setting);
    }
    scene.write("etc/virtwarden/banner", "something else\n");
    fs::remove_file(scene.root.path().join("etc/issue.d/90-virtwarden.issue")).unwrap();
    scene.write("etc/security/pwquality.conf", "minlen = 6 # easier\n");
    scene.write("etc/pam.d/common-auth", "auth required pam_faillock.so preauth\n# auth pam_tally2.so\n");
    let [_, banner, lockout, password, _] = one_of_each();
    let drift = scene.drift(&banner).join("\n");
    assert!(drift.contains("`/etc/virtwarden/banner` was changed by hand"), "{drift}");
    assert!(drift.contains("`/etc/issue.d/90-virtwarden.issue` is missing"), "{drift}");
    assert!(scene.drift(&password).join("\n").contains("minlen 6, not 20"));
    let drift = scene.drift(&lockout).join("\n");
    assert!(drift.contains("pam_faillock.so") && !drift.contains("tally"), "{drift}");
    assert!(matches!(scene.apply(&banner), Report::Done(_)));
    assert_eq!(scene.drift(&banner), Vec::<String>::new());
}

#[test]
fn passwords_that_nobody_checks_are_no_policy() {
    for (stack, expected) in [
        ("password [success=1 default=ignore] pam_unix.so\n", "install libpam-pwquality"),
        ("# password requisite pam_pwquality.so\n", "install libpam-pwquality"),
        ("password optional pam_pwquality.so\n", "does not insist"),
        ("password requisite pam_pwquality.so minlen=6\n", "sets `minlen=`"),
    ] {
        let scene = Scene::new();
        scene.write("etc/pam.d/common-password", stack);
        let before = scene.etc();
        let policy = Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength::default()));
        let Report::Failed(why) = scene.apply(&policy) else { panic!("{stack}") };
        assert!(why.contains(expected), "{why}");
        assert_eq!(scene.etc(), before);
    }
}

#[test]
fn a_policy_that_would_refuse_every_password_does_not_come_into_force() {
    let scene = Scene::new();
    fs::remove_file(scene.root.path().join("var/cache/cracklib/cracklib_dict.pwd")).unwrap();
    let policy = Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength::default()));
    let Report::Failed(why) = scene.apply(&policy) else { panic!("in force") };
    assert!(why.contains("no dictionary"), "{why}");
    assert!(!scene.root.path().join("etc/security").exists());
    scene.write("etc/security/pwquality.conf", "dictcheck = 0\n");
    assert!(matches!(scene.apply(&policy), Report::Done(_)));
}

#[test]
fn a_profile_of_the_sites_own_is_used_or_named_but_not_edited() {
    for (profile, other) in [("gdm", "Debian-gdm"), ("Debian-gdm", "gdm")] {
        let scene = Scene::new();
        let (profile, other) = (format!("etc/dconf/profile/{profile}"), format!("etc/dconf/profile/{other}"));
        scene.write(&profile, "user-db:user\nfile-db:/x\n");
        let Report::Failed(why) = scene.apply(&banner("TEST")) else { panic!("edited") };
        assert!(why.contains("system-db:gdm"), "{why}");
        let own = "user-db:user\nsystem-db:gdm\nfile-db:/x\n";
        scene.write(&profile, own);
        assert!(matches!(scene.apply(&banner("TEST")), Report::Done(_)));
        assert_eq!(scene.read(&profile), own);
        assert!(scene.read(&other).contains("system-db:gdm"));
    }
}

#[test]
fn an_illegal_value_is_refused_whoever_sends_it() {
    let scene = Scene::new();
    let before = scene.etc();
    let policy =
        Setting::PasswordPolicy(PasswordPolicy::AtLeast(PasswordStrength { minimum_length: 1, classes: 1 }));
    assert!(matches!(scene.apply(&policy), Report::Failed(_)));
    assert_eq!(scene.etc(), before);
}

#[test]
fn a_journal_cannot_make_us_write_elsewhere() {
    let scene = Scene::new();
    scene.apply(&banner("TEST"));
    let journal = "var/lib/virtwarden/settings-journal/banner.json";
    let forged = scene.read(journal).replace("/etc/virtwarden/banner", "/etc/shadow");
    scene.write(journal, &forged);
    let Report::Failed(why) = scene.withdraw(SettingName::Banner) else { panic!("written") };
    assert!(why.contains("names `/etc/shadow`"), "{why}");
    assert!(!scene.root.path().join("etc/shadow").exists());
}

#[test]
fn a_host_is_taken_over_and_given_back_with_all_its_settings() {
    let scene = Scene::new();
    let before = scene.etc();
    assert!(takeover::apply_all(&scene.host).is_ok());
    assert!(scene.read("etc/ssh/sshd_config.d/10-virtwarden-lockout.conf").contains("MaxAuthTries 6"));
    assert!(!scene.root.path().join("etc/virtwarden/banner").exists(), "nobody set one");
    let chosen = "{\"format\":1,\"settings\":[{\"setting\":{\"banner\":{\"text\":\"TEST\"}},\"by\":\"alice\",\"at\":0,\"reason\":\"\"}]}";
    scene.write("var/lib/virtwarden/settings.json", chosen);
    assert!(takeover::apply_all(&scene.host).is_ok());
    assert_eq!(scene.read("etc/virtwarden/banner"), "TEST\n");
    assert!(takeover::withdraw_all(&scene.host).is_ok());
    assert_eq!(scene.etc(), before);
    scene.write("var/lib/virtwarden/settings.json", "{}");
    assert!(takeover::apply_all(&scene.host).unwrap_err()[0].contains("settings.json"));
    assert_eq!(scene.etc(), before);
}

#[test]
fn certificates_of_unknown_validity_are_refused_from_the_takeover_on_unless_ipsec_is_broken() {
    let scene = Scene::new();
    for program in ["usr/sbin/swanctl", "usr/sbin/charon-systemd"] {
        scene.write(program, "");
    }
    // There is nobody here who could read the site's connections.
    let lines = takeover::apply_all(&scene.host).unwrap();
    let tried = |line: &String| line.starts_with("not yet: strongSwan's configuration is broken");
    assert_eq!(lines.iter().filter(|line| tried(line)).count(), 1, "{lines:?}");
}
