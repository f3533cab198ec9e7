// SPDX-License-Identifier: Apache-2.0
//! A host made of a temporary directory and programs that behave as far as the takeover looks.

mod login_stacks;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::takeover::host::{Commands, Host};
use crate::takeover::stacks;
use crate::takeover::trouble::Trouble;

const DIRECTORIES: &[&str] = &[
    "dev",
    "etc/systemd/system/sockets.target.wants",
    "etc/systemd/system/multi-user.target.wants",
    "etc/polkit-1/rules.d",
    "etc/udev/rules.d",
    "etc/libvirt/hooks",
    "etc/pam.d",
    "etc/ssh/sshd_config.d",
    "proc",
    "run/systemd/system",
    "run/libvirt/qemu",
    "run/virtwarden/upstream",
    "usr/bin",
    "usr/sbin",
    "usr/lib/systemd/system",
    "usr/share/polkit-1/rules.d",
    "usr/share/pam-configs",
    "var/lib/dpkg",
    "var/lib/pam",
    "var/lib/virtwarden",
];

const UNITS: &[&str] = &[
    "libvirtd.service",
    "libvirtd.socket",
    "libvirtd-ro.socket",
    "libvirtd-admin.socket",
    "libvirtd-tcp.socket",
    "libvirtd-tls.socket",
    "virtwarden-control.socket",
    "virtwarden-elevate.socket",
    "virtwarden-login.socket",
    "virtwarden-settingsd.socket",
    "virtwarden-policyd.socket",
    "virtwarden-policyd-ro.socket",
    "virtwarden-policyd.service",
    "virtwarden-witness.service",
];

const RUNNING: &[&str] =
    &["libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket"];

/// What settingsd writes.
const SSHD: &str = "/etc/ssh/sshd_config.d/10-virtwarden.conf";

const OVERRIDES: &str = "/var/lib/dpkg/statoverride";

pub(super) struct Fake {
    root: tempfile::TempDir,
    active: RefCell<BTreeSet<String>>,
    broken: RefCell<BTreeSet<String>>,
    cancels: Cell<u32>,
    answers: RefCell<BTreeMap<String, String>>,
    commands: RefCell<Vec<String>>,
    working: Cell<usize>,
}

impl Fake {
    pub(super) fn new() -> Self {
        let fake = Self {
            root: tempfile::tempdir().unwrap(),
            active: RefCell::new(RUNNING.iter().map(|unit| (*unit).to_owned()).collect()),
            broken: RefCell::default(),
            cancels: Cell::default(),
            answers: RefCell::default(),
            commands: RefCell::default(),
            working: Cell::new(usize::MAX),
        };
        fake.furnish();
        fake
    }

    fn furnish(&self) {
        for directory in DIRECTORIES {
            fs::create_dir_all(self.root.path().join(directory)).unwrap();
        }
        for unit in UNITS {
            self.write(&format!("/usr/lib/systemd/system/{unit}"), "", 0o644);
        }
        for program in ["bin/qemu-system-x86_64", "bin/qemu-system-site", "sbin/libvirtd", "bin/virsh"] {
            self.write(&format!("/usr/{program}"), "", 0o755);
        }
        self.link("/usr/bin/qemu-system-amd64", "qemu-system-x86_64");
        self.write("/dev/kvm", "", 0o666);
        let gid = self.root.path().metadata().unwrap().gid();
        self.write(
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\n\
             libvirt-qemu:x:64055:90:,,,:/var/lib/libvirt:/usr/sbin/nologin\n\
             alice:x:1000:1000:,,,:/home/alice:/bin/bash\n\
             carol:x:1002:1002:,,,:/home/carol:/bin/bash\n",
            0o644,
        );
        let groups =
            format!("kvm:x:{gid}:libvirt-qemu\nvirtwarden:x:{gid}:\nvirtwarden-admin:x:988:\ndisk:x:6:\n");
        self.write("/etc/group", &groups, 0o644);
        let policy = include_str!("../../../../policyd/policy.d/90-default.toml");
        self.write("/usr/share/virtwarden/policy.d/90-default.toml", policy, 0o644);
        self.write(OVERRIDES, "", 0o644);
        self.write("/usr/share/polkit-1/rules.d/60-libvirt.rules", "", 0o644);
        self.set_mode("/run/virtwarden/upstream", 0o750);
        self.furnish_logins();
    }

