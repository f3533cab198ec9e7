// SPDX-License-Identifier: Apache-2.0
//! What a role reaches, and what it does not reach for having a right elsewhere.

use super::*;
use crate::policy::decision::Reason;
use crate::policy::quota::{Allowance, Quota};

const OWNER: &str = r#"
[role.owner]
column = "user"
users = ["carol"]
functions = ["configure-vms"]
quota = { vms = 2, memory = "4 GiB", vcpus = 4 }
"#;

#[test]
fn neither_a_reused_number_nor_a_reused_name_inherits_a_vm() {
    let policy = shipped();
    let his = vm("bobvm", Some(assigned_to(&bob())));
    let libvirt = [("libvirt", 123)];
    assert!(ask(&policy, &subject("bob", 1001, &libvirt), Right::View, &his).is_ok());
    assert!(ask(&policy, &subject("mallory", 1001, &libvirt), Right::View, &his).is_err());
    assert!(ask(&policy, &subject("bob", 1777, &libvirt), Right::View, &his).is_err());
}

#[test]
fn neither_a_reused_group_number_nor_a_reused_group_name_inherits_a_vm() {
    let policy = shipped();
    let theirs = vm("teamvm", Some(assigned_to_group("team", 2000)));
    let member = |group| subject("bob", 1001, &[("libvirt", 123), group]);
    assert!(ask(&policy, &member(("team", 2000)), Right::View, &theirs).is_ok());
    assert!(ask(&policy, &member(("other", 2000)), Right::View, &theirs).is_err());
    assert!(ask(&policy, &member(("team", 2001)), Right::View, &theirs).is_err());
}

#[test]
fn a_role_for_an_information_domain_reaches_its_vms_whoever_they_are_assigned_to() {
    let policy = site(
        "[information-domain.red]\n[information-domain.blue]\n\
         [role.red-watch]\ncolumn = \"user\"\nusers = [\"carol\"]\nvms = [\"red\"]\nfunctions = [\"stop\"]",
    );
    let stops = |object| ask(&policy, &carol(), function("stop"), &object).is_ok();
    assert!(stops(vm("a", Some(in_domain("red")))));
    assert!(!stops(vm("b", Some(in_domain("blue")))));
    assert!(!stops(vm("c", Some(assigned_to(&carol())))));
    assert!(!stops(vm("d", None)));
}

#[test]
fn a_user_role_reaches_the_networks_pools_and_devices_it_lists() {
    let policy = site(
        "[role.lab]\ncolumn = \"user\"\nusers = [\"carol\"]\nnetworks = [\"lab\"]\npools = [\"lab\"]\n\
         devices = [\"usb_1_2\"]\nfunctions = [\"configure-networks\"]",
    );
    let sees = |object: &Object| policy.standing(&carol()).sees(object);
    let volume = |pool: &str| Object::Volume { pool: pool.into(), name: "x".into() };
    for mine in [
        Object::Network("lab".into()),
        Object::Pool("lab".into()),
        volume("lab"),
        Object::Device("usb_1_2".into()),
    ] {
        assert!(sees(&mine), "{mine}");
    }
    for other in things().iter().chain([&volume("other"), &Object::Device("usb_1_3".into())]) {
        assert!(!sees(other), "{other}");
    }
    let configure = function("configure-networks");
    assert!(ask(&policy, &carol(), configure, &Object::Network("lab".into())).is_ok());
    assert!(ask(&policy, &carol(), configure, &Object::Network("default".into())).is_err());
}

#[test]
fn a_role_that_reaches_all_networks_reaches_filters_and_interfaces() {
    let policy = site("[role.net]\ncolumn = \"user\"\nusers = [\"carol\"]\nnetworks = \"all\"");
    let seen: Vec<_> = things()
        .into_iter()
        .filter(|thing| policy.standing(&carol()).sees(thing))
        .map(|t| t.to_string())
        .collect();
    assert_eq!(seen, ["network `default`", "network filter `clean-traffic`", "interface `eth0`"]);
}

