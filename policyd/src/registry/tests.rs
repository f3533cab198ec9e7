// SPDX-License-Identifier: Apache-2.0
//! Stories of the registry.

use std::fs;

use tempfile::TempDir;

use super::*;

const BOBVM: Uuid = Uuid([1; 16]);
const FINANCE: Uuid = Uuid([2; 16]);

struct Scene {
    directory: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("registry.json")
    }

    fn open(&self) -> Registry {
        Registry::open(&self.path()).unwrap()
    }
}

fn account(name: &str, uid: u32) -> Account {
    Account { name: name.to_owned(), uid }
}

fn bob() -> Account {
    account("bob", 1001)
}

fn users(accounts: impl IntoIterator<Item = Account>) -> People {
    People { users: accounts.into_iter().collect(), ..People::default() }
}

fn assign(registry: &Registry, uuid: Uuid, name: &str, people: &People) -> Vec<String> {
    let change = registry.plan_assign(uuid, name, people);
    registry.apply(&change).unwrap();
    change.differences()
}

#[test]
fn an_assignment_outlives_a_restart() {
    let scene = Scene::new();
    let registry = scene.open();
    assert_eq!(*registry.condition(), Condition::Fresh);
    assert_eq!(assign(&registry, BOBVM, "bobvm", &users([bob()])), ["+user bob"]);
    let again = scene.open();
    assert_eq!(*again.condition(), Condition::Sound);
    assert_eq!(*again.entries(), *registry.entries());
    assert!(again.vm(BOBVM).unwrap().users.contains(&bob()));
    assert!(again.vm(FINANCE).is_none());
}

#[test]
fn a_plan_changes_nothing_until_it_is_made() {
    let scene = Scene::new();
    let registry = scene.open();
    let plan = registry.plan_assign(BOBVM, "bobvm", &users([bob()]));
    assert_eq!(plan.differences(), ["+user bob"]);
    assert!(registry.vm(BOBVM).is_none());
    assert!(!scene.path().exists());
}

#[test]
fn a_plan_that_was_overtaken_is_refused() {
    let scene = Scene::new();
    let registry = scene.open();
    let plan = registry.plan_unassign(BOBVM, "bobvm", &People::default());
    assign(&registry, BOBVM, "bobvm", &users([bob()]));
    assert!(matches!(registry.apply(&plan), Err(ChangeError::Stale)));
    assert!(registry.vm(BOBVM).is_some());
}

#[test]
fn a_reused_uid_or_name_gets_nothing() {
    let scene = Scene::new();
    let registry = scene.open();
    assign(&registry, BOBVM, "bobvm", &users([bob()]));
    let assignment = registry.vm(BOBVM).unwrap();
    assert!(!assignment.users.contains(&account("carol", 1001)));
    assert!(!assignment.users.contains(&account("bob", 1002)));
    assert!(registry.owned_by(&account("bob", 1002)).is_empty());
    assert_eq!(registry.owned_by(&bob()), [BOBVM]);
}

#[test]
fn a_renamed_vm_keeps_its_people() {
    let scene = Scene::new();
    let registry = scene.open();
    assign(&registry, BOBVM, "bobvm", &users([bob()]));
    registry.renamed(BOBVM, "bobs-desktop").unwrap();
    let again = scene.open();
    assert_eq!(again.entries()[&BOBVM].name, "bobs-desktop");
    assert!(again.vm(BOBVM).unwrap().users.contains(&bob()));
}

#[test]
fn a_uuid_that_is_defined_again_inherits_nothing() {
    let scene = Scene::new();
    let registry = scene.open();
    assign(&registry, BOBVM, "bobvm", &users([bob()]));
    registry.forget(BOBVM).unwrap();
    assert!(registry.vm(BOBVM).is_none());
    assign(&registry, BOBVM, "bobvm", &users([bob()]));
    registry.adopt(BOBVM, "carols", &account("carol", 1002)).unwrap();
    assert_eq!(scene.open().vm(BOBVM).unwrap().users, BTreeSet::from([account("carol", 1002)]));
}

