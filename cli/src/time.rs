// SPDX-License-Identifier: Apache-2.0
//! Moments as people type and read them. Always UTC, so that records of several hosts compare.

use std::time::{SystemTime, UNIX_EPOCH};

use virtwarden_core::trail::time::Time;

const SECOND: u64 = 1_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment on the command line: a point in time with its precision, or an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A span of time, in microseconds since 1970 UTC, both ends included: a day, a minute, a second.
    Span(u64, u64),
    /// So many microseconds ago.
    Ago(u64),
}

impl Moment {
    /// The first microsecond that is meant.
    pub(crate) fn first(self, now: u64) -> u64 {
        match self {
            Moment::Span(first, _) => first,
            Moment::Ago(age) => now.saturating_sub(age),
        }
    }

    /// The last microsecond that is meant: `--until 2026-11-21` includes that day.
    pub(crate) fn last(self, now: u64) -> u64 {
        match self {
            Moment::Span(_, last) => last,
            Moment::Ago(age) => now.saturating_sub(age),
        }
    }
}

/// Now, in microseconds since 1970 UTC.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Now, in seconds since 1970 UTC.
pub(crate) fn now_in_seconds() -> u64 {
    now() / SECOND
}

/// Reads `2026-11-21`, `2026-11-21T09:30`, `2026-11-21T09:30:15` (a blank or `T`, an optional `Z`)
/// or an age: `90m`, `12h`, `7d`.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    parse_age(text)
        .or_else(|| parse_span(text))
        .ok_or_else(|| "expected `2026-11-21`, `2026-11-21T09:30` or an age such as `12h`".to_owned())
}

fn parse_age(text: &str) -> Option<Moment> {
    let unit = text.chars().next_back()?;
    let length = match unit {
        's' => SECOND,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(length).map(Moment::Ago)
}

fn parse_span(text: &str) -> Option<Moment> {
    let text = text.trim_end_matches('Z').replacen(' ', "T", 1);
    let (whole, length) = match text.matches(':').count() {
        0 => (text, DAY),
        1 => (format!("{text}:00Z"), MINUTE),
        _ => (format!("{text}Z"), SECOND),
    };
    let first = whole.parse::<Time>().ok()?.micros();
    Some(Moment::Span(first, first + length - 1))
}

/// Writes a time to the second: `2026-11-21 09:30:15`.
pub(crate) fn format(time: Time) -> String {
    let text = time.to_string().replacen('T', " ", 1);
    text.split('.').next().unwrap_or_default().to_owned()
}

/// Writes seconds since 1970 UTC likewise.
pub(crate) fn of_seconds(seconds: u64) -> String {
    format(Time::from_micros(seconds.saturating_mul(SECOND)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(micros: u64) -> String {
        format(Time::from_micros(micros))
    }

    #[test]
    fn a_moment_reads_back_as_written() {
        for text in ["1970-01-01 00:00:00", "2000-02-29 23:59:59", "2026-11-21 09:30:15"] {
            let Ok(Moment::Span(first, last)) = parse_moment(text) else { panic!("{text}") };
            assert_eq!(written(first), text);
            assert_eq!(last - first, SECOND - 1);
        }
        assert_eq!(parse_moment("2026-11-21T09:30:15Z").unwrap().first(0), 1_795_253_415 * SECOND);
    }

    #[test]
    fn a_day_is_meant_whole() {
        let day = parse_moment("2026-11-21").unwrap();
        assert_eq!(written(day.first(0)), "2026-11-21 00:00:00");
        assert_eq!(written(day.last(0)), "2026-11-21 23:59:59");
        assert_eq!(written(parse_moment("2026-11-21 09:30").unwrap().last(0)), "2026-11-21 09:30:59");
    }

    #[test]
    fn an_age_counts_from_now() {
        assert_eq!(parse_moment("2m").unwrap().first(200 * SECOND), 80 * SECOND);
        assert_eq!(parse_moment("7d").unwrap().first(0), 0);
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "d",
            "yesterday",
            "2026-13-01",
            "2026-02-30",
            "2026-11-21T24:00",
            "2026-11-21T9",
            "-1d",
            "5m ",
        ] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
