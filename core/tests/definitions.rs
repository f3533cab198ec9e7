// SPDX-License-Identifier: Apache-2.0
//! Definitions as libvirt 9.0 and 11.3 really write them, before and after things happen to a VM.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a failed test is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use virtwarden_core::policy::request::Right;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Form, Source, changes};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::strict::parse;

const RELEASES: [&str; 2] = ["9.0", "11.3"];

fn samples(release: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/xml").join(release)
}

fn sample(release: &str, name: &str) -> String {
    fs::read_to_string(samples(release).join(name).with_extension("xml")).unwrap()
}

fn vm(release: &str, name: &str) -> Definition {
    Definition::parse(sample(release, name)).unwrap()
}

/// The definition inside a snapshot or checkpoint.
fn embedded(release: &str, name: &str, part: &str) -> Definition {
    Definition::new(parse(sample(release, name)).unwrap().child(part).unwrap().clone()).unwrap()
}

fn summaries(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|change| change.summary.as_str()).collect()
}

fn assert_same(release: &str, old: &Definition, new: &Definition, form: Form) {
    let found = changes(Some(old), new, form);
    assert!(found.is_empty(), "libvirt {release}: {:#?}", summaries(&found));
}

#[test]
fn everything_libvirt_writes_is_read_and_written_alike() {
    for release in RELEASES {
        for entry in fs::read_dir(samples(release)).unwrap() {
            let path = entry.unwrap().path();
            let tree =
                parse(fs::read(&path).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(parse(tree.to_string()).unwrap(), tree, "{}", path.display());
        }
    }
}

#[test]
fn a_definition_sent_back_unchanged_changes_nothing() {
    for release in RELEASES {
        for name in ["inactive", "live", "save-image"] {
            let definition = vm(release, name);
            let again = Definition::parse(definition.write()).unwrap();
            assert_same(release, &definition, &again, Form::Stored);
        }
    }
}

#[test]
fn starting_a_vm_changes_nothing() {
    for release in RELEASES {
        let (stored, first, second) =
            (vm(release, "inactive"), vm(release, "live"), vm(release, "live-second"));
        assert_same(release, &stored, &first, Form::Running);
        assert_same(release, &first, &stored, Form::Running);
        assert_same(release, &first, &second, Form::Running);
    }
}

#[test]
fn starting_other_vms_changes_nothing_either() {
    for release in RELEASES {
        for name in ["firmware", "desktop", "server"] {
            let (stored, live) =
                (vm(release, &format!("{name}-inactive")), vm(release, &format!("{name}-live")));
            assert_same(release, &stored, &live, Form::Running);
            assert_same(release, &live, &stored, Form::Running);
        }
    }
}

#[test]
fn snapshots_and_saved_states_of_a_vm_change_nothing() {
    for release in RELEASES {
        let (stored, live) = (vm(release, "inactive"), vm(release, "live"));
        for present in [&stored, &live] {
            assert_same(release, &embedded(release, "snapshot-live", "domain"), present, Form::Running);
            assert_same(
                release,
                &embedded(release, "snapshot-live", "inactiveDomain"),
                present,
                Form::Running,
            );
            assert_same(release, &embedded(release, "snapshot-off", "domain"), present, Form::Running);
        }
        let with_medium = vm(release, "live-media");
        assert_same(release, &with_medium, &vm(release, "save-image"), Form::Running);
        assert_same(release, &with_medium, &vm(release, "managedsave"), Form::Running);
    }
}

#[test]
fn a_medium_that_went_in_since_is_the_only_difference() {
    for release in RELEASES {
        let found = changes(Some(&vm(release, "live")), &vm(release, "live-media"), Form::Running);
        assert_eq!(summaries(&found), ["medium inserted: `sdb`: `/var/lib/libvirt/images/b.iso`"]);
        assert_eq!(found[0].right, Right::Function(Function::ConnectRemovable));
        let medium = found[0].medium.as_ref().unwrap();
        let path = "/var/lib/libvirt/images/b.iso".to_owned();
        assert_eq!(medium.source, Source::File { path, format: "raw".into() });
    }
}

#[test]
fn against_a_stored_definition_what_libvirt_made_up_counts() {
    for release in RELEASES {
        let found = changes(Some(&vm(release, "inactive")), &vm(release, "live"), Form::Stored);
        assert!(found.iter().any(|c| c.right == Right::Administer));
    }
}

#[test]
fn facts_of_a_real_vm() {
    for release in RELEASES {
        let facts = vm(release, "inactive").facts();
        assert_eq!(
            facts.links.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["network `default`", "user"]
        );
        assert!(facts.raw.is_empty());
        assert_eq!((facts.memory_kib, facts.vcpus), (262_144, 2));
        assert_eq!(facts.sources, ["/var/lib/libvirt/images/rich.qcow2", "/var/lib/libvirt/images/a.iso"]);
    }
}
