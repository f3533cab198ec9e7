// SPDX-License-Identifier: Apache-2.0
//! Two roles that hold: what bob (User) can do on his VM, what he cannot, and that alice (Administrator)
//! can do each of those. `doors.rs` tries the same by other ways in.

use virtwarden_tests::attempt::{self, Shown};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::repertoire::{ADMINISTERS, OPERATES, REACHES, REFUSED, hand_out_props};
use virtwarden_tests::scene::{self, alice, bob, check};

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_operates_his_vm() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    chapter("bob operates bobvm");
    for (what, script) in OPERATES {
        check(what, &bob(&host, script))?;
        told("bob", what, "done");
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn alice_administers() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    hand_out_props(&host)?;
    check("finance stops", &alice(&host, "virsh destroy finance"))?;
    chapter("alice does what bob may not");
    all(ADMINISTERS.iter().map(|(what, script)| {
        let done = check(what, &alice(&host, script));
        told("alice", what, if done.is_ok() { "done" } else { "WRONG" });
        done
    }))?;
    for (what, script, answer) in REACHES {
        let ran = alice(&host, script);
        if !ran.shown().contains(answer) {
            return Err(format!("{what}: expected libvirt's own `{answer}`, got {}", ran.shown()));
        }
        told("alice", what, "let through");
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_is_refused_everything_else() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    hand_out_props(&host)?;
    check("bob starts bobvm", &bob(&host, "virsh start bobvm"))?;
    chapter("bob is refused, is told so, changes nothing and is recorded");
    all(REFUSED.iter().map(|(script, shown)| refused(&host, script, *shown)))
}

fn refused(host: &Host, script: &str, shown: Shown) -> Result<(), String> {
    let tried = attempt::refused(host, script, shown);
    told("bob", script, if tried.is_ok() { "refused" } else { "WRONG" });
    tried.map(drop)
}

/// Goes through all of them before it complains.
fn all(results: impl IntoIterator<Item = Result<(), String>>) -> Result<(), String> {
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
