// SPDX-License-Identifier: Apache-2.0
//! libvirt's wire protocol, as far as deciding needs it.
//!
//! Everything here is pure and works on bytes. A call goes through it like this:
//!
//! 1. [`frame::Frame::parse`] reads one whole frame; [`frame::Header::may_come_from`] says whether
//!    that side may send it.
//! 2. [`procedure::find`] looks the call up by program and number. What is not in the table does not
//!    exist for us and is refused: the protocol grows.
//! 3. [`arguments::Arguments::decode`] reads the arguments whole and accepts exactly one spelling of each value,
//!    so that libvirtd cannot read them differently. [`arguments::Arguments::encode`] writes them again.
//! 4. [`rule::Rule`], found with the procedure, says how the gate treats it.
//! 5. [`check`](check::check) refuses arguments that nobody's libvirtd should see.
//! 6. [`handle`] says what objects calls, replies and events name, so that lists, lookups and events can be
//!    filtered, and [`error`] what libvirt says of an object that does not exist.

pub mod arguments;
pub mod check;
pub mod error;
pub mod frame;
pub mod handle;
mod handle_kind;
pub mod layout;
pub mod procedure;
pub mod reader;
pub mod rule;
#[cfg(test)]
mod sample;
pub mod value;
pub mod writer;
