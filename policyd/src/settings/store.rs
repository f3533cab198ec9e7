// SPDX-License-Identifier: Apache-2.0
//! The settings' file.

use std::path::Path;

use virtwarden_core::setting::document::{self, Values};

use crate::kept::Kept;

impl Kept for Values {
    const SUBJECT: &'static str = "settings";

    fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        document::encode(self)
    }

    fn decode(bytes: &[u8]) -> Result<Self, String> {
        document::decode(bytes)
    }

    fn lost(error: &str, kept: &Path) -> String {
        format!(
            "the settings were damaged ({error}) and the defaults hold; the damaged file is `{}`: \
             set them again, or stop policyd and put a backup in place",
            kept.display()
        )
    }
}
