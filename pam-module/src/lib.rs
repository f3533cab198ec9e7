// SPDX-License-Identifier: Apache-2.0
//! `pam_virtwarden.so`: asks policyd about logins, on behalf of sshd, login, su, sudo, display managers and
//! everything else that runs a PAM stack.
//!
//! It runs inside somebody else's program, which may have been started with hostile limits, descriptors and
//! names. So it has no threads and no dependencies, every exchange has a deadline ([`policyd`]), and unsafe
//! code is in `ffi.rs` alone, which is a skin over what the other files decide.
//!
//! It never says yes: what it does not refuse, it ignores (`PAM_IGNORE`), so that wherever somebody puts it in
//! a stack, other modules must accept the login.

mod account;
mod arguments;
mod authenticate;
mod claim;
mod code;
mod consult;
mod entry;
#[allow(unsafe_code, reason = "the border to C: libpam's calls, and sockets without blocking")]
mod ffi;
mod login;
mod monitor;
mod password;
pub mod policyd;
mod session;
mod snapshot;
mod words;

#[cfg(test)]
mod script;

pub use code::Code;
pub use ffi::{Application, Converse, Echo};
pub use login::{Item, Login, Notes, Tone};
pub use monitor::{Asker, Locks, Monitor, PATIENCE, Silence};