#[test]
fn an_administrator_role_can_be_narrowed() {
    let policy = site(
        "[role.net-admin]\ncolumn = \"administrator\"\nusers = [\"carol\"]\nvms = []\npools = []\n\
         devices = []\nfunctions = [\"configure-networks\"]",
    );
    let may = |right, object: Object| ask(&policy, &carol(), right, &object).is_ok();
    assert!(may(function("configure-networks"), Object::Network("any".into())));
    assert!(!may(Right::View, vm("bobvm", Some(assigned_to(&bob())))));
    assert!(!may(Right::View, Object::Pool("default".into())));
    assert!(!may(function("manage-audit"), Object::Trail));
    assert!(!may(Right::Administer, Object::Host));
}

#[test]
fn a_setting_is_open_to_who_holds_its_function_and_to_no_other_right() {
    let policy = site(
        "[role.desk]\ncolumn = \"user\"\nusers = [\"carol\"]\n\
         functions = [\"configure-screen-lock\", \"start\"]\nalso = [\"operate\"]",
    );
    let lock = Object::Setting("screen-lock".into());
    let may = |right| ask(&policy, &carol(), right, &lock).is_ok();
    let open: Vec<_> = Right::all().filter(|right| may(*right)).map(Right::word).collect();
    assert_eq!(open, ["configure-screen-lock"]);
}

/// Nobody needs leave to be stricter with himself, and it is the one row in which he can be.
#[test]
fn whoever_holds_a_role_may_lock_his_own_screen_sooner() {
    let policy = site("[role.desk]\ncolumn = \"user\"\nusers = [\"carol\"]");
    let own = Object::OwnSetting("screen-lock-timeout".into());
    let open = |subject: &Subject| {
        let may = |right: &Right| ask(&policy, subject, *right, &own).is_ok();
        Right::all().filter(may).map(Right::word).collect::<Vec<_>>()
    };
    assert_eq!(open(&carol()), ["configure-screen-lock-timeout", "view"]);
    assert_eq!(open(&subject("dave", 1003, &[])), [""; 0]);
    assert!(
        ask(
            &policy,
            &carol(),
            function("configure-screen-lock-timeout"),
            &Object::Setting("screen-lock-timeout".into())
        )
        .is_err()
    );
}

#[test]
fn a_user_who_may_configure_his_vms_may_configure_nothing_about_them_that_has_its_own_row() {
    let policy = site(OWNER);
    let own = vm("carolvm", Some(assigned_to(&carol())));
    let may = |slug: &str, object: &Object| ask(&policy, &carol(), function(slug), object).is_ok();
    assert!(may("configure-vms", &own));
    assert!(may("configure-vms", &Object::Host));
    assert!(!may("configure-vms", &vm("bobvm", Some(assigned_to(&bob())))));
    assert!(!may("configure-vms", &vm("finance", None)));
    assert!(!may("configure-vms", &Object::Pool("default".into())));
    for row in ["configure-networks", "configure-devices", "configure-sharing", "configure-media-policy"] {
        assert!(!may(row, &own) && !may(row, &Object::Host), "{row}");
    }
}

#[test]
fn one_role_must_carry_a_need_alone() {
    let policy = site(
        "[role.seer]\ncolumn = \"user\"\nusers = [\"carol\"]\nvms = \"all\"\n\
         [role.starter]\ncolumn = \"user\"\nusers = [\"carol\"]\nfunctions = [\"start\"]",
    );
    let (own, foreign) = (vm("carolvm", Some(assigned_to(&carol()))), vm("finance", None));
    let start = function("start");
    assert_eq!(ask(&policy, &carol(), Right::View, &foreign).unwrap(), ["seer"]);
    assert_eq!(ask(&policy, &carol(), start, &foreign).unwrap_err().reason, Reason::NotOnThisObject);
    let needs = [Need { right: Right::View, object: foreign }, Need { right: start, object: own }];
    let Decision::Allow(permit) = policy.decide(&Request { subject: &carol(), needs: &needs }) else {
        panic!("denied")
    };
    assert_eq!(permit.roles(), ["seer", "starter"]);
}

