// SPDX-License-Identifier: Apache-2.0
//! Why, and what is different.

use super::*;

fn line_of(text: &str) -> usize {
    DEFAULT.text.lines().position(|line| line.starts_with(text)).unwrap() + 1
}

fn reasons(policy: &Policy, subject: &Subject, right: Right, object: &Object) -> Vec<String> {
    let needs = [Need { right, object: object.clone() }];
    policy.explain(&Request { subject, needs: &needs }).iter().flat_map(|need| need.lines()).collect()
}

#[test]
fn a_grant_is_named_with_its_line() {
    let own = vm("bobvm", Some(assigned_to(&bob())));
    let line = line_of("functions = [\"connect-removable\"");
    assert_eq!(
        reasons(&shipped(), &bob(), function("start"), &own),
        [format!("role `user` grants `start` on VM `bobvm` (90-default.toml:{line}:35)")]
    );
}

#[test]
fn a_refusal_names_the_roles_that_would_carry_it() {
    let line = line_of("functions = \"all\"");
    assert_eq!(
        reasons(&shipped(), &bob(), function("configure-banner"), &Object::Host),
        [
            "no role of the account grants `configure-banner`".to_owned(),
            format!("role `administrator` would carry it (90-default.toml:{line}:13)"),
        ]
    );
    assert_eq!(
        reasons(&shipped(), &bob(), function("start"), &vm("finance", None)),
        [
            "a role of the account grants `start`, but does not reach VM `finance`".to_owned(),
            format!("role `administrator` would carry it (90-default.toml:{line}:13)"),
        ]
    );
    assert_eq!(reasons(&shipped(), &carol(), Right::View, &Object::Host).len(), 3);
}

#[test]
fn only_roles_that_are_not_held_and_would_reach_the_object_are_named() {
    let policy = site(
        "[information-domain.red]\n[role.red-watch]\ncolumn = \"user\"\nvms = [\"red\"]\nfunctions = [\"start\"]",
    );
    let others = |object: Object| {
        let (bob, needs) = (bob(), [Need { right: function("start"), object }]);
        let explained = policy.explain(&Request { subject: &bob, needs: &needs });
        explained[0].would_carry.iter().map(|grant| grant.role.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(others(vm("bobvm", Some(assigned_to(&bob())))), ["administrator"]);
    assert_eq!(others(vm("redvm", Some(in_domain("red")))), ["administrator", "red-watch"]);
}

#[test]
fn an_explanation_and_a_decision_never_differ() {
    let policy = shipped();
    for who in [alice(), bob(), carol()] {
        for object in things().into_iter().chain([Object::Host, vm("bobvm", Some(assigned_to(&bob())))]) {
            for right in Right::all() {
                let needs = [Need { right, object: object.clone() }];
                let request = Request { subject: &who, needs: &needs };
                let explained = policy.explain(&request).iter().all(|need| need.answer.is_ok());
                assert_eq!(explained, matches!(policy.decide(&request), Decision::Allow(_)), "{object}");
            }
        }
    }
}

#[test]
fn what_somebody_holds_is_listed_right_by_right() {
    let policy = shipped();
    let (bob, carol, alice) = (bob(), carol(), alice());
    let held = policy.effective(&bob);
    let words: Vec<_> = held.iter().map(|holding| holding.right.word()).collect();
    assert_eq!(
        words,
        ["connect-removable", "start", "stop", "checkpoint", "suspend", "resume", "view", "operate"]
    );
    assert!(held.iter().all(|holding| holding.grants.len() == 1 && holding.grants[0].role.name == "user"));
    assert!(policy.effective(&carol).is_empty());
    assert_eq!(policy.effective(&alice).len(), 33);
}

#[test]
fn a_difference_is_told_cell_by_cell() {
    let after = site(
        "[role.user]\ncolumn = \"user\"\nusers = [\"carol\"]\nvms = []\n\
         functions = [\"start\", \"stop\", \"checkpoint\", \"suspend\", \"resume\", \"configure-vms\"]\n\
         also = [\"operate\"]\nquota = { vms = 3, memory = \"4 GiB\", vcpus = 4 }\n\
         [information-domain.red]\nnetworks = [\"red\"]\n[vm]\nraw = \"nobody\"",
    );
    let told: Vec<_> = Policy::difference(&shipped(), &after).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "information-domain.red: information domain: - -> defined",
            "information-domain.red: network red: - -> listed",
            "role.user: configure-vms: - -> granted",
            "role.user: connect-removable: granted -> -",
            "role.user: group libvirt: member -> -",
            "role.user: quota: - -> 3 VMs, 4096 MiB, 4 virtual CPUs",
            "role.user: user carol: - -> member",
            "role.user: vms: assigned -> none",
            "vm: raw: administrator -> nobody",
            "vm: template: desktop -> none",
        ]
    );
    assert!(Policy::difference(&after, &after).is_empty());
}

#[test]
fn it_is_known_what_administrators_lack() {
    let numbers = |policy: Policy| policy.unheld().iter().map(|f| f.number()).collect::<Vec<_>>();
    assert_eq!(numbers(shipped()), [0; 0]);
    let required = [1, 3, 4, 5, 6, 7, 8, 10, 12, 15, 16, 18, 19, 20];
    assert_eq!(numbers(Policy::load(&[]).unwrap()), required);
    let nobody = "[role.administrator]\ncolumn = \"administrator\"\nfunctions = \"all\"";
    assert_eq!(numbers(site(nobody)), required);
    let users = "[role.administrator]\ncolumn = \"administrator\"\n\
                 [role.x]\ncolumn = \"user\"\nusers = [\"bob\"]\nfunctions = [\"configure-networks\"]";
    assert_eq!(numbers(site(users)), required);
    let split = "[role.administrator]\ncolumn = \"administrator\"\ngroups = [\"adm\"]\n\
                 functions = [\"update-system\", \"manage-audit\"]";
    assert_eq!(numbers(site(split)), [3, 4, 5, 7, 8, 10, 12, 15, 16, 18, 19, 20]);
}
