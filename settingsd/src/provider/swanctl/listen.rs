// SPDX-License-Identifier: Apache-2.0
//! In charon's place: takes what swanctl loads, and says yes to all of it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use super::vici::{self, Packet, Section, receive};
use crate::host::Host;

/// Below a directory that only root writes; who cannot write the socket cannot connect either.
const SOCKET: &str = "/run/virtwarden/settingsd/vici";
/// Longer than a program may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Runs something that loads connections into the service at the address that it is given; says which.
///
/// # Errors
/// It failed, or what it said is not understood.
pub(super) fn while_running(
    host: &Host,
    load: impl FnOnce(&str) -> Result<(), String>,
) -> Result<Vec<Section>, String> {
    let path = host.place(SOCKET);
    let told = |error: io::Error| format!("`{}`: {error}", path.display());
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(told(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(&path).map_err(told)?;
    let hears =
        thread::Builder::new().name("vici".to_owned()).spawn(move || hear(&listener)).map_err(told)?;
    let loaded = load(&format!("unix://{}", path.display()));
    // If nobody came, this ends the waiting.
    drop(UnixStream::connect(&path));
    let heard = hears.join().map_err(|_| "swanctl could not be heard".to_owned())?;
    fs::remove_file(&path).map_err(told)?;
    loaded?;
    heard.map_err(|error| format!("swanctl is not understood: {error}"))
}

fn hear(listener: &UnixListener) -> io::Result<Vec<Section>> {
    let (mut client, _) = listener.accept()?;
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut connections = Vec::new();
    while let Some(packet) = receive(&mut client)? {
        match packet {
            Packet::Command { name, message } if name == "load-conn" => {
                connections.extend(message.sections);
                client.write_all(&vici::success())?;
            }
            Packet::Command { .. } => client.write_all(&vici::nothing())?,
            Packet::Registered => client.write_all(&vici::confirmed())?,
            Packet::Answer | Packet::Confirmed | Packet::Event(_) => {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
    }
    Ok(connections)
}

#[cfg(test)]
mod tests;
