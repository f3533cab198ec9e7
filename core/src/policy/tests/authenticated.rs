// SPDX-License-Identifier: Apache-2.0
//! A role of the Administrator column is a person's, who has authenticated (FIA_UIA_EXT.1).

use super::*;
use crate::policy::decision::Reason;
use crate::table3::Column;

const ABSENCES: [Absence; 7] = [
    Absence::NoSession,
    Absence::Unproved,
    Absence::Ended,
    Absence::Idle,
    Absence::OtherAccount,
    Absence::NotRaised,
    Absence::BannerNotAccepted,
];

fn root() -> Subject {
    subject("root", 0, &[("root", 0)])
}

fn backup() -> Policy {
    site(
        "[role.backup]\ncolumn = \"administrator\"\nservices = [\"backup\"]\nfunctions = [\"checkpoint\"]\n\
         networks = []\npools = []\ndevices = []\n",
    )
}

/// Every account, every right, every way to be nobody: against what the person may.
#[test]
fn without_a_person_an_account_has_its_user_roles_and_what_it_serves() {
    let policy = backup();
    let service = subject("backup", 34, &[("backup", 34)]);
    let own = vm("bobvm", Some(assigned_to(&bob())));
    for who in [alice(), bob(), carol(), root(), service] {
        for object in things().into_iter().chain([Object::Host, own.clone()]) {
            for right in Right::all() {
                for absence in ABSENCES {
                    let carries = |role: &&Role| role.holds(right) && role.reaches(right, &object, &who);
                    let counts = |role: &&Role| {
                        role.column == Column::User || role.services.contains(&who.account.name)
                    };
                    let all = policy.roles(&who);
                    let expected = all.iter().copied().filter(counts).any(|role| carries(&role));
                    let nobody = without(absence, who.clone());
                    let answer = ask(&policy, &nobody, right, &object);
                    assert_eq!(
                        answer.is_ok(),
                        expected,
                        "{} {right:?} {object} {absence:?}",
                        who.account.name
                    );
                    let person = ask(&policy, &who, right, &object);
                    assert!(person.is_ok() || answer.is_err(), "nobody may what a person may not");
                    if let (Ok(_), Err(denial)) = (person, answer) {
                        let role = "administrator".to_owned();
                        assert_eq!(denial.reason, Reason::NotAuthenticated { role, absence });
                    }
                }
            }
        }
    }
}

#[test]
fn an_administrator_who_is_nobody_is_told_why_and_what_to_do() {
    let policy = shipped();
    let told = |absence| {
        let who = without(absence, alice());
        ask(&policy, &who, function("start"), &vm("bobvm", None)).unwrap_err().message(&who)
    };
    assert_eq!(
        told(Absence::NoSession),
        "access denied: alice holds role `administrator`, but nobody authenticated for this process; log in and \
         run it there"
    );
    assert_eq!(
        told(Absence::NotRaised),
        "access denied: alice holds role `administrator`, but this session acts as a User; raise it with `virtwarden \
         session elevate`"
    );
}

#[test]
fn who_names_what_he_may_not_see_is_told_what_would_help_and_nothing_else() {
    let who = without(Absence::NotRaised, alice());
    let denial = ask(&shipped(), &who, function("configure-networks"), &Object::Network("red".to_owned()))
        .unwrap_err();
    let told = denial.first_message(&who);
    assert!(told.contains("may not configure virtual networks (Table 3, 5)"), "{told}");
    assert!(told.ends_with("role `administrator` does not count here, this session acts as a User; raise it with `virtwarden session elevate`"), "{told}");
    assert!(!told.contains("red"), "{told}");
}

#[test]
fn a_user_needs_no_login_for_what_is_his() {
    let own = vm("bobvm", Some(assigned_to(&bob())));
    for absence in ABSENCES {
        assert!(ask(&shipped(), &without(absence, bob()), function("start"), &own).is_ok());
    }
}

#[test]
fn who_holds_both_roles_is_a_user_until_he_has_authenticated() {
    let both = subject("alice", 1000, &[("virtwarden-admin", 997), ("libvirt", 123)]);
    let own = vm("alicevm", Some(assigned_to(&both)));
    let nobody = without(Absence::NoSession, both.clone());
    let policy = shipped();
    assert_eq!(ask(&policy, &nobody, function("start"), &own), Ok(vec!["user".to_owned()]));
    assert!(ask(&policy, &nobody, function("start"), &vm("finance", None)).is_err());
    assert!(ask(&policy, &both, function("start"), &vm("finance", None)).is_ok());
    assert_eq!(
        policy.withheld(&nobody).iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
        ["administrator"]
    );
    assert!(policy.withheld(&both).is_empty());
}

#[test]
fn the_host_itself_may_start_and_stop_vms_and_nothing_else_that_changes_anything() {
    let boot = without(Absence::NoSession, root());
    let policy = shipped();
    let right = |right: &Right| ask(&policy, &boot, *right, &vm("finance", None)).is_ok();
    let words: Vec<_> = Right::all().filter(right).map(Right::word).collect();
    assert_eq!(words, ["start", "stop", "suspend", "resume", "view"]);
    for object in
        [Object::Policy, Object::Trail, Object::Network("default".into()), Object::Setting("banner".into())]
    {
        let changed: Vec<_> = Right::all()
            .filter(|right| *right != Right::View && ask(&policy, &boot, *right, &object).is_ok())
            .collect();
        let starts = ["start", "stop", "suspend", "resume"].map(function);
        assert!(changed.iter().all(|right| starts.contains(right)), "{object}: {changed:?}");
    }
}

#[test]
fn a_role_that_is_withheld_is_explained_and_not_offered() {
    let nobody = without(Absence::Unproved, alice());
    let needs = [Need { right: function("start"), object: vm("bobvm", None) }];
    let policy = shipped();
    let explained = policy.explain(&Request { subject: &nobody, needs: &needs });
    assert_eq!(
        explained[0].lines(),
        [
            "role `administrator` grants `start` on VM `bobvm`, but this login was automatic and nobody authenticated; \
          log in with a password or key"
        ]
    );
    assert!(policy.effective(&nobody).is_empty());
}
