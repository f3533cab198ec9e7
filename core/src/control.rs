// SPDX-License-Identifier: Apache-2.0
//! What policyd's control socket speaks: one JSON object per line in each direction.
//!
//! The subject of a request is never in it: policyd takes it from the socket's peer. Every line
//! carries the protocol's version, is bounded, and is refused if it has a field that is not known:
//! a request that is understood only in part is not understood.

mod access;
mod audit;
mod elevation;
mod hook;
mod line;
mod lockout;
mod media;
mod network;
mod policy;
mod reply;
mod request;
mod screen;
mod session;
mod setting;
mod sharing;
mod update;
mod verification;
mod vm;

pub use access::{AccessRow, AccessTo};
pub use audit::{AuditFilter, AuditRange, Before, Marks, TrailKeys};
pub use elevation::{Conversation, ELEVATE_SOCKET, Elevation, Typed};
pub use hook::{HookAnswer, HookCall, HookDriver, InCommon, Sight, Veto};
pub use line::{LineError, LineReader, MAX_LINE, VERSION, decode, encode};
pub use lockout::{Lock, LockoutRow, OriginClass};
pub use media::{ConfirmationRow, DeviceClassRow, MediumHolder, MediumRow, MediumVerdict};
pub use network::{
    Conversation as NetworkConversation, NetworkClaim, NetworkMembership, NetworkRow, NetworkState,
    NetworkVm, WayOut, conversations,
};
pub use policy::{FormerPolicy, Simulation, SimulationRow};
pub use reply::{
    Change, Explanation, Failure, FailureKind, PolicyFile, PolicyText, Presence, Reply, RoleRow, Status,
    StatusDetails, TableRow, Verdict, VmRow, VmState, Whoami,
};
pub use request::{Membership, Mode, ObjectName, Request};
pub use screen::{ScreenRow, ScreenWish};
pub use session::{SessionRow, SessionState};
pub use setting::{Order, Report, SETTINGS_SOCKET, SettingRow, SettingSource, UsbWish};
pub use sharing::{BeyondRow, Holds, OpeningRow, SharingRequest, SharingRows};
pub use update::UpdateAct;
pub use verification::Verification;
pub use vm::{TemplateRow, VmBelonging, VmWish};

/// Where policyd listens.
pub const SOCKET: &str = "/run/virtwarden/control.sock";
