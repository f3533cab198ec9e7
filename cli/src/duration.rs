// SPDX-License-Identifier: Apache-2.0
//! Lengths of time as people type and read them: `15m`, `10 min`, `1h 30m`; `never` where that is a choice.

const UNITS: [(u64, &str); 4] = [(24 * 60 * 60, "d"), (60 * 60, "h"), (60, "min"), (1, "s")];

const EXPECTED: &str = "expected a time with its unit, such as `30s`, `15m`, `1h 30m` or `2 days`";

/// Reads a length of time in seconds. A bare number is refused: seconds and minutes are too easily confused.
pub(crate) fn parse_duration(text: &str) -> Result<u32, String> {
    parse(text).ok_or_else(|| EXPECTED.to_owned())
}

/// Reads a length of time in seconds, or none for `never`.
pub(crate) fn parse_duration_or_never(text: &str) -> Result<Option<u32>, String> {
    if text == "never" {
        return Ok(None);
    }
    parse(text).map(Some).ok_or_else(|| format!("{EXPECTED}, or `never`"))
}

fn parse(text: &str) -> Option<u32> {
    let mut rest = text.trim();
    let mut total: u32 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (unit, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
        let seconds = number.parse::<u32>().ok()?.checked_mul(unit_seconds(unit)?)?;
        total = total.checked_add(seconds)?;
        rest = after.trim_start();
    }
    (!text.trim().is_empty()).then_some(total)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn unit_seconds(unit: &str) -> Option<u32> {
    match unit {
        "s" | "sec" | "second" | "seconds" => Some(1),
        "m" | "min" | "minute" | "minutes" => Some(60),
        "h" | "hour" | "hours" => Some(60 * 60),
        "d" | "day" | "days" => Some(24 * 60 * 60),
        _ => None,
    }
}

/// Writes seconds so that [`parse_duration`] reads them back: `1 h 30 min`.
pub(crate) fn spelled(seconds: u64) -> String {
    let mut left = seconds;
    let mut words = Vec::new();
    for (length, unit) in UNITS {
        if left >= length {
            words.push(format!("{} {unit}", left / length));
            left %= length;
        }
    }
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("30s", 30),
            ("15m", 900),
            ("10 min", 600),
            ("1h", 3600),
            ("1h30m", 5400),
            (" 1 h 30 min ", 5400),
            ("2 days", 172_800),
        ] {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", " ", "15", "m", "-1m", "1.5h", "15 M", "1h30", "15m!", "4294967296s", "99999d", "never"]
        {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(parse_duration_or_never("never"), Ok(None));
        assert_eq!(parse_duration_or_never("1h"), Ok(Some(3600)));
        assert!(parse_duration_or_never("Never").unwrap_err().contains("`never`"));
    }

    #[test]
    fn what_is_written_reads_back() {
        for seconds in [1, 59, 60, 61, 3599, 3600, 86_399, 86_400, 90_061, 2_592_000] {
            assert_eq!(parse_duration(&spelled(seconds)), Ok(u32::try_from(seconds).unwrap()));
        }
        assert_eq!(spelled(5400), "1 h 30 min");
        assert_eq!(spelled(0), "0 s");
    }
}
