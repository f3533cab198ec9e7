// SPDX-License-Identifier: Apache-2.0
//! Open channels survive the daemon, go with their VM, and are closed when nobody knows better.

use super::*;
use virtwarden_core::policy::sharing::{Channel, Party};

const A: Uuid = Uuid([0xa; 16]);
const B: Uuid = Uuid([0xb; 16]);

fn declaration() -> Declaration {
    Declaration { by: "alice".into(), at: 1, reason: "for the build".into() }
}

fn between(one: Party, other: Party) -> Opening {
    Opening::new(Channel::Disk, one, other)
}

#[test]
fn what_is_opened_stays_open_until_it_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sharing.json");
    let opening = between(Party::Vm(A), Party::Vm(B));
    {
        let sharing = Sharing::open(&path).unwrap();
        assert_eq!((sharing.condition(), sharing.declarations().len()), (&Condition::Fresh, 0));
        sharing.allow(opening.clone(), declaration()).unwrap();
    }
    let sharing = Sharing::open(&path).unwrap();
    assert_eq!(sharing.condition(), &Condition::Sound);
    assert_eq!(sharing.declarations().get(&opening), Some(&declaration()));
    sharing.deny(&opening).unwrap();
    assert_eq!(Sharing::open(&path).unwrap().openings(), Openings::default());
}

#[test]
fn a_vm_that_is_gone_takes_its_channels_with_it_and_no_others() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sharing.json");
    let sharing = Sharing::open(&path).unwrap();
    let domains = between(Party::InformationDomain("red".into()), Party::Host);
    for opening in [between(Party::Vm(A), Party::Vm(B)), between(Party::Vm(A), Party::Host), domains.clone()]
    {
        sharing.allow(opening, declaration()).unwrap();
    }
    assert_eq!(sharing.vms().len(), 3);
    assert_eq!(sharing.forget(Uuid([0xc; 16])).unwrap(), 0);
    assert_eq!(sharing.forget(A).unwrap(), 2);
    let left = Sharing::open(&path).unwrap().declarations();
    assert_eq!(left.keys().collect::<Vec<_>>(), [&domains]);
}

#[test]
fn a_damaged_file_opens_nothing_and_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sharing.json");
    for text in ["", "{", "{\"format\":2,\"open\":[]}", "{\"format\":1,\"open\":[{}]}"] {
        std::fs::write(&path, text).unwrap();
        let sharing = Sharing::open(&path).unwrap();
        assert!(sharing.condition().warning().is_some_and(|warning| warning.contains("damaged")), "{text}");
        assert_eq!(sharing.openings(), Openings::default());
        assert!(!path.exists(), "{text}");
    }
}
