// SPDX-License-Identifier: Apache-2.0
//! Refusals and failures as a client reads them.

use virtwarden_core::control::{Failure, FailureKind};

/// The request makes no sense.
pub(super) fn usage(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Usage, message: message.into() }
}

/// The asker may not.
pub(super) fn denied(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Denied, message: message.into() }
}

/// There is no such thing.
pub(super) fn not_found(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::NotFound, message: message.into() }
}

/// There is no such VM, or the asker may not know of it: the same words for both, which repeat only
/// what the asker typed.
pub(super) fn no_vm(typed: &str) -> Failure {
    not_found(format!("there is no VM `{typed}`; `virtwarden vm list` shows yours"))
}

/// There is no such network, or the asker may not know of it.
pub(super) fn no_network(typed: &str) -> Failure {
    not_found(format!("there is no network `{typed}`; `virtwarden network list` shows yours"))
}

/// It cannot be done now.
pub(super) fn unavailable(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Unavailable, message: message.into() }
}

/// It was tried and failed.
pub(super) fn failed(message: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Error, message: message.into() }
}
