// SPDX-License-Identifier: Apache-2.0
//! Somebody who can write the files, but has no key, changes them. Each way is found, and named.

use std::fs;

use proptest::prelude::*;
use virtwarden_core::trail::verify::{Expectation, Verdict, verify};

use crate::scene::{Scene, attempt, outcome};

/// A trail of three closed runs, each a segment.
fn closed_trail() -> Scene {
    let scene = Scene::new();
    for _ in 0..3 {
        let trail = scene.open();
        for operation in ["DOMAIN_CREATE", "DOMAIN_SUSPEND", "DOMAIN_RESUME"] {
            let of = trail.attempt(attempt(operation)).unwrap();
            trail.note(outcome(of, operation)).unwrap();
        }
        trail.close();
    }
    assert_eq!(scene.files().len(), 3);
    assert_eq!(scene.assert_intact().unsealed, 0);
    scene
}

impl Scene {
    /// Changes the lines of a segment.
    fn edit(&self, segment: usize, change: impl FnOnce(&mut Vec<String>)) {
        let path = &self.files()[segment - 1];
        let mut lines: Vec<_> =
            fs::read_to_string(path).unwrap().split_inclusive('\n').map(str::to_owned).collect();
        change(&mut lines);
        fs::write(path, lines.concat()).unwrap();
    }

    /// The verdict, the segment and the line.
    fn found(&self) -> (Verdict, usize, u64) {
        let report = self.verify();
        let place = report.place.clone().unwrap_or_default();
        let segment = self.files().iter().position(|path| path.display().to_string() == place.file);
        (report.verdict, segment.map_or(0, |index| index + 1), place.line)
    }

    fn without_anchor(&self) -> Verdict {
        self.verify_against(&Expectation { anchor: None, ..self.expectation() }).verdict
    }
}

#[test]
fn a_changed_name_is_found_where_it_stands() {
    let scene = closed_trail();
    scene.edit(2, |lines| lines[4] = lines[4].replace("\"bob\"", "\"eve\""));
    assert_eq!(scene.found(), (Verdict::Changed, 2, 5));
}

#[test]
fn a_changed_line_with_a_hash_to_match_is_found_at_the_next() {
    let scene = closed_trail();
    let previous = scene.lines()[2].hash;
    scene.edit(1, |lines| {
        let text = lines[3].replace("\"bob\"", "\"eve\"");
        let end = text.find(",\"hash\":").unwrap();
        let hash = previous.then(&text.as_bytes()[..end]);
        lines[3] = format!("{},\"hash\":\"{hash}\"}}\n", &text[..end]);
    });
    assert_eq!(scene.found(), (Verdict::Changed, 1, 5));
}

#[test]
fn a_changed_number_is_not_taken_for_a_gap() {
    let scene = closed_trail();
    scene.edit(1, |lines| lines[3] = lines[3].replace("{\"seq\":4,", "{\"seq\":9,"));
    assert_eq!(scene.found(), (Verdict::Changed, 1, 4));
}

#[test]
fn a_deleted_line_is_a_gap() {
    let scene = closed_trail();
    scene.edit(2, |lines| drop(lines.remove(4)));
    assert_eq!(scene.found(), (Verdict::Gap, 2, 5));
}

#[test]
fn a_deleted_checkpoint_is_a_gap() {
    let scene = closed_trail();
    scene.edit(2, |lines| {
        let at = lines.iter().position(|line| line.contains("\"checkpoint\":")).unwrap();
        lines.remove(at);
    });
    assert_eq!(scene.found().0, Verdict::Gap);
}

#[test]
fn a_repeated_line_is_a_change() {
    let scene = closed_trail();
    scene.edit(2, |lines| lines.insert(4, lines[4].clone()));
    assert_eq!(scene.found(), (Verdict::Changed, 2, 6));
}

#[test]
fn lines_in_another_order_are_found() {
    let scene = closed_trail();
    scene.edit(2, |lines| lines.swap(4, 5));
    assert_eq!(scene.found(), (Verdict::Gap, 2, 5));
}

#[test]
fn a_deleted_segment_is_a_gap_wherever_it_was() {
    let middle = closed_trail();
    fs::remove_file(&middle.files()[1]).unwrap();
    assert_eq!(middle.found(), (Verdict::Gap, 2, 1));
    let first = closed_trail();
    fs::remove_file(&first.files()[0]).unwrap();
    assert_eq!(first.verify().verdict, Verdict::Gap);
    assert!(first.verify().reason.contains("no record says"), "{}", first.verify());
}

