// SPDX-License-Identifier: Apache-2.0
//! What a check of the audit trail found, as it is told to a client.

use serde::{Deserialize, Serialize};

/// What a check of the trail found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The verifier's exit code: 0 when the trail is whole.
    pub code: u8,
    /// The verifier's word for it: `intact`, `changed`, `gap`, ...
    pub verdict: String,
    /// How many lines were good, up to the end or to the first flaw.
    pub lines: u64,
    /// The first and the last sequence number of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(u64, u64)>,
    /// Everything up to this sequence number is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<u64>,
    /// The hash of the last good line: keep it elsewhere, and a later check can find a trail that
    /// was cut off or written anew.
    pub head: String,
    /// What was removed from its beginning, by its own record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<String>,
    /// Where and what the first flaw is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
}

#[cfg(feature = "trail")]
mod report {
    use super::Verification;
    use crate::trail::verify::{Report, Verdict};

    impl From<&Report> for Verification {
        fn from(report: &Report) -> Self {
            Self {
                code: report.verdict.exit_code(),
                verdict: report.verdict.to_string(),
                lines: report.lines,
                range: report.first.zip(report.last),
                sealed: report.sealed,
                head: report.head.to_string(),
                removed: report.removed.as_ref().map(ToString::to_string),
                flaw: (report.verdict != Verdict::Intact).then(|| report.to_string()),
            }
        }
    }

    impl Verification {
        /// The check could not even begin.
        pub fn impossible(why: String) -> Self {
            Self {
                code: Verdict::Unreadable.exit_code(),
                verdict: Verdict::Unreadable.to_string(),
                lines: 0,
                range: None,
                sealed: None,
                head: String::new(),
                removed: None,
                flaw: Some(why),
            }
        }
    }
}
