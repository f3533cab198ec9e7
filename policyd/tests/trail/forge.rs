// SPDX-License-Identifier: Apache-2.0
//! Somebody writes the whole trail anew, with a chain and seals of his own.

use std::fs;

use virtwarden_core::trail::digest::Digest;
use virtwarden_core::trail::entry::{Checkpoint, Entry};
use virtwarden_core::trail::key::SigningKey;
use virtwarden_core::trail::line::{self, Line};
use virtwarden_core::trail::seal::Statement;
use virtwarden_core::trail::verify::{Expectation, Verdict};

use crate::scene::{Scene, attempt};

fn trail_with_a_change_of_keys() -> Scene {
    let scene = Scene::new();
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.change_key().unwrap();
    trail.attempt(attempt("DOMAIN_DESTROY")).unwrap();
    trail.close();
    scene.open().close();
    scene.assert_intact();
    scene
}

impl Scene {
    fn private_key(&self) -> SigningKey {
        SigningKey::from_pem(&fs::read(self.config.key()).unwrap()).unwrap()
    }

    /// Writes all lines anew after a change, with a good chain; checkpoints are signed with what `key` gives.
    fn rewrite(&self, mut change: impl FnMut(&mut Line), mut key: impl FnMut(&Line) -> Option<SigningKey>) {
        let mut head = Digest::START;
        for path in self.files() {
            let mut out = Vec::new();
            for text in fs::read(&path).unwrap().trim_ascii_end().split(|byte| *byte == b'\n') {
                let mut line = Line::parse(text).unwrap();
                change(&mut line);
                line.entry = match line.entry.clone() {
                    Entry::Segment(header) => {
                        Entry::Segment(virtwarden_core::trail::entry::Header { previous: head, ..header })
                    }
                    Entry::Checkpoint(old) => Entry::Checkpoint(resign(&line, &old, head, key(&line))),
                    other => other,
                };
                head =
                    line::write(&mut out, line.seq, &line.stamp, &line::member(&line.entry).unwrap(), &head);
            }
            fs::write(path, out).unwrap();
        }
    }

    fn verdict(&self) -> Verdict {
        self.verify_against(&Expectation { anchor: None, ..self.expectation() }).verdict
    }
}

fn resign(line: &Line, old: &Checkpoint, head: Digest, key: Option<SigningKey>) -> Checkpoint {
    let Checkpoint { sealed, policy, segment, .. } = *old;
    let statement = Statement { sealed, head, policy, segment };
    key.map_or_else(|| Checkpoint { head, ..old.clone() }, |key| statement.seal(&line.stamp, &key).unwrap())
}

fn accuse_eve(line: &mut Line) {
    if let Entry::Record(event) = &mut line.entry
        && let Some(actor) = &mut event.actor
    {
        actor.account.name = "eve".to_owned();
    }
}

#[test]
fn rewriting_without_a_key_is_found_at_the_first_seal() {
    let scene = trail_with_a_change_of_keys();
    scene.rewrite(accuse_eve, |_| None);
    assert_eq!(scene.verdict(), Verdict::Resealed);
}

#[test]
fn rewriting_with_a_key_of_ones_own_is_found() {
    let scene = trail_with_a_change_of_keys();
    scene.rewrite(accuse_eve, |_| Some(SigningKey::generate().unwrap()));
    assert_eq!(scene.verdict(), Verdict::Resealed);
}

#[test]
fn a_whole_trail_under_a_key_of_ones_own_is_found_at_its_first_line() {
    let (scene, other) = (trail_with_a_change_of_keys(), trail_with_a_change_of_keys());
    let trusted = scene.expectation();
    let report = other.verify_against(&Expectation { anchor: None, ..trusted });
    assert_eq!(report.verdict, Verdict::Resealed);
    assert_eq!(report.place.unwrap().seq, 1);
}

#[test]
fn old_lines_under_a_newer_key_are_found() {
    let scene = trail_with_a_change_of_keys();
    scene.rewrite(accuse_eve, |_| Some(scene.private_key()));
    assert_eq!(scene.verdict(), Verdict::Resealed);
}

#[test]
fn a_trail_that_pretends_to_have_begun_with_the_newer_key_is_found() {
    let scene = trail_with_a_change_of_keys();
    let newer = scene.private_key().public().id();
    let begin_later = |line: &mut Line| {
        if let Entry::Segment(header) = &mut line.entry {
            header.key = newer;
        }
    };
    scene.rewrite(begin_later, |_| Some(scene.private_key()));
    assert_eq!(scene.verdict(), Verdict::Resealed);
}

#[test]
fn even_with_the_right_key_a_rewritten_trail_is_not_the_one_of_the_anchor() {
    let scene = Scene::new();
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    scene.rewrite(accuse_eve, |_| Some(scene.private_key()));
    assert_eq!(scene.verdict(), Verdict::Intact, "which is why there is an anchor");
    assert_eq!(scene.verify().verdict, Verdict::Resealed);
}

#[test]
fn seals_that_were_never_made_are_missed() {
    let scene = Scene::new();
    let trail = scene.open();
    trail.attempt(attempt("DOMAIN_CREATE")).unwrap();
    trail.close();
    let no_more = |line: &mut Line| {
        if let Entry::Checkpoint(_) = line.entry {
            line.entry = Entry::Record(Box::new(attempt("DOMAIN_CREATE")));
        }
    };
    scene.rewrite(no_more, |_| None);
    let strict = Expectation { anchor: None, unsealed: 3, ..scene.expectation() };
    assert_eq!(scene.verify_against(&strict).verdict, Verdict::Unsealed);
}

#[test]
fn a_checkpoint_of_another_place_seals_nothing() {
    let scene = trail_with_a_change_of_keys();
    let mut first = None;
    let copy = |line: &mut Line| {
        if let Entry::Checkpoint(checkpoint) = &mut line.entry {
            let first = first.get_or_insert_with(|| checkpoint.clone());
            checkpoint.sealed = first.sealed;
        }
    };
    scene.rewrite(copy, |_| None);
    assert!(matches!(scene.verdict(), Verdict::Changed | Verdict::Resealed));
}
