// SPDX-License-Identifier: Apache-2.0
//! What is accepted as a VM's definition reads the same after we have written it, and differs from
//! itself in nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use virtwarden_core::xml::change::{Form, changes};
use virtwarden_core::xml::definition::Definition;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(definition) = Definition::parse(bytes) {
        let again = Definition::parse(definition.write()).expect("what we write, we accept");
        assert_eq!(again.root(), definition.root());
        assert!(changes(Some(&definition), &again, Form::Stored).is_empty());
    }
});
