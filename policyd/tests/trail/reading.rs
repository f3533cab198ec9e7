// SPDX-License-Identifier: Apache-2.0
//! Reading the trail while it is written.

use virtwarden_core::control::AuditFilter;
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::trail::verify::Verdict;
use virtwarden_policyd::trail::{ReadError, Reader, Record, Trail};

use crate::scene::{Scene, actor, attempt, denial, event, outcome};

fn busy_trail(scene: &Scene) -> Trail {
    for run in 0..3 {
        let trail = scene.open();
        for number in 0..400 {
            let of = trail.attempt(attempt(&format!("ACT_{run}_{number}"))).unwrap();
            trail.note(outcome(of, &format!("ACT_{run}_{number}"))).unwrap();
        }
        trail.deny(denial("carol", 1002, "DOMAIN_CREATE"));
        trail.close();
    }
    let trail = scene.open();
    let alice = event(Kind::Change, Outcome::Success, actor("alice", 1000), "vm assign");
    trail.attempt(alice).unwrap();
    trail
}

fn selected(reader: &Reader, filter: &AuditFilter) -> Vec<Event> {
    let records = reader.select(filter).unwrap().map(Result::unwrap);
    records.map(|record| record.line.entry.event().into_owned()).collect()
}

#[test]
fn both_directions_show_the_same_lines() {
    let scene = Scene::new();
    let trail = busy_trail(&scene);
    let reader = trail.read();
    let forwards: Vec<Record> = reader.forwards().unwrap().map(Result::unwrap).collect();
    let mut backwards: Vec<Record> = reader.backwards().unwrap().map(Result::unwrap).collect();
    backwards.reverse();
    assert!(forwards.len() > 2400);
    assert!(forwards == backwards);
    let numbers: Vec<_> = forwards.iter().map(|record| record.line.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
}

#[test]
fn filters_find_people_outcomes_and_the_newest() {
    let scene = Scene::new();
    let trail = busy_trail(&scene);
    let reader = trail.read();
    let all = AuditFilter::default();
    let carol = AuditFilter { person: Some("carol".into()), ..all.clone() };
    assert_eq!(selected(&reader, &carol).len(), 3);
    let newest_of_carol = AuditFilter { limit: Some(2), ..carol };
    assert_eq!(selected(&reader, &newest_of_carol).len(), 2);
    let done = AuditFilter { outcome: Some(Outcome::Success), person: Some("bob".into()), ..all.clone() };
    assert_eq!(selected(&reader, &done).len(), 1200);
    let newest = AuditFilter { limit: Some(1), ..all.clone() };
    assert_eq!(selected(&reader, &newest)[0].operation, "vm assign");
    let last_of_bob = AuditFilter { limit: Some(3), person: Some("bob".into()), ..all.clone() };
    let operations: Vec<_> =
        selected(&reader, &last_of_bob).into_iter().map(|event| event.operation).collect();
    assert_eq!(operations, ["ACT_2_398", "ACT_2_399", "ACT_2_399"]);
    let none = AuditFilter { limit: Some(0), ..all.clone() };
    assert_eq!(selected(&reader, &none).len(), 0);
    let more_than_all = AuditFilter { limit: Some(100_000), ..all.clone() };
    assert_eq!(selected(&reader, &more_than_all), selected(&reader, &all));
}

#[test]
fn a_running_trail_verifies_up_to_the_moment() {
    let scene = Scene::new();
    let trail = busy_trail(&scene);
    assert_eq!(trail.verify().unwrap().verdict, Verdict::Intact);
}

#[test]
fn a_damaged_line_is_told_and_the_others_are_read() {
    let scene = Scene::new();
    let trail = busy_trail(&scene);
    let path = scene.files().remove(0);
    let text = std::fs::read_to_string(&path).unwrap().replacen("{\"seq\":5,", "{\"sex\":5,", 1);
    std::fs::write(path, text).unwrap();
    let found: Vec<_> = trail.read().select(&AuditFilter::default()).unwrap().collect();
    let bad = found.iter().filter(|record| matches!(record, Err(ReadError::Damaged { segment: 1 }))).count();
    assert_eq!(bad, 1);
    assert!(found.len() > 2400);
}
