// SPDX-License-Identifier: Apache-2.0
//! Moments as people type and read them. Always UTC, so that records of several hosts compare.

use std::time::{SystemTime, UNIX_EPOCH};

const SECOND: u64 = 1_000_000;
const DAY: u64 = 86_400;

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

/// Reads `2026-11-21`, `2026-11-21T09:30`, `2026-11-21T09:30:15` (a blank or `T`, an optional `Z`)
/// or an age: `90m`, `12h`, `7d`.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    parse_age(text)
        .or_else(|| parse_span(text.trim_end_matches('Z')))
        .ok_or_else(|| "expected `2026-11-21`, `2026-11-21T09:30` or an age such as `12h`".to_owned())
}

fn parse_age(text: &str) -> Option<Moment> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => DAY,
        _ => return None,
    };
    let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
    count.checked_mul(seconds)?.checked_mul(SECOND).map(Moment::Ago)
}

fn parse_span(text: &str) -> Option<Moment> {
    let (date, clock) = text.split_once(['T', ' ']).map_or((text, None), |(date, clock)| (date, Some(clock)));
    let midnight = parse_date(date)?.checked_mul(DAY)?;
    let (second, length) = match clock {
        None => (0, DAY),
        Some(clock) => parse_clock(clock)?,
    };
    let first = (midnight + second).checked_mul(SECOND)?;
    Some(Moment::Span(first, first + length * SECOND - 1))
}

/// Days since 1970.
fn parse_date(text: &str) -> Option<u64> {
    let [year, month, day] = numbers(text, '-')?;
    let valid = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let days = valid.then(|| days(year, month, day))?;
    (civil(days) == (year, month, day)).then_some(days)
}

/// Seconds since midnight, and how many seconds are meant.
fn parse_clock(text: &str) -> Option<(u64, u64)> {
    let ([hour, minute, second], length) = match numbers::<3>(text, ':') {
        Some(parts) => (parts, 1),
        None => numbers::<2>(text, ':').map(|[hour, minute]| ([hour, minute, 0], 60))?,
    };
    let valid = hour < 24 && minute < 60 && second < 60;
    valid.then_some((hour * 3600 + minute * 60 + second, length))
}

fn numbers<const COUNT: usize>(text: &str, separator: char) -> Option<[u64; COUNT]> {
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == separator);
    let parts: Option<Vec<u64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    parts.filter(|_| plain)?.try_into().ok()
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; years count from March so that the
/// leap day comes last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day since 1970.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Writes a moment to the second: `2026-11-21T09:30:15Z`.
pub(crate) fn format(microseconds: u64) -> String {
    let seconds = microseconds / SECOND;
    let (year, month, day) = civil(seconds / DAY);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_back_as_written() {
        for text in
            ["1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "2026-11-21T09:30:15Z", "2100-03-01T00:00:00Z"]
        {
            let Ok(Moment::Span(first, last)) = parse_moment(text) else { panic!("{text}") };
            assert_eq!(format(first), text);
            assert_eq!(last - first, SECOND - 1);
        }
        assert_eq!(parse_moment("2026-11-21T09:30:15Z").unwrap().first(0), 1_795_253_415 * SECOND);
    }

    #[test]
    fn a_day_is_meant_whole() {
        let day = parse_moment("2026-11-21").unwrap();
        assert_eq!(format(day.first(0)), "2026-11-21T00:00:00Z");
        assert_eq!(format(day.last(0)), "2026-11-21T23:59:59Z");
        assert_eq!(format(parse_moment("2026-11-21 09:30").unwrap().last(0)), "2026-11-21T09:30:59Z");
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
            "+5m ",
        ] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }
}
