// SPDX-License-Identifier: Apache-2.0
//! Values that are one of a few words: checked, listed in errors and help, and completed by the shell.

use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Reads one of these words as what stands beside it.
pub(super) fn words<T, const COUNT: usize>(
    words: [(&'static str, T); COUNT],
) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let known = words.map(|(word, _)| word);
    PossibleValuesParser::new(known).try_map(move |typed| {
        let found = words.iter().find(|(word, _)| *word == typed);
        found.map(|(_, value)| *value).ok_or_else(|| format!("`{typed}` is not one of the words"))
    })
}
