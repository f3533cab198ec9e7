// SPDX-License-Identifier: Apache-2.0
//! Where everything is: built-in places, a configuration file over them, the command line over both.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::gate::upstream::Place;

/// The configuration file, read if it exists.
const FILE: &str = "/etc/virtwarden/policyd.toml";

/// What the command line asks for.
pub const USAGE: &str = "\
usage: virtwarden-policyd [OPTION]...

Stands between libvirt's clients and libvirtd. Started by systemd, it takes its sockets from there.

  --listen PATH           serve libvirt clients here (default: inherited socket `libvirt`)
  --listen-ro PATH        serve read-only libvirt clients here (inherited: `libvirt-ro`)
  --control PATH          serve the virtwarden command here (inherited: `control`)
  --login PATH            answer the PAM module here (inherited: `login`)
  --upstream PATH         libvirtd's socket
  --upstream-ro PATH      libvirtd's read-only socket
  --uri NAME              the name that libvirtd is opened by (qemu:///system)
  --state DIR             registry and keys (/var/lib/virtwarden)
  --sessions DIR          login sessions of this boot (/run/virtwarden/sessions)
  --trail DIR             audit trail (/var/log/virtwarden/audit)
  --policy DIR            policy files; repeat it, later ones hide earlier ones
  --config FILE           read this instead of /etc/virtwarden/policyd.toml
  --check                 read configuration and policy, say what is wrong, and leave
  --help, --version
";

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Sockets to make; those not named are expected from systemd.
    pub listen: Option<PathBuf>,
    /// The read-only one.
    pub listen_read_only: Option<PathBuf>,
    /// The control socket.
    pub control: Option<PathBuf>,
    /// The login socket.
    pub login: Option<PathBuf>,
    /// libvirtd.
    pub upstream: Place,
    /// Registry and keys.
    pub state: PathBuf,
    /// Login sessions of this boot.
    pub sessions: PathBuf,
    /// The audit trail.
    pub trail: PathBuf,
    /// Policy directories, the strongest last.
    pub policy: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: None,
            listen_read_only: None,
            control: None,
            login: None,
            upstream: Place::default(),
            state: "/var/lib/virtwarden".into(),
            sessions: "/run/virtwarden/sessions".into(),
            trail: "/var/log/virtwarden/audit".into(),
            policy: vec!["/usr/share/virtwarden/policy.d".into(), "/etc/virtwarden/policy.d".into()],
        }
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Serve.
    Run(Options),
    /// Only read configuration and policy.
    Check(Options),
    /// Show [`USAGE`].
    Help,
    /// Show the version.
    Version,
}

/// What is wrong with the command line or the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionError {
    /// An option that does not exist.
    Unknown(String),
    /// An option without its value.
    NoValue(String),
    /// The configuration file cannot be read.
    Unreadable(PathBuf, String),
    /// The configuration file says what it must not.
    Mistake(PathBuf, String),
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionError::Unknown(option) => write!(f, "unknown option `{option}`, see --help"),
            OptionError::NoValue(option) => write!(f, "`{option}` needs a value, see --help"),
            OptionError::Unreadable(path, why) => write!(f, "cannot read `{}`: {why}", path.display()),
            OptionError::Mistake(path, why) => write!(f, "`{}`: {why}", path.display()),
        }
    }
}

impl std::error::Error for OptionError {}

