// SPDX-License-Identifier: Apache-2.0
//! What policyd's control socket speaks: one JSON object per line in each direction.
//!
//! The subject of a request is never in it: policyd takes it from the socket's peer. Every line
//! carries the protocol's version, is bounded, and is refused if it has a field that is not known:
//! a request that is understood only in part is not understood.

mod audit;
mod hook;
mod line;
mod reply;
mod request;
mod session;
mod verification;

pub use audit::{AuditFilter, AuditRange, Marks};
pub use hook::{HookAnswer, HookCall, HookDriver, Veto};
pub use line::{LineError, LineReader, MAX_LINE, VERSION, decode, encode};
pub use reply::{
    Change, Explanation, Failure, FailureKind, PolicyFile, PolicyText, Presence, Reply, RoleRow, Status,
    StatusDetails, TableRow, Verdict, VmRow, VmState, Whoami,
};
pub use request::{Membership, Mode, ObjectName, Request};
pub use session::{
    Conversation, ELEVATE_SOCKET, Elevation, Lock, LockoutRow, Order, OriginClass, Report, SETTINGS_SOCKET,
    SessionRow, SessionState, SettingRow, SettingSource, Typed,
};
pub use verification::Verification;

/// Where policyd listens.
pub const SOCKET: &str = "/run/virtwarden/control.sock";
