// SPDX-License-Identifier: Apache-2.0
//! What a person is told.

use virtwarden_login::{Refusal, Span};

/// Why a login is refused, if he may know.
pub(crate) fn refusal(refusal: &Refusal) -> Option<String> {
    match refusal {
        Refusal::Locked(None) => None,
        Refusal::Locked(Some(span)) => Some(locked(*span)),
        Refusal::Because(reason) => Some(reason.clone()),
    }
}

/// That an account is locked, and for how long.
pub(crate) fn locked(span: Span) -> String {
    match span {
        Span::Open => "this account is locked until an Administrator unlocks it".to_owned(),
        Span::Seconds(seconds) => format!("this account is locked for another {}", length(seconds)),
    }
}

/// Rounded up, so that trying again after it works.
fn length(seconds: u32) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds.max(1), "second"),
        120..7200 => (seconds.div_ceil(60), "minute"),
        7200.. => (seconds.div_ceil(3600), "hour"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_a_unit_that_fits_and_rounded_up() {
        let rows = [
            (0, "1 second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (521, "9 minutes"),
            (540, "9 minutes"),
            (541, "10 minutes"),
            (7199, "120 minutes"),
            (7200, "2 hours"),
            (u32::MAX, "1193047 hours"),
        ];
        for (seconds, told) in rows {
            assert_eq!(length(seconds), told);
        }
    }

    #[test]
    fn nothing_is_told_where_the_person_may_not_know() {
        assert_eq!(refusal(&Refusal::Locked(None)), None);
        assert_eq!(refusal(&Refusal::Because("no".to_owned())).as_deref(), Some("no"));
        let locked = refusal(&Refusal::Locked(Some(Span::Seconds(540))));
        assert_eq!(locked.as_deref(), Some("this account is locked for another 9 minutes"));
        let locked = refusal(&Refusal::Locked(Some(Span::Open)));
        assert_eq!(locked.as_deref(), Some("this account is locked until an Administrator unlocks it"));
    }
}
