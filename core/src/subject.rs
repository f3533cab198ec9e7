// SPDX-License-Identifier: Apache-2.0
//! Who asks. Everything here comes from the kernel or the account database, never from a client.

use serde::{Deserialize, Serialize};

use crate::authentication::Authentication;

/// An account: the name and the number must both match, so that neither a reused number nor a
/// reused name inherits anything.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
}

/// A group, by name and number, for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Group id.
    pub gid: u32,
}

/// The process at the other end of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id at the time of the connection.
    pub pid: u32,
    /// Start time in clock ticks since boot, which tells a reused pid apart.
    pub start_time: u64,
}

/// The login behind a process, as the kernel's audit system keeps it across `su` and `sudo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The account that logged in.
    pub account: Account,
    /// Audit session id.
    pub session: u32,
}

/// Which way a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Door {
    /// libvirt's read-write socket.
    Libvirt,
    /// libvirt's read-only socket.
    LibvirtReadOnly,
    /// Our own control socket.
    Control,
    /// A libvirt hook: nobody asked through the gate.
    Hook,
    /// The socket that the PAM module asks on.
    Login,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The account whose rights count: the process's effective user.
    pub account: Account,
    /// The groups of that account, from the account database at the time of the request.
    pub groups: Vec<Group>,
    /// The login behind it; none for services that nobody logged in for.
    pub login: Option<Login>,
    /// Whether a person stands behind it.
    pub authentication: Authentication,
    /// The asking process.
    pub process: Process,
    /// The socket it used.
    pub door: Door,
}

impl Subject {
    /// The name that stands in a record for the person: the login account where there is one.
    pub fn person(&self) -> &str {
        self.login.as_ref().map_or(&self.account.name, |login| &login.account.name)
    }
}
