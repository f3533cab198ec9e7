// SPDX-License-Identifier: Apache-2.0
//! Where a network interface of a VM leads.

use std::fmt;

/// Where a network interface of a VM leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Link {
    /// A libvirt network, by name.
    Network(String),
    /// Anything else (bridge, direct, user, ...).
    Past {
        /// The interface's type.
        kind: String,
        /// Its source: a bridge or device of the host, a socket, an address.
        onto: Option<String>,
    },
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Link::Network(name) => write!(f, "network `{name}`"),
            Link::Past { kind, onto: Some(onto) } => write!(f, "{kind} {onto}"),
            Link::Past { kind, onto: None } => f.write_str(kind),
        }
    }
}
