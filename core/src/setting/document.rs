// SPDX-License-Identifier: Apache-2.0
//! What Administrators set, as policyd keeps it and as settingsd reads it when a host is taken over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Setting, SettingName};

/// The file format that this build writes and reads.
const FORMAT: u32 = 1;

/// A value that an Administrator set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The value.
    pub setting: Setting,
    /// The person who set it.
    pub by: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// Why, in his words.
    pub reason: String,
}

/// All values that somebody set. What is not here has its default.
pub type Values = BTreeMap<SettingName, Chosen>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    settings: Vec<Chosen>,
}

/// The file's bytes.
///
/// # Errors
/// Does not happen for values that are legal.
pub fn encode(values: &Values) -> Result<Vec<u8>, serde_json::Error> {
    let document = Document { format: FORMAT, settings: values.values().cloned().collect() };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads the file's bytes, strictly: all of it is legal, or nothing is taken from it.
///
/// # Errors
/// What is wrong with it.
pub fn decode(bytes: &[u8]) -> Result<Values, String> {
    let document: Document = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if document.format != FORMAT {
        return Err(format!("format {} is not known to this version", document.format));
    }
    let mut values = Values::new();
    for chosen in document.settings {
        chosen.setting.check().map_err(|error| error.to_string())?;
        let name = chosen.setting.name();
        if values.insert(name, chosen).is_some() {
            return Err(format!("setting `{name}` stands there twice"));
        }
    }
    Ok(values)
}
