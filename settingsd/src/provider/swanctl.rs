// SPDX-License-Identifier: Apache-2.0
//! strongSwan, configured by swanctl. Its connections are the site's; ours are sections that they refer to.
//!
//! What a connection comes to, with all that it refers to and includes, swanctl itself tells: it is let load its files
//! into us instead of charon. What charon has, charon tells.

mod listen;
mod loader;
mod vici;

use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) use self::vici::Section;
use self::vici::{Packet, receive};
use crate::host::Host;
use crate::program::Input;

const SWANCTL: &str = "/usr/sbin/swanctl";
const CHARON: &str = "/usr/sbin/charon-systemd";
const SYSTEMCTL: &str = "/usr/bin/systemctl";
const UNIT: &str = "strongswan.service";
/// Where charon is asked, while it runs.
const SOCKET: &str = "/run/charon.vici";
const PATIENCE: Duration = Duration::from_secs(5);

/// The sections that connections refer to: a connection, what is said of its peer, and what carries its data.
pub(super) const IKE: &str = "virtwarden-ike";
pub(super) const PEER: &str = "virtwarden-peer";
pub(super) const ESP: &str = "virtwarden-esp";

/// A connection of ours that is never loaded, and refers to nothing else: it shows what the sections come to.
const PROBE: &str = "virtwarden-probe";

/// What is said where it is missing.
pub(super) const ABSENT: &str = "this host has no strongSwan with swanctl, and IPsec is its; install charon-systemd and strongswan-swanctl";

/// Whether this host has strongSwan with swanctl.
pub(super) fn is_here(host: &Host) -> bool {
    host.has(SWANCTL) && host.has(CHARON)
}

/// What swanctl reads now. What is broken already is not built upon.
///
/// # Errors
/// A connection cannot be loaded, or swanctl is missing.
pub(super) fn examine(host: &Host) -> Result<(), String> {
    if !is_here(host) {
        return Err(ABSENT.to_owned());
    }
    read(host, "").map(drop).map_err(|why| {
        format!("strongSwan's configuration is broken already, so nothing is changed: {why}; mend it and try again")
    })
}

/// The site's connections, and ours that shows what our sections come to.
pub(super) struct Configuration {
    /// Those of the site.
    pub(super) connections: Vec<Section>,
    /// Ours.
    pub(super) probe: Section,
}

/// The configuration as swanctl reads it, with a text besides.
///
/// # Errors
/// It does not.
pub(super) fn read(host: &Host, besides: &str) -> Result<Configuration, String> {
    let text = format!(
        "include /etc/swanctl/swanctl.conf\n{besides}\nconnections {{\n  {PROBE} : {IKE} {{\n    remote : {PEER} {{\n    \
         }}\n    children {{\n      data : {ESP} {{\n      }}\n    }}\n  }}\n}}\n"
    );
    let loader = loader::of(host, SWANCTL)?;
    let mut connections = host.with_candidate(&text, |path| {
        listen::while_running(host, |uri| {
            let _links = Links::beside(host, path)?;
            load(host, &[&loader, SWANCTL, "--load-conns", "--file", path, "--uri", uri])
        })
    })?;
    let ours = connections.iter().position(|connection| connection.name == PROBE);
    let probe =
        ours.map(|index| connections.swap_remove(index)).ok_or("swanctl did not tell what it reads")?;
    connections.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(Configuration { connections, probe })
}

/// What is told of libraries that swanctl can do without is left out.
fn load(host: &Host, words: &[&str]) -> Result<(), String> {
    let ran = host.run(words, Input::Nothing)?;
    if ran.succeeded() {
        return Ok(());
    }
    let said: Vec<_> = ran.said.lines().filter(|line| !line.contains("plugin")).collect();
    Err(format!("swanctl: {}", said.join(", ")))
}

/// Certificates that connections name, where swanctl looks for them: beside the file that it reads first.
struct Links(Vec<PathBuf>);

impl Links {
    fn beside(host: &Host, candidate: &str) -> Result<Self, String> {
        let mut links = Self(Vec::new());
        for name in ["x509", "x509ca", "pubkey"] {
            let link = Path::new(candidate).with_file_name(name);
            let target = host.place("/etc/swanctl").join(name);
            // What a process that was killed left is the same.
            match symlink(&target, &link) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(format!("`{}`: {error}", link.display()));
                }
                Ok(()) | Err(_) => links.0.push(link),
            }
        }
        Ok(links)
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        for link in &self.0 {
            drop(std::fs::remove_file(link));
        }
    }
}

/// Lets swanctl load all into charon, if that runs.
///
/// # Errors
/// It did not.
pub(super) fn take_effect(host: &Host) -> Result<(), String> {
    if is_here(host) { host.must(&[SYSTEMCTL, "try-reload-or-restart", UNIT]).map(drop) } else { Ok(()) }
}

/// The connections that charon has; none if it does not run.
///
/// # Errors
/// It does not answer as it should.
pub(super) fn loaded(host: &Host) -> Result<Vec<Section>, String> {
    let runs = host.run(&[SYSTEMCTL, "is-active", "--quiet", UNIT], Input::Nothing)?;
    if !runs.succeeded() || !host.has(SOCKET) {
        return Ok(Vec::new());
    }
    let told = |error: std::io::Error| format!("charon does not tell its connections: {error}");
    let socket = host.place(SOCKET);
    let mut charon = UnixStream::connect(socket).map_err(told)?;
    charon.set_read_timeout(Some(PATIENCE)).map_err(told)?;
    charon.set_write_timeout(Some(PATIENCE)).map_err(told)?;
    charon.write_all(&vici::request(vici::EVENT_REGISTER, "list-conn")).map_err(told)?;
    charon.write_all(&vici::request(vici::COMMAND, "list-conns")).map_err(told)?;
    let mut connections = Vec::new();
    loop {
        match receive(&mut charon).map_err(told)? {
            Some(Packet::Event(message)) => connections.extend(message.sections),
            Some(Packet::Confirmed) => {}
            Some(Packet::Answer | Packet::Command { .. } | Packet::Registered) | None => {
                return Ok(connections);
            }
        }
    }
}
