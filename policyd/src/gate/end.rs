// SPDX-License-Identifier: Apache-2.0
//! Why a connection is over.

use std::fmt;

use virtwarden_core::authentication::Absence;

use super::link::LinkError;
use super::wire::WireError;
use crate::peer::PeerError;

/// Why a connection is over.
#[derive(Debug)]
pub enum End {
    /// The client closed, orderly or not.
    ClientLeft,
    /// The client sent what no client sends.
    ClientBroke(String),
    /// The client did not open in time.
    NeverOpened,
    /// The kernel does not say who it is any more, or its account is gone.
    Nobody(PeerError),
    /// The remote session that the client runs in is over, because nobody used it: row 15.
    Idle,
    /// libvirtd is gone.
    UpstreamGone(String),
    /// We are stopping.
    Stopping,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::ClientLeft => f.write_str("the client left"),
            End::ClientBroke(how) => write!(f, "the client broke the protocol: {how}"),
            End::NeverOpened => f.write_str("the client did not open in time"),
            End::Nobody(error) => error.fmt(f),
            End::Idle => f.write_str(Absence::Idle.advice()),
            End::UpstreamGone(why) => write!(f, "libvirtd is gone ({why}), see `systemctl status libvirtd`"),
            End::Stopping => f.write_str("virtwarden is stopping"),
        }
    }
}

impl From<LinkError> for End {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Client(WireError::Closed | WireError::Broken(_)) => End::ClientLeft,
            LinkError::Client(error) => End::ClientBroke(error.to_string()),
            LinkError::Upstream(error) => End::UpstreamGone(error.to_string()),
            LinkError::Wait(error) => End::UpstreamGone(error.to_string()),
        }
    }
}
