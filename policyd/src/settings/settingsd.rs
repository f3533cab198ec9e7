// SPDX-License-Identifier: Apache-2.0
//! Orders to settingsd, the only part that writes the host's own files: one on a connection.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use virtwarden_core::control::{LineReader, Order, Report, SETTINGS_SOCKET, encode};

/// How long an order may take: settingsd writes files, checks them and reloads a unit, each with a
/// shorter deadline of its own.
const PATIENCE: Duration = Duration::from_secs(90);

/// What carries orders out on the host.
pub trait Components: Send + Sync {
    /// Gives an order and waits for what came of it.
    ///
    /// # Errors
    /// Nobody could be asked, or nobody answered.
    fn order(&self, order: &Order) -> Result<Report, Silence>;
}

/// Why there is no report, in words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Nobody took the order: nothing was done.
    Away(String),
    /// It was taken, or may have been: nothing is known of what was done.
    Lost(String),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Silence::Away(why) | Silence::Lost(why)) = self;
        write!(f, "{why}; see `systemctl status virtwarden-settingsd.socket virtwarden-settingsd.service`")
    }
}

/// settingsd, behind its socket.
#[derive(Clone, Debug)]
pub struct Settingsd {
    socket: PathBuf,
    patience: Duration,
}

impl Default for Settingsd {
    fn default() -> Self {
        Self { socket: SETTINGS_SOCKET.into(), patience: PATIENCE }
    }
}

impl Settingsd {
    /// One that listens elsewhere and must answer within another time.
    pub fn at(socket: PathBuf, patience: Duration) -> Self {
        Self { socket, patience }
    }

    fn send(&self, order: &Order) -> Result<UnixStream, Silence> {
        let away = |error: io::Error| Silence::Away(format!("settingsd cannot be reached: {error}"));
        let line = encode(order).map_err(|error| away(io::Error::other(error)))?;
        let mut stream = UnixStream::connect(&self.socket).map_err(away)?;
        stream.set_read_timeout(Some(self.patience)).map_err(away)?;
        stream.set_write_timeout(Some(self.patience)).map_err(away)?;
        stream.write_all(&line).map_err(away)?;
        Ok(stream)
    }
}

impl Components for Settingsd {
    fn order(&self, order: &Order) -> Result<Report, Silence> {
        match LineReader::new(self.send(order)?).receive() {
            Ok(Some(report)) => Ok(report),
            Ok(None) => Err(Silence::Lost("settingsd ended before it answered".to_owned())),
            Err(error) => Err(Silence::Lost(format!("settingsd did not answer as it should: {error}"))),
        }
    }
}