impl Options {
    /// Reads the command line, without the program's name, and the configuration file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(arguments: impl IntoIterator<Item = String>) -> Result<Wish, OptionError> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let mut options = Self::default();
        let named = arguments.iter().position(|word| word == "--config");
        match named.and_then(|at| arguments.get(at + 1)) {
            Some(path) => options.read_file(Path::new(path))?,
            None if Path::new(FILE).exists() => options.read_file(Path::new(FILE))?,
            None => {}
        }
        options.read_words(arguments)
    }

    fn read_words(mut self, words: Vec<String>) -> Result<Wish, OptionError> {
        let mut words = words.into_iter();
        let (mut check, mut policy) = (false, Vec::new());
        while let Some(word) = words.next() {
            let mut value = || words.next().map(PathBuf::from).ok_or(OptionError::NoValue(word.clone()));
            match word.as_str() {
                "--listen" => self.listen = Some(value()?),
                "--listen-ro" => self.listen_read_only = Some(value()?),
                "--control" => self.control = Some(value()?),
                "--login" => self.login = Some(value()?),
                "--upstream" => self.upstream.socket = value()?,
                "--upstream-ro" => self.upstream.read_only_socket = value()?,
                "--uri" => self.upstream.uri = value()?.to_string_lossy().into_owned(),
                "--state" => self.state = value()?,
                "--sessions" => self.sessions = value()?,
                "--trail" => self.trail = value()?,
                "--policy" => policy.push(value()?),
                "--config" => drop(value()?),
                "--check" => check = true,
                "--help" | "-h" => return Ok(Wish::Help),
                "--version" | "-V" => return Ok(Wish::Version),
                _ => return Err(OptionError::Unknown(word)),
            }
        }
        if !policy.is_empty() {
            self.policy = policy;
        }
        Ok(if check { Wish::Check(self) } else { Wish::Run(self) })
    }

    fn read_file(&mut self, path: &Path) -> Result<(), OptionError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| OptionError::Unreadable(path.to_owned(), error.to_string()))?;
        let file: FileOptions = toml::from_str(&text)
            .map_err(|error| OptionError::Mistake(path.to_owned(), error.to_string()))?;
        self.take(file);
        Ok(())
    }

    fn take(&mut self, file: FileOptions) {
        let FileOptions { upstream, state, trail, policy } = file;
        self.upstream.socket = upstream.socket.unwrap_or_else(|| self.upstream.socket.clone());
        let read_only = upstream.socket_ro.unwrap_or_else(|| self.upstream.read_only_socket.clone());
        self.upstream.read_only_socket = read_only;
        self.upstream.uri = upstream.uri.unwrap_or_else(|| self.upstream.uri.clone());
        self.state = state.unwrap_or_else(|| self.state.clone());
        self.trail = trail.unwrap_or_else(|| self.trail.clone());
        self.policy = policy.unwrap_or_else(|| self.policy.clone());
    }
}

/// The configuration file as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileOptions {
    #[serde(default)]
    upstream: FileUpstream,
    state: Option<PathBuf>,
    trail: Option<PathBuf>,
    policy: Option<Vec<PathBuf>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileUpstream {
    socket: Option<PathBuf>,
    socket_ro: Option<PathBuf>,
    uri: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Wish, OptionError> {
        Options::default().read_words(words.iter().map(|word| (*word).to_owned()).collect())
    }

    #[test]
    fn the_command_line_names_places() {
        let wish = read(&["--listen", "/run/a", "--upstream", "/run/b", "--policy", "/c", "--policy", "/d"]);
        let Ok(Wish::Run(options)) = wish else { panic!("{wish:?}") };
        assert_eq!(options.listen, Some("/run/a".into()));
        assert_eq!(options.upstream.socket, PathBuf::from("/run/b"));
        assert_eq!(options.policy, [PathBuf::from("/c"), "/d".into()]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(read(&["--lisen", "/a"]), Err(OptionError::Unknown("--lisen".into())));
        assert_eq!(read(&["--listen"]), Err(OptionError::NoValue("--listen".into())));
    }

    #[test]
    fn the_file_stands_below_the_command_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "state = \"/s\"\n[upstream]\nsocket = \"/u\"\n").unwrap();
        let words = ["--config", &file.path().display().to_string(), "--upstream", "/v"];
        let wish = Options::read(words.map(ToOwned::to_owned));
        let Ok(Wish::Run(options)) = wish else { panic!("{wish:?}") };
        assert_eq!(options.state, PathBuf::from("/s"));
        assert_eq!(options.upstream.socket, PathBuf::from("/v"));
        std::fs::write(file.path(), "stat = \"/s\"\n").unwrap();
        assert!(matches!(Options::read(words.map(ToOwned::to_owned)), Err(OptionError::Mistake(..))));
    }
}
