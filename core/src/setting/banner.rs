// SPDX-License-Identifier: Apache-2.0
//! The access banner: row 20, FTA_TAB.1.

use serde::{Deserialize, Serialize};

use super::SettingError;

/// The longest banner in bytes of UTF-8.
pub const LONGEST_BANNER: usize = 4096;

/// What is shown before somebody logs in. Plain text: no terminal control characters, and nothing in
/// it is expanded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BannerText(String);

/// Whether a person must accept the banner before acting as an Administrator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledgement {
    /// It is only shown.
    #[default]
    NotAsked,
    /// `virtwarden banner accept`, once in each login session; recorded with the person.
    Required,
}

/// The banner.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Banner {
    /// The text; none means that nothing is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<BannerText>,
    /// Whether it must be accepted.
    #[serde(default)]
    pub acknowledgement: Acknowledgement,
}

impl BannerText {
    /// Checks a text.
    ///
    /// # Errors
    /// It is empty, too long, or has a control character other than line end and tab.
    pub fn new(text: &str) -> Result<Self, SettingError> {
        if text.trim().is_empty() {
            return Err(SettingError("the banner is empty; to show none, unset it".to_owned()));
        }
        if text.len() > LONGEST_BANNER {
            return Err(SettingError(format!(
                "the banner has {} bytes; at most {LONGEST_BANNER} are allowed",
                text.len()
            )));
        }
        match text.chars().find(|character| is_control(*character)) {
            Some(control) => Err(SettingError(format!(
                "the banner has the control character U+{:04X}; only text, line ends and tabs are allowed",
                u32::from(control)
            ))),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Also what changes the direction of text or hides it: what is read must be what is there.
fn is_control(character: char) -> bool {
    let hidden = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    hidden || (character.is_control() && !matches!(character, '\n' | '\t'))
}

impl TryFrom<String> for BannerText {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        Self::new(&text)
    }
}

impl From<BannerText> for String {
    fn from(text: BannerText) -> String {
        text.0
    }
}
