// SPDX-License-Identifier: Apache-2.0
//! The sockets that clients come through: inherited from systemd, or made where the command line says.

use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use nix::sys::signalfd::SignalFd;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use virtwarden_core::subject::Door;

use super::RunError;
use crate::options::Options;
use crate::systemd;

/// All sockets: who connects is looked at, not kept out by the mode.
const MODE: u32 = 0o666;

/// The sockets, each with the door that it is.
pub(super) struct Doors(Vec<(UnixListener, Door)>);

impl Doors {
    pub(super) fn open(options: &Options) -> Result<Self, RunError> {
        let mut inherited = systemd::inherited()?;
        let wanted = [
            ("libvirt", &options.listen, Door::Libvirt),
            ("libvirt-ro", &options.listen_read_only, Door::LibvirtReadOnly),
            ("control", &options.control, Door::Control),
            ("login", &options.login, Door::Login),
        ];
        let mut doors = Vec::new();
        for (name, path, door) in wanted {
            let listener = match path {
                Some(path) => Some(bind(path).map_err(|error| RunError::Socket(name.to_owned(), error))?),
                None => inherited.remove(name),
            };
            if let Some(listener) = listener {
                listener.set_nonblocking(true)?;
                doors.push((listener, door));
            }
        }
        if doors.is_empty() {
            let why = std::io::Error::other("neither inherited nor named with --listen");
            return Err(RunError::Socket("libvirt".to_owned(), why));
        }
        Ok(Self(doors))
    }

    /// Waits for clients or a signal; returns the doors that somebody stands at.
    pub(super) fn wait(
        &self,
        signals: &SignalFd,
        beat: Option<Duration>,
    ) -> Result<Vec<(&UnixListener, Door)>, RunError> {
        let mut waits = vec![PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN)];
        waits.extend(self.0.iter().map(|(listener, _)| PollFd::new(listener, PollFlags::IN)));
        let timeout = beat.and_then(|beat| Timespec::try_from(beat).ok());
        match poll(&mut waits, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(RunError::Host(error.into())),
        }
        let found = self.0.iter().zip(waits.iter().skip(1));
        let ready = found.filter(|(_, wait)| !wait.revents().is_empty());
        Ok(ready.map(|((listener, door), _)| (listener, *door)).collect())
    }
}

/// A socket of our own making, for trying things by hand. A dead one in its place is removed.
fn bind(path: &Path) -> std::io::Result<UnixListener> {
    if UnixStream::connect(path).is_err() {
        let _absent = std::fs::remove_file(path);
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, PermissionsExt::from_mode(MODE))?;
    Ok(listener)
}
