// SPDX-License-Identifier: Apache-2.0
//! Messages between the PAM module and policyd, and the snapshot of locks: what decodes encodes to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use virtwarden_login::{Answer, Message, Question, locked};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(question) = Question::decode(bytes) {
        assert_eq!(question.encode().unwrap(), bytes);
    }
    if let Ok(answer) = Answer::decode(bytes) {
        assert_eq!(answer.encode().unwrap(), bytes);
    }
    if let Ok(locks) = locked::parse(bytes) {
        assert_eq!(locked::render(&locks).unwrap().as_bytes(), bytes);
    }
});
