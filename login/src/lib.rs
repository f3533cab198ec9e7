// SPDX-License-Identifier: Apache-2.0
//! What the PAM module and policyd say to each other about logins.
//!
//! One question and one answer on a connection. Names are bytes, because what somebody types at a login
//! prompt need not be UTF-8. Who asks is never in a question: policyd takes the process, its audit session
//! and its account from the socket's peer, and answers root's processes alone.

mod message;

pub use message::{
    Answer, Change, Claim, Factors, LONGEST_FIELD, Phase, Proof, Question, Refusal, Span, Ticket,
};

/// Where policyd answers the PAM module.
pub const SOCKET: &str = "/run/virtwarden/login.sock";