#[test]
fn raw_doors_that_are_shut_are_shut_to_administrators_too() {
    let policy = site("[vm]\nraw = \"nobody\"");
    let object = vm("bobvm", Some(assigned_to(&bob())));
    let reason = |who| ask(&policy, &who, Right::Raw, &object).unwrap_err().reason;
    assert_eq!(
        reason(alice()),
        Reason::Forbidden("raw doors are shut (policy rule at 10-site.toml:1:2)".into())
    );
    assert_eq!(reason(bob()), Reason::NotGranted);
    assert!(ask(&policy, &alice(), Right::Administer, &object).is_ok());
}

#[test]
fn raw_doors_are_shut_where_no_file_opens_them() {
    let text = "[role.administrator]\ncolumn = \"administrator\"\nusers = [\"alice\"]\nalso = [\"raw\"]";
    let policy = Policy::load(&[Source { name: "a.toml", text }]).unwrap();
    assert!(ask(&policy, &alice(), Right::Raw, &Object::Host).is_err());
}

#[test]
fn quotas_bound_users_and_not_administrators() {
    let policy = site(OWNER);
    let (two, three) =
        (Quota { vms: 2, memory_kib: 4 << 20, vcpus: 4 }, Quota { vms: 3, memory_kib: 1, vcpus: 1 });
    assert_eq!(policy.quota(&carol()), Allowance::Within(vec![two]));
    assert_eq!(policy.quota(&alice()), Allowance::Unlimited);
    assert_eq!(policy.quota(&bob()), Allowance::Nothing);
    assert!(policy.quota(&carol()).admits(&two));
    assert!(!policy.quota(&carol()).admits(&three));
    assert!(!two.admits(&Quota { memory_kib: two.memory_kib + 1, ..two }));
    assert!(!two.admits(&Quota { vcpus: 5, ..two }));
    assert!(policy.quota(&alice()).admits(&three));
    assert!(!policy.quota(&bob()).admits(&Quota { vms: 0, memory_kib: 0, vcpus: 0 }));
}

#[test]
fn a_medium_is_nobodys_and_needs_the_right_all_the_same() {
    let policy = site(
        "[role.lab]\ncolumn = \"user\"\nusers = [\"carol\"]\nvms = []\nfunctions = [\"connect-removable\"]\n\
         [role.idle]\ncolumn = \"user\"\nusers = [\"dave\"]\nfunctions = [\"stop\"]",
    );
    let medium = Object::Medium("usb:0951:1666:E0D55EA5741E".into());
    let connects = |subject: &Subject, object: &Object| {
        ask(&policy, subject, function("connect-removable"), object).is_ok()
    };
    assert!(connects(&carol(), &medium));
    assert!(!connects(&carol(), &vm("a", None)), "the medium opens no VM");
    assert!(!connects(&subject("dave", 1003, &[]), &medium));
}

#[test]
fn who_may_connect_media_sees_the_library_and_changes_nothing_in_it() {
    let role = |functions: &str| {
        site(&format!(
            "[role.lab]\ncolumn = \"user\"\nusers = [\"carol\"]\nfunctions = [{functions}]\n\
             quota = {{ vms = 1, memory = \"1 GiB\", vcpus = 1 }}"
        ))
    };
    let volume = |pool: &str| Object::Volume { pool: pool.into(), name: "tools.iso".into() };
    let (library, connects) = (Object::Pool("virtwarden-media".into()), function("connect-removable"));
    let policy = role("\"connect-removable\", \"configure-vms\"");
    for seen in [library.clone(), Object::Pool("virtwarden-media-2".into()), volume("virtwarden-media")] {
        assert!(policy.standing(&carol()).sees(&seen), "{seen}");
        for right in [function("configure-vms"), Right::Operate] {
            assert!(ask(&policy, &carol(), right, &seen).is_err(), "{seen}");
        }
    }
    assert!(ask(&policy, &carol(), connects, &library).is_ok());
    assert!(!policy.standing(&carol()).sees(&volume("virtwarden-mediocre")));
    let without = role("\"start\", \"configure-vms\"");
    assert!(!without.standing(&carol()).sees(&library));
    assert!(ask(&without, &carol(), connects, &library).is_err());
}
