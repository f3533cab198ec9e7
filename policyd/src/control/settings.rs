// SPDX-License-Identifier: Apache-2.0
//! What the command asks about settings.

use virtwarden_core::control::{Failure, Reply, Request};
use virtwarden_core::subject::Subject;

use super::Control;
use super::failure::unavailable;

impl Control {
    /// Answers a request about settings.
    pub(super) fn setting(&self, _subject: &Subject, request: &Request) -> Result<Reply, Failure> {
        Err(unavailable(format!("`{}` is not served by this version", request.operation())))
    }
}
