// SPDX-License-Identifier: Apache-2.0
//! Whatever the files say, a role stays within its column of Table 3.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::table3::{Cell, Column};

/// Rights that no role of the User column can hold.
fn out_of_reach() -> Vec<Right> {
    let never = Function::ALL.into_iter().filter(|function| function.cell(Column::User) == Cell::Never);
    never.map(Right::Function).chain([Right::Administer, Right::Review, Right::Raw]).collect()
}

#[test]
fn each_right_out_of_reach_is_a_mistake_at_its_place_in_each_role_of_the_user_column() {
    for right in out_of_reach() {
        let key = if matches!(right, Right::Function(_)) { "functions" } else { "also" };
        let text = format!("[role.x]\ncolumn = \"user\"\n{key} = [\"{}\"]", right.word());
        let errors = Policy::load(&[Source { name: "a.toml", text: &text }]).unwrap_err();
        let column = key.len() + 5;
        let places: Vec<_> = errors.iter().map(|error| error.place.to_string()).collect();
        assert_eq!(places, [format!("a.toml:3:{column}")]);
    }
}

#[test]
fn each_right_within_reach_can_be_granted() {
    for right in Right::all().filter(|right| *right != Right::View && !out_of_reach().contains(right)) {
        let key = if matches!(right, Right::Function(_)) { "functions" } else { "also" };
        let text = format!(
            "[role.x]\ncolumn = \"user\"\nusers = [\"carol\"]\n{key} = [\"{}\"]\n\
             quota = {{ vms = 1, memory = \"1 GiB\", vcpus = 1 }}",
            right.word()
        );
        let policy = Policy::load(&[Source { name: "a.toml", text: &text }]).unwrap();
        assert!(ask(&policy, &carol(), right, &Object::Host).is_ok(), "{}", right.word());
    }
}

fn slugs() -> impl Strategy<Value = String> {
    let slugs: Vec<_> = Function::ALL.iter().map(|function| function.slug()).collect();
    let list = subsequence(slugs, 0..6).prop_map(|list| format!("{list:?}"));
    prop_oneof![9 => list, 1 => Just("\"all\"".to_owned())]
}

fn also() -> impl Strategy<Value = String> {
    subsequence(vec!["operate", "guest", "administer", "review", "raw"], 0..3)
        .prop_map(|list| format!("{list:?}"))
}

/// A role in one of the ways that TOML offers to write the same thing.
fn role() -> impl Strategy<Value = String> {
    let name = select(vec!["x", "y", "user", "administrator", "\"x\""]);
    let column = select(vec!["user", "user", "user", "administrator"]);
    let scope = select(vec!["\"all\"", "\"assigned\"", "[]"]);
    let style = 0..4;
    let services = select(vec!["[]", "[]", "[]", "[]", "[]", "[]", "[]", "[\"mallory\"]"]);
    let parts = (name, column, scope, slugs(), also(), services, style);
    parts.prop_map(|(name, column, vms, functions, also, services, style)| {
        let quota = "{ vms = 1, memory = \"1 GiB\", vcpus = 1 }";
        let pairs = [
            ("column", format!("'{column}'")),
            ("users", "[\"mallory\"]".to_owned()),
            ("services", services.to_owned()),
            ("vms", vms.to_owned()),
            ("networks", "\"all\"".to_owned()),
            ("pools", "\"all\"".to_owned()),
            ("devices", "\"all\"".to_owned()),
            ("functions", functions),
            ("also", also),
            ("quota", quota.to_owned()),
        ];
        let join = |before: &str, between: &str| {
            pairs.iter().map(|(k, v)| format!("{before}{k} = {v}")).collect::<Vec<_>>().join(between)
        };
        match style {
            0 => format!("[role.{name}]\n{}\n", join("", "\n")),
            1 => format!("[role.{name}]\n{}\n", join("", "\r\n")),
            2 => format!("[role]\n{name} = {{ {} }}\n", join("", ", ")),
            _ => format!("{}\n", join(&format!("role.{name}."), "\n")),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_text_gives_a_role_of_the_user_column_what_the_table_denies_it(files in vec(role(), 1..4)) {
        let names = ["10-a.toml", "20-b.toml", "30-c.toml"];
        let sources: Vec<_> =
            files.iter().zip(names).map(|(text, name)| Source { name, text }).collect();
        let Ok(policy) = Policy::load(&sources) else { return Ok(()) };
        let mallory = subject("mallory", 1003, &[]);
        let user_only = policy.roles(&mallory).iter().all(|role| role.column == Column::User);
        for right in out_of_reach() {
            for role in policy.rules().filter(|role| role.column == Column::User) {
                prop_assert!(!role.holds(right));
            }
            for object in things().iter().chain([&Object::Host]).filter(|_| user_only) {
                prop_assert!(ask(&policy, &mallory, right, object).is_err());
            }
        }
    }

    #[test]
    fn no_text_gives_a_role_of_the_administrator_column_to_who_has_not_authenticated(files in vec(role(), 1..4)) {
        let names = ["10-a.toml", "20-b.toml", "30-c.toml"];
        let sources: Vec<_> =
            files.iter().zip(names).map(|(text, name)| Source { name, text }).collect();
        let Ok(policy) = Policy::load(&sources) else { return Ok(()) };
        let mallory = without(Absence::NoSession, subject("mallory", 1003, &[]));
        for role in policy.roles(&mallory) {
            let served = role.services.contains("mallory");
            prop_assert!(role.column == Column::User || served);
            prop_assert!(!(served && (role.holds(Right::Administer) || role.holds(Right::Raw))));
        }
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place(text in "(\\[role\\.[a-z]{1,3}\\]\n|[a-z\"'=\\[\\]{}., \n#é-]{0,40}){0,6}") {
        let sources = [Source { name: "a.toml", text: &text }];
        for error in Policy::load(&sources).err().into_iter().flatten() {
            prop_assert!(error.place.line >= 1 && error.place.column >= 1);
            prop_assert!(error.render(&sources).lines().count() >= 5);
        }
    }
}

#[test]
fn the_stories_above_do_load_policies_with_user_roles() {
    // Guards the property against a generator whose every text is refused.
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let loads = (0..500).filter(|_| {
        let text = role().new_tree(&mut runner).unwrap().current();
        Policy::load(&[Source { name: "a.toml", text: &text }])
            .is_ok_and(|policy| policy.rules().any(|role| role.column == Column::User))
    });
    assert!(loads.count() > 40);
}
