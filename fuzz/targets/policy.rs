// SPDX-License-Identifier: Apache-2.0
//! No text makes a policy that gives a User what Table 3 marks N, and every error can be shown.
#![no_main]

use libfuzzer_sys::fuzz_target;
use virtwarden_core::policy::request::Right;
use virtwarden_core::policy::{Policy, Source};
use virtwarden_core::table3::{Cell, Column, Function};

fuzz_target!(|text: &str| {
    let sources = [Source { name: "50-fuzz.toml", text }];
    match Policy::load(&sources) {
        Ok(policy) => bounded(&policy),
        Err(errors) => errors.iter().for_each(|error| assert!(!error.render(&sources).is_empty())),
    }
});

fn bounded(policy: &Policy) {
    for role in policy.rules().filter(|role| role.column == Column::User) {
        for function in Function::ALL {
            let never = function.cell(Column::User) == Cell::Never;
            assert!(!(never && role.holds(Right::Function(function))));
        }
        assert!(!role.holds(Right::Administer) && !role.holds(Right::Raw));
    }
}
