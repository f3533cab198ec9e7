// SPDX-License-Identifier: Apache-2.0
//! What a review of access shows. Of the accounts in the scene the test's host knows root alone.

use virtwarden_core::control::{AccessRow, AccessTo, Mode, Request};
use virtwarden_core::policy::request::Right;
use virtwarden_core::record::Outcome;
use virtwarden_core::table3::Function;

use super::scene::{FINANCE, Scene, alice};

fn of_root(scene: &Scene) -> Vec<AccessRow> {
    scene.access(&alice()).into_iter().filter(|row| row.person == "root").collect()
}

fn rules(scene: &Scene, text: &str) {
    scene.write_policy("15-site.toml", text);
    scene.change(&alice(), &Request::PolicyReload { mode: Mode::Apply }).unwrap();
}

#[test]
fn each_role_is_told_with_what_it_reaches_and_how_one_comes_to_it() {
    let scene = Scene::new();
    let rows = of_root(&scene);
    let row = |role: &str, to: &AccessTo| rows.iter().find(|row| row.role == role && row.to == *to);
    let host = row("administrator", &AccessTo::Host).unwrap();
    assert_eq!(host.through, ["user root"]);
    assert!(host.rights.contains(&Right::Review) && !host.rights.contains(&Right::Function(Function::Start)));
    let vms = row("administrator", &AccessTo::EveryVm).unwrap();
    assert!(vms.rights.contains(&Right::Function(Function::Start)), "{vms:?}");
    let served = row("host-services", &AccessTo::EveryVm).unwrap();
    assert_eq!(served.through, ["service root"]);
    assert!(row("user", &AccessTo::EveryVm).is_none());
}

#[test]
fn a_vm_is_told_with_the_way_to_it_and_only_where_there_is_one() {
    let scene = Scene::new();
    rules(
        &scene,
        "[role.operators]\ncolumn = \"user\"\nusers = [\"root\"]\nvms = [\"red\"]\nfunctions = [\"start\"]\n",
    );
    let operated = |scene: &Scene| {
        let rows = of_root(scene).into_iter().filter(|row| row.role == "operators");
        rows.map(|row| (row.to, row.reach)).collect::<Vec<_>>()
    };
    assert_eq!(operated(&scene), []);
    scene.change(&alice(), &super::domain("finance", Some("red"))).unwrap();
    let finance = AccessTo::Vm { uuid: FINANCE, name: "finance".to_owned() };
    assert_eq!(operated(&scene), [(finance, "information domain red".to_owned())]);
}

#[test]
fn a_name_without_an_account_is_shown_as_such_and_the_review_is_on_record() {
    let scene = Scene::new();
    rules(
        &scene,
        "[role.helper]\ncolumn = \"user\"\nusers = [\"no-such-account\"]\nfunctions = [\"start\"]\n",
    );
    let rows = scene.access(&alice());
    let row = rows.iter().find(|row| row.person == "no-such-account").unwrap();
    assert_eq!((row.through.join(""), row.rights.len()), ("there is no such account".to_owned(), 0));
    let told = scene.told().pop().unwrap();
    assert_eq!((told.operation.as_str(), told.outcome), ("role review", Outcome::Success));
}
