// SPDX-License-Identifier: Apache-2.0
//! Points in time as the trail writes them: RFC 3339, UTC, microseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const MICROSECONDS: u64 = 1_000_000;
const SECONDS_OF_DAY: u64 = 86_400;
/// The end of the year 9999, which is as far as the text form reaches.
const END: u64 = 253_402_300_800 * MICROSECONDS;

/// A point in time, in microseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Time(u64);

impl Time {
    /// The time so many microseconds after the start of 1970. Later than the year 9999 counts as its end.
    pub const fn from_micros(micros: u64) -> Self {
        Self(if micros < END { micros } else { END - 1 })
    }

    /// Microseconds since the start of 1970.
    pub const fn micros(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / MICROSECONDS, self.0 % MICROSECONDS);
        let (year, month, day) = date(seconds / SECONDS_OF_DAY);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

impl FromStr for Time {
    type Err = String;

    /// Reads `2026-01-31T13:05:00Z`, with or without a fraction of up to six digits, or a date alone.
    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).ok_or_else(|| format!("`{text}` is not a time; write it as `2026-01-31T13:05:00Z`"))
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

fn parse(text: &str) -> Option<Time> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(clock, ':', [2, 2, 2])?;
    let seconds = days(year, month, day)? * SECONDS_OF_DAY + hour * 3600 + minute * 60 + second;
    (hour < 24 && minute < 60 && second < 60)
        .then_some(Time(seconds * MICROSECONDS + micros_of_fraction(fraction)?))
}

fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut values = [0; 3];
    for (value, width) in values.iter_mut().zip(widths) {
        *value = digits(parts.next().filter(|part| part.len() == width)?)?;
    }
    parts.next().is_none().then_some(values)
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn micros_of_fraction(fraction: &str) -> Option<u64> {
    let shift = u32::try_from(6_usize.checked_sub(fraction.len())?).ok()?;
    Some(digits(fraction)? * 10_u64.pow(shift))
}

/// Days since 1970 of a date; none if there is no such day. Inverse of [`date`].
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year_from_march = year - u64::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year_from_march + year_from_march / 4 - year_from_march / 100
        + year_from_march / 400
        + day_of_year;
    let days = days.checked_sub(719_468)?;
    (date(days) == (year, month, day)).then_some(days)
}

/// Year, month and day, so many days after the start of 1970, in the Gregorian calendar.
///
/// Counts in eras of 400 years that start in March, so that the leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year + u64::from(month <= 2), month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_as_the_calendar_has_them() {
        let rows = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
            (1_709_251_199_999_999, "2024-02-29T23:59:59.999999Z"),
            (1_763_716_445_123_456, "2025-11-21T09:14:05.123456Z"),
            (u64::MAX, "9999-12-31T23:59:59.999999Z"),
        ];
        for (micros, text) in rows {
            assert_eq!(Time::from_micros(micros).to_string(), text);
            assert_eq!(text.parse(), Ok(Time::from_micros(micros)));
        }
    }

    #[test]
    fn every_day_reads_back() {
        for day in 0..110_000 {
            let time = Time::from_micros(day * SECONDS_OF_DAY * MICROSECONDS + 42);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn people_may_leave_out_the_fraction_or_the_clock() {
        assert_eq!("2026-01-31".parse::<Time>(), "2026-01-31T00:00:00Z".parse());
        assert_eq!("2026-01-31T00:00:00.5Z".parse::<Time>(), "2026-01-31T00:00:00.500000Z".parse());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let wrong = "2026-02-29|2026-13-01|2026-00-10|2026-01-00|1969-12-31|2026-1-01|+026-01-01|\
            2026-01-31T24:00:00Z|2026-01-31T00:60:00Z|2026-01-31T00:00:00|2026-01-31T00:00:00.0000000Z|\
            2026-01-31T00:00:00.Z?|2026-01-31T00:00:00+01:00||0000-00-00|2026-01-31-01";
        for text in wrong.split('|') {
            assert!(text.parse::<Time>().is_err(), "{text}");
        }
    }
}
