// SPDX-License-Identifier: Apache-2.0
//! Prints a story as it happens, so that a reader can follow it without knowing the code.

/// Says what comes next.
pub fn chapter(title: &str) {
    println!("\n== {title}");
}

/// Shows one command and how it went.
pub fn told(person: &str, what: &str, verdict: &str) {
    println!("   {person:<6} {what:<58} {verdict}");
}

/// Shows what somebody saw, indented.
pub fn shown(text: &str) {
    for line in text.trim_end().lines() {
        println!("      | {line}");
    }
}
