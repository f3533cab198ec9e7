// SPDX-License-Identifier: Apache-2.0
//! What the person who was refused reads.

use super::*;

fn told(policy: &Policy, subject: &Subject, right: Right, object: &Object) -> String {
    ask(policy, subject, right, object).unwrap_err().message(subject)
}

#[test]
fn a_refusal_names_the_person_the_role_the_function_and_the_row() {
    let own = vm("bobvm", Some(assigned_to(&bob())));
    assert_eq!(
        told(&shipped(), &bob(), function("configure-networks"), &own),
        "access denied: bob (user) may not configure virtual networks (Table 3, 5)"
    );
    assert_eq!(
        told(&shipped(), &bob(), Right::Guest, &own),
        "access denied: bob (user) may not act inside VM `bobvm` through its guest agent"
    );
    assert_eq!(
        told(&shipped(), &bob(), Right::Administer, &Object::Host),
        "access denied: bob (user) may not administer this host"
    );
    assert_eq!(
        told(&shipped(), &bob(), Right::Raw, &own),
        "access denied: bob (user) may not pass a raw door of VM `bobvm`"
    );
}

#[test]
fn a_refusal_for_the_object_names_the_object() {
    assert_eq!(
        told(&shipped(), &bob(), function("start"), &vm("finance", None)),
        "access denied: bob (user) may not start the VM (Table 3, 22): VM `finance` is out of this role's reach"
    );
    assert_eq!(
        told(&shipped(), &bob(), Right::View, &Object::Pool("default".into())),
        "access denied: bob (user) may not see pool `default`"
    );
}

#[test]
fn who_holds_no_role_is_told_how_to_come_by_one() {
    assert_eq!(
        told(&shipped(), &carol(), Right::View, &Object::Host),
        "access denied: carol holds no role here; an Administrator can grant one with virtwarden role add"
    );
}

#[test]
fn a_shut_door_is_named_with_its_rule() {
    assert_eq!(
        told(&site("[vm]"), &alice(), Right::Raw, &vm("bobvm", None)),
        "access denied: alice (administrator) may not pass a raw door of VM `bobvm`: \
         raw doors are shut (policy rule at 10-site.toml:1:2)"
    );
}

#[test]
fn several_roles_are_all_named() {
    let policy = site("[role.extra]\ncolumn = \"user\"\nusers = [\"bob\"]");
    assert_eq!(
        told(&policy, &bob(), function("configure-banner"), &Object::Host),
        "access denied: bob (extra, user) may not configure the banner (Table 3, 20)"
    );
}

#[test]
fn every_row_that_is_missing_is_named_once_and_the_first_one_alone_where_the_rest_would_tell() {
    let own = vm("bobvm", Some(assigned_to(&bob())));
    let wanted = ["configure-vms", "start", "configure-devices", "configure-vms"]
        .map(|name| Need { right: function(name), object: own.clone() });
    let Decision::Deny(denial) = shipped().decide(&Request { subject: &bob(), needs: &wanted }) else {
        panic!("allowed")
    };
    let first = "access denied: bob (user) may not create, configure or delete VMs (Table 3, 3)";
    assert_eq!(
        denial.message(&bob()),
        format!("{first}, configure VM access to physical devices (Table 3, 7)")
    );
    assert_eq!(denial.first_message(&bob()), first);
}
