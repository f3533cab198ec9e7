// SPDX-License-Identifier: Apache-2.0
//! Why a call gets no further, as the error that its caller sees.

use virtwarden_core::rpc::reader::Reader;
use virtwarden_core::rpc::writer::Writer;

use super::end::End;
use crate::monitor::Refusal;

/// libvirt's error numbers that we use.
pub(super) mod code {
    /// Something went wrong inside.
    pub(in crate::gate) const INTERNAL: i32 = 1;
    /// No driver for such a name.
    pub(in crate::gate) const NO_CONNECT: i32 = 5;
    /// An argument that cannot be.
    pub(in crate::gate) const INVALID: i32 = 8;
    /// The other end is gone.
    pub(in crate::gate) const SYSTEM: i32 = 38;
    /// The protocol was not kept.
    pub(in crate::gate) const RPC: i32 = 39;
    /// No such VM.
    pub(in crate::gate) const NO_DOMAIN: i32 = 42;
    /// It took too long.
    pub(in crate::gate) const TIMEOUT: i32 = 68;
    /// There is no room.
    pub(in crate::gate) const BUSY: i32 = 87;
    /// Access denied.
    pub(in crate::gate) const ACCESS_DENIED: i32 = 88;
}

/// libvirt's "from where" of an error: the access layer, or the RPC layer.
const FROM_ACCESS: i32 = 55;
const FROM_RPC: i32 = 7;

/// Why a call gets no further.
#[derive(Debug)]
pub(super) enum Fault {
    /// The monitor refused.
    Refused(Refusal),
    /// libvirtd refused a question of ours; its error is the answer.
    Theirs(Vec<u8>),
    /// Something else, by libvirt's number and in words.
    Failed(i32, String),
    /// The whole connection is over.
    End(End),
}

impl From<End> for Fault {
    fn from(end: End) -> Self {
        Fault::End(end)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Fault::Refused(refusal)
    }
}

impl Fault {
    /// The payload of the error reply.
    pub(super) fn payload(&self) -> Vec<u8> {
        match self {
            Fault::Refused(refusal) => error(code::ACCESS_DENIED, FROM_ACCESS, &refusal.to_string()),
            Fault::Theirs(payload) => payload.clone(),
            Fault::Failed(code, text) => error(*code, FROM_RPC, text),
            Fault::End(end) => error(code::SYSTEM, FROM_RPC, &end.to_string()),
        }
    }
}

/// libvirt's number of an error that it sent.
pub(super) fn code_of(payload: &[u8]) -> Option<i32> {
    Reader::new(payload).i32().ok()
}

/// Whether libvirt says that there is no such VM, network, pool or filter.
pub(super) fn is_not_found(payload: &[u8]) -> bool {
    matches!(code_of(payload), Some(code::NO_DOMAIN | 43 | 49 | 62))
}

/// The message of an error that libvirt sent.
pub(super) fn text_of(payload: &[u8]) -> String {
    let mut reader = Reader::new(payload);
    let text = reader.take(8).and_then(|_| reader.boolean()).and_then(|there| match there {
        true => reader.opaque(4 * 1024 * 1024).map(String::from_utf8_lossy).map(String::from),
        false => Ok(String::new()),
    });
    text.unwrap_or_default()
}

/// libvirt's error structure with nothing in it but code, origin and message.
pub(super) fn error(code: i32, from: i32, text: &str) -> Vec<u8> {
    const LEVEL_ERROR: i32 = 2;
    let mut writer = Writer::with_capacity(128);
    writer.i32(code);
    writer.i32(from);
    writer.optional_text(Some(text));
    writer.i32(LEVEL_ERROR);
    writer.boolean(false);
    writer.optional_text(Some("%s"));
    writer.optional_text(Some(text));
    writer.optional_text(None);
    writer.i32(-1);
    writer.i32(-1);
    writer.boolean(false);
    writer.finish()
}
