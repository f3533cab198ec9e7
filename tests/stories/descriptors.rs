// SPDX-License-Identifier: Apache-2.0
//! Open files pass through the gate: the screen of his own VM works for bob, that of another does not exist.

use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, alice, bob, check};

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_gets_the_screen_of_his_vm_alone() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("put", &host.put(env!("CARGO_BIN_EXE_screen"), "/usr/local/bin/screen"))?;
    check("mode", &host.root("chmod 755 /usr/local/bin/screen"))?;
    check("start", &alice(&host, "virsh start bobvm && virsh start finance"))?;
    check("his", &bob(&host, "timeout 30 screen bobvm | grep -q '^RFB 003'"))?;
    check("hers", &alice(&host, "timeout 30 screen finance | grep -q '^RFB 003'"))?;
    let uuid = |vm: &str| alice(&host, &format!("virsh domuuid {vm}")).out.trim().to_owned();
    check(
        "by handle",
        &bob(&host, &format!("timeout 30 screen bobvm {} | grep -q '^RFB 003'", uuid("bobvm"))),
    )?;
    for words in ["finance".to_owned(), format!("bobvm {}", uuid("finance"))] {
        let other = bob(&host, &format!("timeout 30 screen {words}"));
        if other.succeeded() || other.out.contains("RFB") {
            return Err(format!("bob sees the screen of {words}: {}", other.shown()));
        }
    }
    Ok(())
}