#[test]
fn unassigning_without_names_takes_the_vm_from_everybody_but_leaves_its_information_domain() {
    let scene = Scene::new();
    let registry = scene.open();
    let staff = Group { name: "staff".to_owned(), gid: 50 };
    let people = People { groups: BTreeSet::from([staff]), ..users([bob()]) };
    assign(&registry, BOBVM, "bobvm", &people);
    registry.apply(&registry.plan_information_domain(BOBVM, "bobvm", Some("red"))).unwrap();
    let change = registry.plan_unassign(BOBVM, "bobvm", &People::default());
    assert_eq!(change.differences(), ["-user bob", "-group staff"]);
    registry.apply(&change).unwrap();
    let left = registry.vm(BOBVM).unwrap();
    assert!(left.users.is_empty() && left.groups.is_empty());
    assert_eq!(left.information_domain.as_deref(), Some("red"));
    let change = registry.plan_information_domain(BOBVM, "bobvm", None);
    assert_eq!(change.differences(), ["information domain red -> none"]);
    registry.apply(&change).unwrap();
    assert!(registry.vm(BOBVM).is_none(), "an entry that says nothing is not kept");
}

#[test]
fn unassigning_one_leaves_the_others() {
    let scene = Scene::new();
    let registry = scene.open();
    let carol = account("carol", 1002);
    assign(&registry, BOBVM, "bobvm", &users([bob(), carol.clone()]));
    registry.apply(&registry.plan_unassign(BOBVM, "bobvm", &users([bob()]))).unwrap();
    assert_eq!(registry.vm(BOBVM).unwrap().users, BTreeSet::from([carol]));
}

/// Power fails while the new file is written: the old one still counts.
#[test]
fn a_torn_write_leaves_the_old_state() {
    let scene = Scene::new();
    assign(&scene.open(), BOBVM, "bobvm", &users([bob()]));
    let whole = fs::read(scene.path()).unwrap();
    for length in 0..whole.len() {
        fs::write(scene.path().with_extension("json.new"), &whole[..length]).unwrap();
        let registry = scene.open();
        assert_eq!(*registry.condition(), Condition::Sound);
        assert!(registry.vm(BOBVM).is_some());
    }
    assign(&scene.open(), FINANCE, "finance", &users([bob()]));
    assert_eq!(scene.open().entries().len(), 2);
}

#[test]
fn a_damaged_file_gives_nobody_anything_and_is_kept() {
    let whole = {
        let scene = Scene::new();
        assign(&scene.open(), BOBVM, "bobvm", &users([bob()]));
        fs::read_to_string(scene.path()).unwrap()
    };
    let twice = {
        let start = whole.find("    {").unwrap();
        let end = whole.rfind("    }").unwrap() + 5;
        let row = &whole[start..end];
        whole.replace(row, &format!("{row},{row}"))
    };
    let damaged = [
        whole[..whole.len() / 2].to_owned(),
        String::new(),
        whole.replace("\"format\": 1", "\"format\": 2"),
        whole.replace("\"name\": \"bobvm\"", "\"name\": \"bobvm\", \"owner\": \"carol\""),
        whole.replace("01010101-", "0101-zz-"),
        twice,
    ];
    for text in damaged {
        assert_ne!(text, whole);
        let scene = Scene::new();
        fs::write(scene.path(), &text).unwrap();
        let registry = scene.open();
        let Condition::Damaged { kept, .. } = registry.condition() else { panic!("not noticed: {text}") };
        assert_eq!(fs::read_to_string(kept).unwrap(), text);
        assert!(registry.condition().warning().unwrap().contains(kept.to_str().unwrap()));
        assert!(registry.entries().is_empty());
        assign(&registry, FINANCE, "finance", &users([bob()]));
        assert_eq!(fs::read_to_string(kept).unwrap(), text, "a later change must not touch it");
    }
}

#[test]
fn each_damaged_file_is_kept() {
    let scene = Scene::new();
    for number in 1..=3 {
        fs::write(scene.path(), format!("damaged {number}")).unwrap();
        scene.open();
    }
    let kept = fs::read(scene.path().with_extension("damaged-3.json")).unwrap();
    assert_eq!(kept, b"damaged 3");
    assert!(scene.path().with_extension("damaged-1.json").exists());
}

#[test]
fn a_change_that_cannot_be_written_is_not_seen() {
    let scene = Scene::new();
    let registry = scene.open();
    assign(&registry, BOBVM, "bobvm", &users([bob()]));
    fs::create_dir(scene.path().with_extension("json.new")).unwrap();
    let change = registry.plan_assign(FINANCE, "finance", &users([bob()]));
    assert!(registry.apply(&change).is_err());
    assert!(registry.vm(FINANCE).is_none());
    assert!(registry.forget(BOBVM).is_err());
    assert!(registry.vm(BOBVM).is_none(), "a VM that is gone is nobody's, whatever the disk says");
}
