// SPDX-License-Identifier: Apache-2.0
//! Real logins: an sshd of our own that listens on the loopback interface alone, with keys of its own, and leads through
//! the same PAM service as the host's. It takes over what the host's sshd is told of banner and cryptography.

use std::fmt::Write;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::files::{self, file};
use super::interrupt::Interrupt;
use super::made::{Made, PREFIX, Thing};
use super::program::{Ran, must, root, run};
use crate::exit::Failed;

/// What of the host's own sshd holds for ours, too.
const INHERITED: &[&str] = &[
    "banner",
    "casignaturealgorithms",
    "ciphers",
    "hostkeyalgorithms",
    "kbdinteractiveauthentication",
    "kexalgorithms",
    "macs",
    "maxauthtries",
    "passwordauthentication",
    "pubkeyacceptedalgorithms",
    "rekeylimit",
    "requiredrsasize",
];

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a command in a session may take.
const LONGEST: Duration = Duration::from_secs(60);

/// The keys of a run.
pub(super) struct Keys {
    host: PathBuf,
    person: PathBuf,
}

/// The sshd and the sessions through it.
pub(super) struct Sshd {
    client: PathBuf,
    takes_passwords: bool,
}

/// Makes the key of the sshd and the one that opens both accounts.
pub(super) fn keys(directory: &Path) -> Result<Keys, Failed> {
    let make = |name: &str| -> Result<PathBuf, Failed> {
        let path = directory.join(name);
        let text = path.display().to_string();
        must(&[
            "ssh-keygen",
            "-q",
            "-t",
            "ecdsa",
            "-b",
            "384",
            "-N",
            "",
            "-C",
            "virtwarden evaluate",
            "-f",
            &text,
        ])?;
        Ok(path)
    };
    Ok(Keys { host: make("host-key")?, person: make("key")? })
}

impl Sshd {
    /// Starts it as a unit of its own: what is started below us would inherit who is logged in here.
    pub(super) fn start(keys: &Keys, made: &mut Made, mark: &str) -> Result<Self, Failed> {
        let port = free_port()?;
        let directory = made.directory().to_owned();
        let public = fs::read_to_string(keys.person.with_extension("pub"))
            .map_err(|error| Failed::error(format!("cannot read the new key: {error}")))?;
        file(&directory.join("authorized-keys"), &public, 0o644)?;
        let configuration = directory.join("sshd.conf");
        let settings = server(keys, &directory, port);
        file(&configuration, &settings, 0o600)?;
        let client = directory.join("ssh.conf");
        file(&client, &self::client(keys, &directory, port), 0o600)?;
        if !Path::new("/run/sshd").exists() {
            files::directory(Path::new("/run/sshd"), 0o755)?;
        }
        let unit = format!("{PREFIX}sshd-{mark}.service");
        made.note(Thing::Unit(unit.clone()))?;
        let (unit, path) = (format!("--unit={unit}"), configuration.display().to_string());
        must(&["systemd-run", "--quiet", "--collect", &unit, "/usr/sbin/sshd", "-D", "-e", "-f", &path])?;
        wait_for(port)?;
        let answer = format!("#!/bin/sh\ncat {}\n", directory.join("answer").display());
        file(&directory.join("askpass"), &answer, 0o700)?;
        Ok(Self { client, takes_passwords: settings.contains("\npasswordauthentication yes") })
    }

    /// Logs somebody in; the session stays open for his commands.
    pub(super) fn log_in(&self, account: &str) -> Result<(), Failed> {
        let log = self.client.with_file_name(format!("{account}.log"));
        let log = log.display().to_string();
        let words = ["-E", &log, "-M", "-N", "-f"];
        let ran = self.ssh(&words, account, &[], LONGEST, None);
        if ran.succeeded() {
            return Ok(());
        }
        let why = fs::read_to_string(&log).unwrap_or_default();
        Err(Failed::error(format!("{account} cannot log in over ssh: {}", why.trim())))
    }

    /// Runs a command in somebody's open session.
    pub(super) fn within(&self, account: &str, script: &str, interrupt: Option<&Interrupt>) -> Ran {
        self.ssh(&[], account, &[script], LONGEST, interrupt)
    }

    /// Logs somebody in by a password, in a session of its own; none where the host's sshd takes none.
    pub(super) fn by_password(&self, account: &str, password: &str, interrupt: &Interrupt) -> Option<Ran> {
        if !self.takes_passwords {
            return None;
        }
        let answer = self.client.with_file_name("answer");
        let program = self.client.with_file_name("askpass");
        if fs::write(&answer, password).is_err() || !program.exists() {
            return Some(Ran::default());
        }
        let (askpass, configuration) =
            (format!("SSH_ASKPASS={}", program.display()), self.client.display().to_string());
        let who = format!("{account}@127.0.0.1");
        let words = ["env", &askpass, "SSH_ASKPASS_REQUIRE=force", "ssh", "-F", &configuration];
        let options = [
            "-o",
            "BatchMode=no",
            "-o",
            "ControlPath=none",
            "-o",
            "PubkeyAuthentication=no",
            "-o",
            "PreferredAuthentications=password",
            "-o",
            "NumberOfPasswordPrompts=1",
        ];
        Some(run(&[&words[..], &options, &[&who, "--", "id", "-un"]].concat(), LONGEST, Some(interrupt)))
    }

    fn ssh(
        &self,
        options: &[&str],
        account: &str,
        command: &[&str],
        longest: Duration,
        interrupt: Option<&Interrupt>,
    ) -> Ran {
        let (configuration, who) = (self.client.display().to_string(), format!("{account}@127.0.0.1"));
        let words = [&["ssh", "-F", &configuration][..], options, &[&who, "--"], command].concat();
        run(&words, longest, interrupt)
    }
}

fn server(keys: &Keys, directory: &Path, port: u16) -> String {
    let mut text = format!(
        "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nPidFile none\nUsePAM yes\nAuthorizedKeysFile {}\n\
         PermitRootLogin no\nAllowUsers {PREFIX}*\nMaxSessions 100\nMaxStartups 100\nPrintMotd no\n",
        keys.host.display(),
        directory.join("authorized-keys").display(),
    );
    let hosts = root(&["/usr/sbin/sshd", "-T"]).output;
    let is_inherited = |line: &&str| line.split(' ').next().is_some_and(|key| INHERITED.contains(&key));
    for line in hosts.lines().filter(is_inherited) {
        let _ = writeln!(text, "{line}");
    }
    if hosts.lines().any(|line| line.starts_with("persourcepenalties ")) {
        // Wrong passwords of one account of ours shall not keep the other away.
        text.push_str("PerSourcePenalties no\n");
    }
    text
}

fn client(keys: &Keys, directory: &Path, port: u16) -> String {
    format!(
        "Host *\n  Port {port}\n  IdentityFile {}\n  IdentitiesOnly yes\n  IdentityAgent none\n  BatchMode yes\n\
         \x20 StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  GlobalKnownHostsFile /dev/null\n\
         \x20 LogLevel ERROR\n  ConnectTimeout 20\n  ControlMaster auto\n  ControlPath {}/session-%r\n  ControlPersist no\n",
        keys.person.display(),
        directory.display(),
    )
}

/// A port that nobody listens on now.
fn free_port() -> Result<u16, Failed> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|error| Failed::error(format!("there is no free port: {error}")))
}

fn wait_for(port: u16) -> Result<(), Failed> {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if Instant::now() > deadline {
            let why = "our sshd does not listen; `journalctl -u 'vweval-sshd-*'` says why";
            return Err(Failed::error(why));
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
