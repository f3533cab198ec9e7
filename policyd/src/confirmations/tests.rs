// SPDX-License-Identifier: Apache-2.0
//! A wish is confirmed once, in time, or never.

use virtwarden_core::media::{Id, Kind, Source};
use virtwarden_core::object::Uuid;

use super::*;

fn wish(vm: u8, medium: &str, by: &str) -> Wish {
    Wish {
        vm: Vm { uuid: Uuid([vm; 16]), name: format!("vm{vm}"), assignment: None },
        medium: Medium {
            id: Id(medium.to_owned()),
            kind: Kind::Image,
            name: medium.to_owned(),
            source: Source::Image { path: format!("/srv/media/{medium}") },
        },
        drive: Some("hdc".to_owned()),
        rule: "rule `image` = \"ask-user\"".to_owned(),
        asked_by: Account { name: by.to_owned(), uid: 1001 },
    }
}

#[test]
fn a_wish_is_taken_once() {
    let (confirmations, now) = (Confirmations::default(), Instant::now());
    let asked = confirmations.ask(wish(1, "a.iso", "bob"), now).unwrap();
    assert!(asked.to_string().contains(&format!("virtwarden media confirm {}`", asked.number)));
    assert_eq!(confirmations.find(asked.number, now).unwrap().wish, wish(1, "a.iso", "bob"));
    assert!(confirmations.take(asked.number + 1, now).is_none());
    assert_eq!(confirmations.take(asked.number, now).unwrap().wish, wish(1, "a.iso", "bob"));
    assert!(confirmations.take(asked.number, now).is_none(), "replayed");
    let again = confirmations.ask(wish(1, "a.iso", "bob"), now).unwrap();
    assert_ne!(again.number, asked.number, "a number is never used again");
}

#[test]
fn a_wish_lasts_two_minutes() {
    let (confirmations, now) = (Confirmations::default(), Instant::now());
    let number = confirmations.ask(wish(1, "a.iso", "bob"), now).unwrap().number;
    let just = now + PATIENCE - Duration::from_millis(1);
    assert_eq!(confirmations.waiting(just).len(), 1);
    assert!(confirmations.take(number, now + PATIENCE).is_none());
    assert!(confirmations.waiting(now).is_empty(), "what is over does not come back");
}

#[test]
fn the_same_wish_keeps_its_number_and_lasts_anew() {
    let (confirmations, now) = (Confirmations::default(), Instant::now());
    let first = confirmations.ask(wish(1, "a.iso", "bob"), now).unwrap();
    let later = now + PATIENCE - Duration::from_secs(1);
    assert_eq!(confirmations.ask(wish(1, "a.iso", "bob"), later), Ok(first));
    assert!(confirmations.find(first.number, now + PATIENCE).is_some());
    assert_ne!(confirmations.ask(wish(2, "a.iso", "bob"), later), Ok(first));
    assert_ne!(confirmations.ask(wish(1, "b.iso", "bob"), later), Ok(first));
}

#[test]
fn nobody_fills_the_table() {
    let (confirmations, now) = (Confirmations::default(), Instant::now());
    for number in 0..EACH {
        confirmations.ask(wish(1, &format!("{number}.iso"), "bob"), now).unwrap();
    }
    assert_eq!(confirmations.ask(wish(1, "one-more.iso", "bob"), now), Err(Full));
    assert!(confirmations.ask(wish(1, "hers.iso", "carol"), now).is_ok());
    assert!(confirmations.ask(wish(1, "later.iso", "bob"), now + PATIENCE).is_ok());
}

#[test]
fn who_waits_for_news_hears_of_each_wish() {
    let (confirmations, now) = (Confirmations::default(), Instant::now());
    assert!(confirmations.later_than(0, Duration::from_millis(10)).is_empty());
    std::thread::scope(|scope| {
        let listener = scope.spawn(|| confirmations.later_than(0, Duration::from_secs(20)));
        confirmations.ask(wish(1, "a.iso", "bob"), now).unwrap();
        let heard = listener.join().unwrap();
        assert_eq!(heard.len(), 1);
        assert!(confirmations.later_than(heard[0].number, Duration::from_millis(10)).is_empty());
    });
}
