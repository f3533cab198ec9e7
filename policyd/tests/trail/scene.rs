// SPDX-License-Identifier: Apache-2.0
//! A trail in a directory of its own, with people who do things.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use virtwarden_core::record::{Actor, Event, Kind, Outcome, Target};
use virtwarden_core::subject::{Account, Door, Process};
use virtwarden_core::table3::Function;
use virtwarden_core::trail::entry::Entry;
use virtwarden_core::trail::key::PublicKey;
use virtwarden_core::trail::line::Line;
use virtwarden_core::trail::verify::{Anchor, Expectation, Report, Verdict, verify};
use virtwarden_policyd::trail::{Config, Kernel, Trail};

/// A place for a trail.
pub(crate) struct Scene {
    pub(crate) place: TempDir,
    pub(crate) config: Config,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let config = Config {
            segment_bytes: 256 << 10,
            reserve_bytes: 0,
            seal_after: Duration::from_millis(100),
            retry_after: Duration::from_millis(20),
            kernel: Kernel::Silent,
            ..Config::new(&place.path().join("audit"), &place.path().join("state"))
        };
        Self { place, config }
    }

    pub(crate) fn open(&self) -> Trail {
        Trail::open(self.config.clone()).unwrap()
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.config.directory).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|kind| kind == "jsonl")).collect();
        files.sort();
        files
    }

    pub(crate) fn keys(&self) -> Vec<PublicKey> {
        PublicKey::all_from_pem(&fs::read(self.config.public_key()).unwrap()).unwrap()
    }

    pub(crate) fn expectation(&self) -> Expectation {
        let anchor = fs::read(self.config.anchor()).ok().map(|text| Anchor::parse(&text).unwrap());
        Expectation { keys: self.keys(), anchor, unsealed: Expectation::RUNNING }
    }

    pub(crate) fn verify(&self) -> Report {
        self.verify_against(&self.expectation())
    }

    pub(crate) fn verify_against(&self, expectation: &Expectation) -> Report {
        let open = |path: &PathBuf| (path.display().to_string(), File::open(path).map(BufReader::new));
        verify(self.files().iter().map(open), expectation)
    }

    pub(crate) fn assert_intact(&self) -> Report {
        let report = self.verify();
        assert_eq!(report.verdict, Verdict::Intact, "{report}");
        report
    }

    pub(crate) fn lines(&self) -> Vec<Line> {
        let texts = self.files().into_iter().map(|path| fs::read(path).unwrap());
        let parse = |text: &[u8]| Line::parse(text).unwrap();
        let used = |text: Vec<u8>| text.into_iter().filter(|byte| *byte != 0).collect::<Vec<_>>();
        texts
            .flat_map(|text| {
                used(text).trim_ascii_end().split(|b| *b == b'\n').map(parse).collect::<Vec<_>>()
            })
            .collect()
    }

    /// All events, those of the trail itself included.
    pub(crate) fn events(&self) -> Vec<(u64, Event)> {
        let event = |line: Line| match line.entry {
            Entry::Record(event) => Some((line.seq, *event)),
            _ => None,
        };
        self.lines().into_iter().filter_map(event).collect()
    }

    pub(crate) fn operations(&self) -> Vec<String> {
        self.events().into_iter().map(|(_, event)| event.operation).collect()
    }
}

pub(crate) fn actor(name: &str, uid: u32) -> Actor {
    Actor {
        authenticated: None,
        account: Account { name: name.to_owned(), uid },
        login: None,
        roles: vec!["user".to_owned()],
        process: Process { pid: 42, start_time: 4242 },
        door: Door::Libvirt,
    }
}

pub(crate) fn event(kind: Kind, outcome: Outcome, who: Actor, operation: &str) -> Event {
    Event {
        origin: None,
        kind,
        outcome,
        actor: Some(who),
        operation: operation.to_owned(),
        functions: vec![Function::Start],
        targets: vec![Target { kind: "vm".to_owned(), name: Some("bobvm".to_owned()), ..Target::default() }],
        detail: String::new(),
        of: None,
        count: None,
    }
}

pub(crate) fn attempt(operation: &str) -> Event {
    event(Kind::Attempt, Outcome::Pending, actor("bob", 1001), operation)
}

pub(crate) fn outcome(of: u64, operation: &str) -> Event {
    let event = event(Kind::Outcome, Outcome::Success, actor("bob", 1001), operation);
    Event { of: Some(of), ..event }
}

pub(crate) fn denial(name: &str, uid: u32, operation: &str) -> Event {
    event(Kind::Denial, Outcome::Denied, actor(name, uid), operation)
}
