// SPDX-License-Identifier: Apache-2.0
//! What the control socket says of one's own screen: when it locks, and when at most it shall.

use serde::{Deserialize, Serialize};

use crate::setting::{Locking, OwnIdle, ScreenIdle};

/// The longest that somebody wants his own screen to stay open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScreenWish {
    /// Seconds without input until it goes dark.
    pub seconds: u32,
    /// Seconds from then until it is locked; everybody's where he does not say.
    #[serde(default)]
    pub delay: Option<u32>,
}

/// When the asker's screen locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ScreenRow {
    /// Whether idle screens lock: row 13.
    pub locking: Locking,
    /// When, for everybody: row 14.
    pub everybody: ScreenIdle,
    /// When at most, by his own wish.
    pub own: Option<OwnIdle>,
    /// What becomes of both.
    pub holds: ScreenIdle,
}
