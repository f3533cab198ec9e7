// SPDX-License-Identifier: Apache-2.0
//! What the PAM module and policyd say to each other about logins.
//!
//! One question and one answer on a connection, each in one frame: four bytes of length, most significant
//! first, then the message ([`send`], [`receive`]). The decoder is strict and bounded: an unknown tag, a
//! field over its limit or a byte too many is an error, never a guess.
//!
//! Names are bytes, because what somebody types at a login prompt need not be UTF-8. Who asks is never in a
//! question: policyd takes the process, its audit session and its account from the socket's peer, and answers
//! root's processes alone.

mod claim;
mod codec;
mod cursor;
mod fault;
mod frame;
pub mod locked;
mod message;

pub use claim::{Claim, Class, LONGEST_ACCOUNT, LONGEST_FIELD};
pub use codec::Message;
pub use fault::{Fault, ReceiveError};
pub use frame::{LONGEST_MESSAGE, encode_frame, receive, send};
pub use message::{
    Answer, Change, Factors, LONGEST_EXPOSED, LONGEST_REASON, LONGEST_TEXT, Phase, Proof, Question, Refusal,
    Span, Ticket,
};

/// Where policyd answers the PAM module.
pub const SOCKET: &str = "/run/virtwarden/login.sock";
