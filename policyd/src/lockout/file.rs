// SPDX-License-Identifier: Apache-2.0
//! The file that failures and locks are kept in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use virtwarden_core::control::OriginClass;
use virtwarden_core::lockout::{Anchor, Key, Tally};

use crate::kept::{Format, Kept};

/// What is kept.
#[derive(Debug)]
pub(super) struct Document {
    /// The clock that the moments are of.
    pub(super) clock: Anchor,
    /// Failures and locks.
    pub(super) tallies: BTreeMap<Key, Tally>,
    /// What keeps everybody out over the network.
    pub(super) everybody: Option<Tally>,
    /// Administrators who have shown that they have a password.
    pub(super) proven: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: Format<1>,
    clock: Anchor,
    accounts: Vec<Row>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    everybody: Option<Tally>,
    proven: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    account: String,
    class: OriginClass,
    tally: Tally,
}

impl Kept for Document {
    const SUBJECT: &'static str = "failed logins";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let row = |((account, class), tally): (&Key, &Tally)| Row {
            account: account.clone(),
            class: *class,
            tally: tally.clone(),
        };
        let text = Text {
            format: Format,
            clock: self.clock.clone(),
            accounts: self.tallies.iter().map(row).collect(),
            everybody: self.everybody.clone(),
            proven: self.proven.clone(),
        };
        let mut bytes = serde_json::to_vec(&text)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        let text: Text = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut tallies = BTreeMap::new();
        for Row { account, class, tally } in text.accounts {
            if tallies.insert((account.clone(), class), tally).is_some() {
                return Err(format!("account `{account}` stands there twice"));
            }
        }
        Ok(Document { clock: text.clock, tallies, everybody: text.everybody, proven: text.proven })
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the record of failed logins was damaged ({error}) and is kept as `{}`: no account could log in over \
             the network with a password until a lock's time was over; `virtwarden lockout unlock '*'` ends that",
            kept.display()
        )
    }
}
