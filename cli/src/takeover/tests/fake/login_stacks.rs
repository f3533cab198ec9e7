// SPDX-License-Identifier: Apache-2.0
//! A pam-auth-update that knows our three profiles, and leaves alone what was edited by hand.

use std::fs;
use std::path::Path;

/// What it knows a stack by, and the type of the lines in it.
pub(super) const KINDS: [(&str, &str); 5] = [
    ("auth", "auth"),
    ("account", "account"),
    ("password", "password"),
    ("session", "session"),
    ("session-noninteractive", "session"),
];

pub(super) fn stack(kind: &str) -> String {
    format!("/etc/pam.d/common-{kind}")
}

pub(super) fn text(realm: &str) -> String {
    format!(
        "# primary\n{realm}\t[success=2 default=ignore]\tpam_unix.so\n{realm}\toptional\tpam_debug.so\n{realm}\trequisite\tpam_deny.so\n"
    )
}

pub(super) fn update(root: &Path, verb: &str, profiles: &[&str]) {
    let seen = root.join("var/lib/pam/seen");
    let known = fs::read_to_string(&seen).unwrap();
    let new = profiles.iter().filter(|profile| !known.lines().any(|line| line == **profile));
    let told: String = new.map(|profile| format!("{profile}\n")).collect();
    for (kind, realm) in KINDS {
        let place = root.join(stack(kind).trim_start_matches('/'));
        let now = fs::read_to_string(&place).unwrap();
        if now.contains("by hand") {
            return;
        }
        let plain: String =
            now.lines().filter(|line| !line.contains("virtwarden")).map(|line| format!("{line}\n")).collect();
        let enabled = verb == "--enable";
        fs::write(&place, if enabled { format!("{plain}{}", ours(realm)) } else { plain }).unwrap();
        let modules = if enabled { "Module: unix\nModule: virtwarden\n" } else { "Module: unix\n" };
        fs::write(root.join("var/lib/pam").join(kind), modules).unwrap();
    }
    fs::write(seen, format!("{known}{told}")).unwrap();
}

fn ours(realm: &str) -> String {
    match realm {
        "auth" => "auth\trequisite\tpam_virtwarden.so begin\nauth [default=die] pam_virtwarden.so failed\n\
                   auth\trequired\tpam_virtwarden.so passed \n"
            .to_owned(),
        "password" => {
            "password\trequired\tpam_virtwarden.so wanted \npassword\toptional\tpam_virtwarden.so done \n"
                .to_owned()
        }
        "session" => "session\toptional\tpam_virtwarden.so \n".to_owned(),
        realm => format!("{realm}\trequired\tpam_virtwarden.so \n"),
    }
}
