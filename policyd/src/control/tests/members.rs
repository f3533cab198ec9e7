// SPDX-License-Identifier: Apache-2.0
//! Who says who is an Administrator: row 12 of Table 3.

use virtwarden_core::control::{FailureKind, Mode, Request};
use virtwarden_core::record::Outcome;
use virtwarden_core::table3::Function;

use super::scene::{Scene, alice, carol};

/// carol administers, with these functions.
fn scene(functions: &str) -> Scene {
    let scene = Scene::with_group("root");
    let deputy = format!(
        "[role.deputy]\ncolumn = \"administrator\"\nusers = [\"carol\"]\nfunctions = [{functions}]\nalso = [\"administer\"]\n"
    );
    scene.write_policy("15-site.toml", &deputy);
    scene.change(&alice(), &Request::PolicyReload { mode: Mode::Apply }).unwrap();
    scene
}

#[test]
fn to_administer_is_not_enough_to_give_a_role() {
    let wish = super::add_administrator("root", Mode::DryRun);
    let deputy = scene("\"configure-vms\"");
    assert_eq!(deputy.ask(&carol(), &wish).unwrap_err().kind, FailureKind::Denied);
    let told = deputy.told();
    let record = told.last().unwrap();
    assert_eq!((record.operation.as_str(), record.outcome), ("role add", Outcome::Denied));
    assert_eq!(record.functions, [Function::AuthorizationFactors]);
    scene("\"change-authorization-factors\"").ask(&carol(), &wish).unwrap();
}
