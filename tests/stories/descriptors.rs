// SPDX-License-Identifier: Apache-2.0
//! Open files pass through the gate: the screen of his own VM works for bob, that of another does not exist.

use virtwarden_core::record::Outcome;
use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, alice, bob, check};
use virtwarden_tests::trail;

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_gets_the_screen_of_his_vm_alone() -> Result<(), String> {
    his_screen_alone("get")
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_has_the_screen_of_his_vm_alone_put_on_a_socket_of_his() -> Result<(), String> {
    his_screen_alone("hand")
}

fn his_screen_alone(way: &str) -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("put", &host.put(env!("CARGO_BIN_EXE_screen"), "/usr/local/bin/screen"))?;
    check("mode", &host.root("chmod 755 /usr/local/bin/screen"))?;
    check("start", &alice(&host, "virsh start bobvm && virsh start finance"))?;
    let shows = |words: &str| format!("timeout 60 screen {way} {words} | grep -q '^RFB 003'");
    check("his", &bob(&host, &shows("bobvm")))?;
    check("hers", &alice(&host, &shows("finance")))?;
    let uuid = |vm: &str| alice(&host, &format!("virsh domuuid {vm}")).out.trim().to_owned();
    check("by handle", &bob(&host, &shows(&format!("bobvm {}", uuid("bobvm")))))?;
    for words in ["finance".to_owned(), format!("bobvm {}", uuid("finance"))] {
        let since = trail::end(&host);
        let other = bob(&host, &format!("timeout 60 screen {way} {words}"));
        if other.succeeded() || other.out.contains("RFB") {
            return Err(format!("bob sees the screen of {words}: {}", other.shown()));
        }
        refusal_is_recorded(&host, since)?;
    }
    Ok(())
}

/// bob asked for what he does not see; the record says so.
fn refusal_is_recorded(host: &Host, since: u64) -> Result<(), String> {
    trail::until(host, since, |told| {
        let denied = told.iter().any(|line| line.is_of("bob") && line.event.outcome == Outcome::Denied);
        if denied { Ok(()) } else { Err(format!("no record that bob was refused: {told:?}")) }
    })
}
