// SPDX-License-Identifier: Apache-2.0
//! Every shipped role, every right, every kind of object.

use super::*;
use crate::policy::decision::Reason;

const OPERATORS: [&str; 8] =
    ["view", "operate", "connect-removable", "start", "stop", "checkpoint", "suspend", "resume"];

/// What a subject may do to an object, in words.
fn allowed(policy: &Policy, subject: &Subject, object: &Object) -> Vec<&'static str> {
    let rights = Right::all().filter(|right| ask(policy, subject, *right, object).is_ok());
    rights.map(Right::word).collect()
}

fn sorted(mut words: Vec<&'static str>) -> Vec<&'static str> {
    words.sort_unstable();
    words
}

#[test]
fn there_are_thirty_three_rights_with_words_of_their_own() {
    let words: BTreeSet<_> = Right::all().map(Right::word).collect();
    assert_eq!((Right::all().count(), words.len()), (33, 33));
}

#[test]
fn an_administrator_may_do_everything_to_everything() {
    let policy = shipped();
    let root = subject("root", 0, &[("root", 0)]);
    let everything: Vec<_> = Right::all().map(Right::word).collect();
    for administrator in [alice(), root] {
        for object in things().into_iter().chain([Object::Host, vm("bobvm", Some(assigned_to(&bob())))]) {
            assert_eq!(allowed(&policy, &administrator, &object), everything, "{object}");
        }
    }
}

#[test]
fn a_user_may_operate_his_vms_and_nothing_else() {
    let policy = shipped();
    let his = [
        Object::Host,
        vm("bobvm", Some(assigned_to(&bob()))),
        vm("teamvm", Some(assigned_to_group("team", 2000))),
    ];
    for object in his {
        let mut expected = OPERATORS.to_vec();
        expected.sort_unstable();
        assert_eq!(sorted(allowed(&policy, &bob(), &object)), expected, "{object}");
    }
    for object in things().into_iter().chain([vm("alicevm", Some(assigned_to(&alice())))]) {
        assert_eq!(allowed(&policy, &bob(), &object), [""; 0], "{object}");
    }
}

#[test]
fn who_holds_no_role_may_do_nothing_not_even_to_a_vm_of_his_own() {
    let policy = shipped();
    let his = vm("carolvm", Some(assigned_to(&carol())));
    for object in things().into_iter().chain([Object::Host, his]) {
        for right in Right::all() {
            let denial = ask(&policy, &carol(), right, &object).unwrap_err();
            assert_eq!((denial.reason, denial.roles), (Reason::NoRole, vec![]), "{object}");
        }
    }
}

#[test]
fn the_empty_policy_allows_nothing_to_anybody() {
    let policy = Policy::load(&[]).unwrap();
    let root = subject("root", 0, &[("root", 0)]);
    for (right, who) in Right::all().flat_map(|right| [(right, root.clone()), (right, alice())]) {
        assert!(ask(&policy, &who, right, &Object::Host).is_err());
    }
}

#[test]
fn the_reason_tells_a_missing_right_from_a_foreign_object() {
    let policy = shipped();
    let (own, foreign) = (vm("bobvm", Some(assigned_to(&bob()))), vm("finance", None));
    let reason = |right, object| ask(&policy, &bob(), right, object).unwrap_err().reason;
    assert_eq!(reason(function("configure-networks"), &own), Reason::NotGranted);
    assert_eq!(reason(function("start"), &foreign), Reason::NotOnThisObject);
    assert_eq!(reason(Right::View, &foreign), Reason::NotOnThisObject);
}

#[test]
fn a_request_needs_all_of_its_needs_and_says_which_are_missing() {
    let policy = shipped();
    let own = vm("bobvm", Some(assigned_to(&bob())));
    let need = |right| Need { right, object: own.clone() };
    let needs = [
        need(function("start")),
        need(function("configure-networks")),
        need(function("stop")),
        need(Right::Raw),
    ];
    let Decision::Deny(denial) = policy.decide(&Request { subject: &bob(), needs: &needs }) else {
        panic!("allowed")
    };
    assert_eq!(denial.need, needs[1]);
    assert_eq!(denial.missing, [function("configure-networks"), Right::Raw]);
    assert_eq!(denial.roles, ["user"]);
}

#[test]
fn a_request_that_needs_nothing_is_refused() {
    let Decision::Deny(denial) = shipped().decide(&Request { subject: &alice(), needs: &[] }) else {
        panic!("allowed")
    };
    assert!(matches!(denial.reason, Reason::Malformed(_)));
    assert!(!shipped().standing(&alice()).may(&[]));
}

#[test]
fn a_permit_says_what_it_is_for_and_who_carried_it() {
    let needs = [Need { right: function("start"), object: vm("bobvm", Some(assigned_to(&bob()))) }];
    let Decision::Allow(permit) = shipped().decide(&Request { subject: &bob(), needs: &needs }) else {
        panic!("denied")
    };
    assert_eq!((permit.needs(), permit.roles()), (&needs[..], &["user".to_owned()][..]));
}
