// SPDX-License-Identifier: Apache-2.0
use virtwarden_core::xml::network::NetworkDefinition;

use super::*;

const RED: Uuid = Uuid([7; 16]);
const BLUE: Uuid = Uuid([8; 16]);

fn seen(name: &str, uuid: Uuid) -> Network {
    let text = format!("<network><name>{name}</name><bridge name='vw-{name}'/></network>");
    let reach = Reach::of(&NetworkDefinition::parse(text).unwrap());
    Network { name: name.to_owned(), uuid: Some(uuid), assigned: None, reaches: vec![reach] }
}

fn membership() -> Option<NetworkMembership> {
    Some(NetworkMembership {
        information_domain: "red".to_owned(),
        by: "alice".to_owned(),
        at: 1_700_000_000,
    })
}

struct Shelf(tempfile::TempDir);

impl Shelf {
    fn book(&self) -> Book {
        Book::open(&self.0.path().join("networks.json")).unwrap()
    }
}

fn shelf() -> Shelf {
    Shelf(tempfile::tempdir().unwrap())
}

#[test]
fn what_is_written_is_there_again() {
    let shelf = shelf();
    let book = shelf.book();
    book.see(vec![seen("red", RED), seen("blue", BLUE)]).unwrap();
    let change = book.plan(RED, "red", membership());
    assert_eq!(change.differences(), ["information domain none -> red"]);
    book.apply(&change).unwrap();
    let again = shelf.book();
    assert_eq!(again.entries(), book.entries());
    assert_eq!(again.membership(RED), membership());
    assert!(again.has_members());
    assert_eq!(again.last_seen().named("red").unwrap().assigned.as_deref(), Some("red"));
    assert!(again.last_seen().named("blue").unwrap().has("vw-blue"));
}

#[test]
fn a_network_that_is_gone_is_forgotten_but_not_what_it_was_put_into() {
    let shelf = shelf();
    let book = shelf.book();
    book.see(vec![seen("red", RED), seen("blue", BLUE)]).unwrap();
    book.apply(&book.plan(RED, "red", membership())).unwrap();
    book.see(Vec::new()).unwrap();
    assert_eq!(book.entries().keys().copied().collect::<Vec<_>>(), [RED]);
    // Another of the same name is another network; the same one, made again, is what it was.
    let other = book.complete(vec![seen("red", BLUE)]);
    assert_eq!(other.named("red").unwrap().assigned, None);
    let same = book.complete(vec![seen("crimson", RED)]);
    assert_eq!(same.named("crimson").unwrap().assigned.as_deref(), Some("red"));
}

#[test]
fn a_plan_that_is_out_of_date_is_not_made() {
    let shelf = shelf();
    let book = shelf.book();
    let (one, other) = (book.plan(RED, "red", membership()), book.plan(RED, "red", None));
    assert_eq!(other.differences(), Vec::<String>::new());
    book.apply(&one).unwrap();
    assert!(matches!(book.apply(&other), Err(StoreError::Stale)));
    assert_eq!(book.membership(RED), membership());
}

#[test]
fn after_a_damaged_book_nobody_is_let_into_what_was_there() {
    for text in ["", "{", "{\"format\":2,\"networks\":[]}"] {
        let shelf = shelf();
        std::fs::write(shelf.0.path().join("networks.json"), text).unwrap();
        assert!(shelf.book().condition().warning().is_some(), "{text}");
        // Also by the next policyd, which finds no damaged file any more.
        let book = shelf.book();
        let assigned = |book: &Book, uuid| {
            let networks = book.complete(vec![seen("red", uuid)]);
            networks.named("red").unwrap().assigned.clone()
        };
        assert!(book.has_members());
        assert_eq!(assigned(&book, RED).as_deref(), Some(UNKNOWN));
        book.see(vec![seen("red", RED)]).unwrap();
        assert_eq!(assigned(&shelf.book(), RED).as_deref(), Some(UNKNOWN));
        assert_eq!(assigned(&book, BLUE), None, "what is made later is new");
        book.apply(&book.plan(RED, "red", None)).unwrap();
        assert_eq!(assigned(&shelf.book(), RED), None);
    }
}

#[test]
fn a_disk_that_fails_changes_nothing() {
    let shelf = shelf();
    let book = shelf.book();
    std::fs::create_dir(shelf.0.path().join("networks.json.new")).unwrap();
    assert!(book.apply(&book.plan(RED, "red", membership())).is_err());
    assert_eq!(book.membership(RED), None);
}
