// SPDX-License-Identifier: Apache-2.0
//! A test host: a real Debian with systemd, libvirt and QEMU, reached through `tests/testhost`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a command on the host ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Exit code; 255 where there was none.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
}

impl Ran {
    /// Whether it ended with 0.
    pub fn succeeded(&self) -> bool {
        self.code == 0
    }

    /// Both outputs, for looking something up in what a person saw.
    pub fn shown(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(255),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Seconds after which a command on the host counts as hanging.
const LONGEST: &str = "300";

/// For how long something on a busy host is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host that is up and has Virtwarden installed.
#[derive(Clone, Debug)]
pub struct Host {
    name: String,
}

impl Host {
    /// The host named by `VIRTWARDEN_HOST`, which `tests/run` brings up before the stories.
    ///
    /// # Errors
    /// Says how to get one where the variable is not set.
    pub fn of_this_run() -> Result<Self, String> {
        let name = std::env::var("VIRTWARDEN_HOST")
            .map_err(|_| "VIRTWARDEN_HOST names no test host; run `make stories`".to_owned())?;
        Ok(Self { name })
    }

    /// The host with a desktop, named by `VIRTWARDEN_HOST_DESKTOP`; none if this run has no such host.
    pub fn with_desktop() -> Option<Self> {
        std::env::var("VIRTWARDEN_HOST_DESKTOP").ok().map(|name| Self { name })
    }

    /// Copies a file out of the host.
    pub fn fetch(&self, there: &str, here: &Path) -> Ran {
        finish(Command::new(testhost()).args(["get", &self.name, there]).arg(here))
    }

    /// Runs a shell script as root, without a login.
    pub fn root(&self, script: &str) -> Ran {
        self.run(&["sh", "-c", script], None)
    }

    /// Runs a shell script as somebody who logs in for it through ssh.
    pub fn login(&self, person: &str, script: &str) -> Ran {
        self.run(&["sh", "-c", script], Some(person))
    }

    /// Runs a program as somebody who logs in for it through ssh.
    pub fn run_as(&self, person: &str, words: &[&str]) -> Ran {
        self.run(words, Some(person))
    }

    /// Runs a shell script as root until it succeeds.
    ///
    /// # Errors
    /// It did not for as long as anything on a busy host may take; with what it printed last.
    pub fn wait(&self, what: &str, script: &str) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ran = self.root(script);
            if ran.succeeded() {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("{what}: not within {} s: {}", PATIENCE.as_secs(), ran.shown()));
            }
            thread::sleep(Duration::from_millis(300));
        }
    }

    /// Starts a shell script as somebody and does not wait for it.
    ///
    /// # Errors
    /// The program that reaches the host could not be started.
    pub fn begin(&self, person: &str, script: &str) -> std::io::Result<Child> {
        let mut command = self.command(&["sh", "-c", script], Some(person));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }

    /// Puts a text into a file on the host, readable for everybody.
    pub fn write(&self, path: &str, text: &str) -> Ran {
        self.root(&format!("cat > {path} <<'VIRTWARDEN_END'\n{text}\nVIRTWARDEN_END\nchmod 644 {path}"))
    }

    /// Puts a file of this machine onto the host.
    pub fn put(&self, source: &str, destination: &str) -> Ran {
        outside(&["put", &self.name, source, destination])
    }

    /// Shuts the host down and boots it again.
    pub fn reboot(&self) -> Ran {
        outside(&["reboot", &self.name])
    }

    fn run(&self, words: &[&str], person: Option<&str>) -> Ran {
        finish(&mut self.command(words, person))
    }

    fn command(&self, words: &[&str], person: Option<&str>) -> Command {
        let mut command = Command::new("timeout");
        command.arg(LONGEST).arg(testhost()).args(["exec", &self.name]);
        if let Some(person) = person {
            command.args(["--user", person]);
        }
        command.arg("--").args(words);
        command
    }
}

/// Does something to the host from outside.
fn outside(words: &[&str]) -> Ran {
    finish(Command::new(testhost()).args(words))
}

/// Runs a command to its end.
fn finish(command: &mut Command) -> Ran {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => output.into(),
        Err(error) => Ran { code: 255, out: String::new(), err: error.to_string() },
    }
}

/// `tests/testhost`, wherever the tests are started from.
fn testhost() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testhost")
}