    fn furnish_logins(&self) {
        for (kind, realm) in login_stacks::KINDS {
            self.write(&login_stacks::stack(kind), &login_stacks::text(realm), 0o644);
            self.write(&format!("/var/lib/pam/{kind}"), "Module: unix\n", 0o644);
        }
        self.write("/var/lib/pam/seen", "unix\nsystemd\n", 0o600);
        self.write("/usr/lib/x86_64-linux-gnu/security/pam_virtwarden.so", "", 0o644);
        for profile in stacks::PROFILES {
            self.write(&format!("/usr/share/pam-configs/{profile}"), "", 0o644);
        }
        self.write("/dev/kvm", "", 0o660);
        self.write("/etc/pam.d/sshd", "@include common-auth\n@include common-session\n", 0o644);
        self.write("/proc/self/loginuid", "1000", 0o644);
        self.write("/proc/self/sessionid", "1", 0o644);
    }

    pub(super) fn host(&self) -> Host<'_> {
        Host::new(self.root.path(), self)
    }

    fn path(&self, absolute: &str) -> PathBuf {
        self.root.path().join(absolute.trim_start_matches('/'))
    }

    pub(super) fn write(&self, path: &str, content: &str, mode: u32) {
        let place = self.path(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(&place, content).unwrap();
        self.set_mode(path, mode);
    }

    pub(super) fn set_mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        let place = self.path(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(target, place).unwrap();
    }

    pub(super) fn answer(&self, command: &str, text: &str) {
        self.answers.borrow_mut().insert(command.to_owned(), text.to_owned());
    }

    pub(super) fn break_unit(&self, unit: &str) {
        self.broken.borrow_mut().insert(unit.to_owned());
    }

    /// systemd cancels the next stop.
    pub(crate) fn cancel_a_stop(&self) {
        self.cancels.set(1);
    }

    /// After so many programs, all others fail.
    pub(super) fn fail_after(&self, working: usize) {
        self.working.set(working);
    }

    pub(super) fn commands(&self) -> Vec<String> {
        self.commands.borrow().clone()
    }

    pub(super) fn forget_commands(&self) {
        self.commands.borrow_mut().clear();
    }

    /// Every file with its mode and content, and every unit that runs.
    pub(super) fn picture(&self) -> BTreeMap<String, String> {
        let mut picture = BTreeMap::new();
        for unit in self.active.borrow().iter() {
            picture.insert(format!("unit {unit}"), "active".to_owned());
        }
        walk(self.root.path(), self.root.path(), &mut picture);
        picture
    }

    pub(super) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn rewrite(&self, path: &str, change: impl Fn(&str) -> Option<String>) {
        let lines: Vec<String> = self.read(path).lines().filter_map(change).collect();
        fs::write(self.path(path), lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
    }

    fn change_group(&self, group: &str, change: impl Fn(&mut Vec<String>)) {
        self.rewrite("/etc/group", |line| {
            let Some((head, members)) = line.rsplit_once(':') else { return Some(line.to_owned()) };
            if !head.starts_with(&format!("{group}:")) {
                return Some(line.to_owned());
            }
            let mut members: Vec<String> =
                members.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            change(&mut members);
            Some(format!("{head}:{}", members.join(",")))
        });
    }

    fn systemctl(&self, verb: &str, units: &[&str]) -> Result<String, String> {
        if verb == "stop" && self.cancels.get() > 0 {
            self.cancels.set(self.cancels.get() - 1);
            return Err("canceled".to_owned());
        }
        let mut active = self.active.borrow_mut();
        for unit in units {
            match verb {
                "start" if self.broken.borrow().contains(*unit) => return Err(format!("{unit} failed")),
                "start" => drop(active.insert((*unit).to_owned())),
                "stop" => drop(active.remove(*unit)),
                _ => {}
            }
        }
        Ok(String::new())
    }

    fn set_up_sshd(&self) -> Result<String, String> {
        self.write(SSHD, "MaxAuthTries 6\n", 0o644);
        Ok(String::new())
    }

    fn list_account(&self, file: &str, name: Option<&str>) -> Result<String, String> {
        let text = self.read(file);
        let Some(name) = name else { return Ok(text) };
        let line = text.lines().find(|line| line.starts_with(&format!("{name}:")));
        line.map(|line| format!("{line}\n")).ok_or_default()
    }

    fn dispatch(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        match (program, arguments) {
            ("getent", ["passwd"]) => self.list_account("/etc/passwd", None),
            ("getent", ["passwd", "--", name]) => self.list_account("/etc/passwd", Some(name)),
            ("getent", ["group", "--", name]) => self.list_account("/etc/group", Some(name)),
            ("gpasswd", ["-a", account, group]) => {
                self.change_group(group, |members| members.push((*account).to_owned()));
                Ok(String::new())
            }
            ("gpasswd", ["-d", account, group]) => {
                self.change_group(group, |members| members.retain(|member| member != account));
                Ok(String::new())
            }
            ("dpkg-statoverride", ["--list", path]) => {
                let text = self.read(OVERRIDES);
                let line = text.lines().find(|line| line.ends_with(&format!(" {path}")));
                line.map(|line| format!("{line}\n")).ok_or_default()
            }
            ("dpkg-statoverride", ["--update", "--add", owner, group, mode, path]) => {
                let text = format!("{}{owner} {group} {mode} {path}\n", self.read(OVERRIDES));
                fs::write(self.path(OVERRIDES), text).unwrap();
                if self.path(path).exists() {
                    self.set_mode(path, u32::from_str_radix(mode, 8).unwrap());
                }
                Ok(String::new())
            }
            ("dpkg-statoverride", ["--remove", path]) => {
                self.rewrite(OVERRIDES, |line| {
                    (!line.ends_with(&format!(" {path}"))).then(|| line.to_owned())
                });
                Ok(String::new())
            }
            ("systemctl", ["show", .., unit]) => {
                let active = self.active.borrow().contains(*unit);
                Ok(if active { "active\n" } else { "inactive\n" }.to_owned())
            }
            ("systemctl", [verb, units @ ..]) => self.systemctl(verb, units),
            (
                "env",
                ["-u", "DEBIAN_HAS_FRONTEND", _, _, "pam-auth-update", "--root", root, verb, profiles @ ..],
            ) => {
                login_stacks::update(Path::new(root), verb, profiles);
                Ok(String::new())
            }
            ("/usr/lib/virtwarden/virtwarden-settingsd", ["--apply-all"]) => self.set_up_sshd(),
            ("/usr/lib/virtwarden/virtwarden-settingsd", ["--withdraw-all"]) => {
                let _absent = fs::remove_file(self.path(SSHD));
                Ok(String::new())
            }
            ("ss" | "getfacl" | "setfacl" | "systemd-tmpfiles" | "timeout" | "id", _) => Ok(String::new()),
            _ => Err(format!("no such program: {program} {arguments:?}")),
        }
    }
}

/// As a program that prints nothing and exits with 1.
trait OrDefault {
    fn ok_or_default(self) -> Result<String, String>;
}

impl OrDefault for Option<String> {
    fn ok_or_default(self) -> Result<String, String> {
        self.ok_or_else(String::new)
    }
}

impl Commands for Fake {
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Trouble> {
        let command = [&[program], arguments].concat().join(" ");
        self.commands.borrow_mut().push(command.clone());
        let left = self.working.get();
        if left == 0 {
            return Err(Trouble::Command {
                command,
                code: Some(1),
                said: "it does not work today".to_owned(),
            });
        }
        self.working.set(left - 1);
        if let Some(answer) = self.answers.borrow().get(&command) {
            return Ok(answer.clone());
        }
        let code = Some(if program == "getent" { 2 } else { 1 });
        self.dispatch(program, arguments).map_err(|said| Trouble::Command { command, code, said })
    }
}

fn walk(root: &Path, directory: &Path, picture: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let metadata = path.symlink_metadata().unwrap();
        let mode = metadata.mode();
        let what = if metadata.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if metadata.is_dir() {
            walk(root, &path, picture);
            format!("{mode:o}")
        } else {
            format!("{mode:o} {}", fs::read_to_string(&path).unwrap())
        };
        picture.insert(path.strip_prefix(root).unwrap().display().to_string(), what);
    }
}
