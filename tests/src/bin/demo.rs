// SPDX-License-Identifier: Apache-2.0
//! Plays the story of the README on a test host, for somebody who sees it for the first time.

use std::process::ExitCode;

use virtwarden_tests::attempt::{self, Shown};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, shown, told};
use virtwarden_tests::repertoire::{OPERATES, REFUSED, hand_out_props};
use virtwarden_tests::scene::{self, alice, bob, check};

/// Of the many refusals, those that tell the most; the stories try them all.
const SHOWN: &[&str] = &[
    "start finance",
    "define /tmp/bob-new.xml",
    "undefine bobvm",
    "network red --config",
    "usb.xml",
    "pci.xml",
    "share.xml",
    "--insert /etc/passwd",
    "link.iso",
    "net-start red",
    "vol-download",
    "monitor-command bobvm",
    "--redefine",
    "finance.save",
    "set-user-password",
    "save bobvm /tmp",
];

fn main() -> ExitCode {
    match play() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("demo: {why}");
            ExitCode::FAILURE
        }
    }
}

fn play() -> Result<(), String> {
    let host = Host::of_this_run()?;
    chapter("The scene: alice administers, bob is a User");
    scene::set(&host)?;
    hand_out_props(&host)?;
    see(&host, "alice", "virsh list --all");
    see(&host, "alice", "virtwarden vm list");
    see(&host, "bob", "virsh list --all");
    operate(&host)?;
    see(&host, "bob", "virsh start finance");
    see(&host, "bob", "virsh attach-interface bobvm network red --config");
    be_refused(&host)?;
    chapter("What everybody tried, and who it was");
    see(&host, "alice", "virtwarden audit list --person bob --limit 14");
    see(&host, "alice", "virtwarden audit verify");
    Ok(())
}

/// Shows a command and what its person sees.
fn see(host: &Host, person: &str, script: &str) {
    println!("\n   {person}$ {script}");
    let ran = if person == "bob" { bob(host, script) } else { alice(host, script) };
    shown(&ran.shown());
}

fn operate(host: &Host) -> Result<(), String> {
    chapter("bob operates his VM: rows 21 to 26 of Table 3");
    for (what, script) in OPERATES {
        check(what, &bob(host, script))?;
        told("bob", what, "done");
    }
    check("start", &bob(host, "virsh start bobvm"))
}

fn be_refused(host: &Host) -> Result<(), String> {
    chapter("bob tries what a User may not: refused, nothing changed, recorded");
    for (script, how) in REFUSED.iter().filter(|(script, _)| SHOWN.iter().any(|part| script.contains(part))) {
        attempt::refused(host, script, *how)?;
        told("bob", script, &verdict(*how));
    }
    Ok(())
}

fn verdict(how: Shown) -> String {
    match how {
        Shown::Row(row) => format!("refused: needs row {row}"),
        Shown::Denied => "refused".to_owned(),
        Shown::Missing => "refused: not his to see".to_owned(),
    }
}