#[test]
fn a_deleted_end_is_a_truncation_for_whoever_has_the_anchor() {
    let scene = closed_trail();
    fs::remove_file(&scene.files()[2]).unwrap();
    assert_eq!(scene.verify().verdict, Verdict::Truncated);
    assert_eq!(scene.without_anchor(), Verdict::Intact, "which is why there is an anchor");
}

#[test]
fn an_end_cut_between_two_lines_is_a_truncation() {
    let scene = closed_trail();
    scene.edit(3, |lines| lines.truncate(5));
    assert_eq!(scene.found(), (Verdict::Truncated, 3, 6));
}

#[test]
fn an_end_cut_within_a_line_is_a_truncation_even_without_anchor() {
    let scene = closed_trail();
    let path = &scene.files()[2];
    let text = fs::read(path).unwrap();
    for missing in [1, 2, 100] {
        fs::write(path, &text[..text.len() - missing]).unwrap();
        assert_eq!(scene.found().0, Verdict::Truncated);
        assert_eq!(scene.without_anchor(), Verdict::Truncated);
    }
}

#[test]
fn an_end_wiped_to_look_like_a_crash_is_a_truncation() {
    let scene = closed_trail();
    let path = &scene.files()[2];
    let mut text = fs::read(path).unwrap();
    let from = text.len() - 300;
    text[from..].fill(0);
    fs::write(path, text).unwrap();
    assert_eq!(scene.found().0, Verdict::Truncated);
}

#[test]
fn an_emptied_segment_is_found() {
    let scene = closed_trail();
    fs::write(&scene.files()[1], "").unwrap();
    assert_eq!(scene.found().0, Verdict::Truncated);
}

#[test]
fn a_file_that_cannot_be_read_is_not_passed_over() {
    let scene = closed_trail();
    let path = scene.files().remove(1);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(scene.found(), (Verdict::Unreadable, 2, 0));
}

#[test]
fn no_trail_at_all_is_no_intact_trail() {
    let scene = closed_trail();
    scene.files().iter().for_each(|path| fs::remove_file(path).unwrap());
    assert_eq!(scene.verify().verdict, Verdict::Truncated);
    assert_eq!(scene.without_anchor(), Verdict::Unreadable);
}

#[test]
fn something_appended_is_found() {
    for junk in ["\0\0\0\0hidden", "hidden\0\0\0\0", "hidden", "hidden\n", "\n"] {
        for segment in 0..2 {
            let scene = closed_trail();
            let path = &scene.files()[segment];
            let text = fs::read(path).unwrap();
            fs::write(path, [&text[..], junk.as_bytes()].concat()).unwrap();
            assert_ne!(scene.verify().verdict, Verdict::Intact, "{junk:?} after segment {segment}");
        }
    }
}

#[test]
fn any_changed_byte_of_a_sealed_trail_is_found() {
    let scene = closed_trail();
    let files: Vec<_> = scene.files().iter().map(|path| fs::read(path).unwrap()).collect();
    let expectation = Expectation { anchor: None, unsealed: 0, ..scene.expectation() };
    let lengths: Vec<_> = files.iter().map(Vec::len).collect();
    let place = (0..files.len()).prop_flat_map(move |file| (Just(file), 0..lengths[file]));
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((file, at) in place, change in 1..=255_u8)| {
        let mut files = files.clone();
        files[file][at] ^= change;
        let segments = files.iter().map(|bytes| (String::new(), Ok(&bytes[..])));
        let report = verify(segments, &expectation);
        prop_assert_ne!(report.verdict, Verdict::Intact, "byte {} of file {}", at, file);
    });
}

#[test]
fn the_last_byte_of_all_is_no_exception() {
    let scene = closed_trail();
    let path = &scene.files()[2];
    let text = fs::read(path).unwrap();
    let expectation = Expectation { anchor: None, ..scene.expectation() };
    for byte in 0..=255 {
        let mut changed = text.clone();
        *changed.last_mut().unwrap() = byte;
        fs::write(path, changed).unwrap();
        let intact = scene.verify_against(&expectation).verdict == Verdict::Intact;
        assert_eq!(intact, byte == b'\n', "{byte}");
    }
}
