// SPDX-License-Identifier: Apache-2.0
//! A line of the trail as syslog has it: RFC 5424.

use virtwarden_core::trail::line::Line;

/// Facility 13, log audit; severity 5, notice.
const PRIORITY: u8 = 13 * 8 + 5;

/// The number is the message's id; whoever receives it sees what is missing. The host's name is filled in on the way.
pub(super) fn of(line: &Line, text: &[u8]) -> Vec<u8> {
    let mut message =
        format!("<{PRIORITY}>1 {} - virtwarden - {} - ", line.stamp.time, line.seq).into_bytes();
    message.extend_from_slice(text);
    message
}
