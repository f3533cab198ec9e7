// SPDX-License-Identifier: Apache-2.0
//! Which word somebody probably meant.

/// The candidate closest to what was written, if it is close enough to be worth naming.
pub(in crate::policy) fn closest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let worth = |candidate: &str| candidate.len().max(written.len()).div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= worth(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance, row by row.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (deleted, left) in from.chars().enumerate() {
        let mut next = vec![deleted + 1];
        for ((right, pair), above) in to.chars().zip(row.windows(2)).zip(row.iter().skip(1)) {
            let replaced = pair.first().map_or(0, |diagonal| diagonal + usize::from(left != right));
            let inserted = next.last().map_or(0, |beside| beside + 1);
            next.push(replaced.min(inserted).min(above + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_single_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("start", "strat"), 2);
        assert_eq!(distance("same", "same"), 0);
    }

    #[test]
    fn only_a_likely_word_is_suggested() {
        assert_eq!(closest("strat", ["start", "stop"]), Some("start"));
        assert_eq!(closest("colunm", ["column", "users"]), Some("column"));
        assert_eq!(closest("banana", ["start", "stop"]), None);
    }
}
