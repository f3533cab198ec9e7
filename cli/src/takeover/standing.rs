// SPDX-License-Identifier: Apache-2.0
//! How the host stands to what shall be.

use serde::Serialize;

/// How the host stands to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Standing {
    /// Already so.
    InPlace,
    /// Nothing there yet.
    Missing,
    /// Something else is there.
    Different,
}
