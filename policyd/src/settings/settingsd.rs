// SPDX-License-Identifier: Apache-2.0
//! Orders to settingsd, the only part that writes the host's own files: one on a connection.

use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use virtwarden_core::control::{LineError, LineReader, Order, Report, SETTINGS_SOCKET, encode};

/// How long an order may take: settingsd writes files, checks them and reloads a unit, each with a
/// shorter deadline of its own.
const PATIENCE: Duration = Duration::from_secs(90);

/// What carries orders out on the host.
pub trait Components: Send + Sync {
    /// Gives an order and waits for what came of it.
    ///
    /// # Errors
    /// Nobody could be asked, or nobody answered: nothing is known of what was done. The words say
    /// what to do.
    fn order(&self, order: &Order) -> Result<Report, String>;
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

    fn converse(&self, order: &Order) -> Result<Report, Trouble> {
        let line = encode(order).map_err(Trouble::Line)?;
        let mut stream = UnixStream::connect(&self.socket).map_err(Trouble::Away)?;
        stream.set_read_timeout(Some(self.patience)).map_err(Trouble::Away)?;
        stream.set_write_timeout(Some(self.patience)).map_err(Trouble::Away)?;
        stream.write_all(&line).map_err(Trouble::Away)?;
        LineReader::new(stream).receive().map_err(Trouble::Line)?.ok_or(Trouble::Silent)
    }
}

impl Components for Settingsd {
    fn order(&self, order: &Order) -> Result<Report, String> {
        self.converse(order).map_err(|trouble| trouble.to_string())
    }
}

/// Why there is no report.
#[derive(Debug)]
enum Trouble {
    Away(io::Error),
    Line(LineError),
    Silent,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Away(error) => write!(f, "settingsd cannot be reached: {error}")?,
            Trouble::Line(error) => write!(f, "settingsd did not answer as it should: {error}")?,
            Trouble::Silent => f.write_str("settingsd ended before it answered")?,
        }
        f.write_str("; see `systemctl status virtwarden-settingsd.socket virtwarden-settingsd.service`")
    }
}
