// SPDX-License-Identifier: Apache-2.0
//! What must be as it is without the gate: events, console, streams, jobs, many shells, broken clients.

use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, bob, check};

/// Scripts that end with 0 when everything is as without the gate.
const AS_ALICE: &[(&str, &str)] = &[
    ("sees both VMs", "test \"$(virsh list --all --name | grep -c .)\" = 2"),
    (
        "uploads and downloads a volume",
        "head -c 1M /dev/urandom > /tmp/up && virsh vol-upload --pool store secret.img /tmp/up && virsh vol-download --pool store secret.img /tmp/down && cmp /tmp/up /tmp/down; r=$?; rm -f /tmp/up /tmp/down; exit $r",
    ),
    (
        "follows events",
        "virsh event --all --loop --timeout 6 > /tmp/events & sleep 1; virsh start bobvm; virsh destroy bobvm; wait; grep -q Started /tmp/events && grep -q Stopped /tmp/events; r=$?; rm /tmp/events; exit $r",
    ),
    (
        "opens a console",
        "virsh start bobvm; { sleep 2; printf '\\035'; } | script -qec 'virsh console bobvm' /dev/null | grep -q 'Connected to domain'; r=$?; virsh destroy bobvm; exit $r",
    ),
    (
        "asks for the job during a save",
        "virsh start bobvm; virsh managedsave bobvm & virsh domjobinfo bobvm; wait; virsh domstate bobvm | grep -q 'shut off'",
    ),
    (
        "uses the graphics descriptor",
        "virsh start finance; virsh domdisplay finance | grep -q vnc; r=$?; virsh destroy finance; exit $r",
    ),
];

#[test]
#[ignore = "needs a test host: make stories"]
fn alice_works_as_without_the_gate() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    chapter("alice works as without the gate");
    for (what, script) in AS_ALICE {
        check(what, &alice(&host, script))?;
        told("alice", what, "as ever");
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_hundred_shells_at_once_are_served() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let script = "for i in $(seq 100); do (virsh list --all --name | grep -qx bobvm && echo served) & done | grep -c served";
    let ran = bob(&host, script);
    check("shells", &ran)?;
    let served = ran.out.trim();
    if served == "100" { Ok(()) } else { Err(format!("{served} of 100 served: {}", ran.err)) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_hears_events_of_his_vm_alone() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let mut listener = host
        .begin("bob", "virsh -c qemu:///system event --all --loop --timeout 6")
        .map_err(|e| e.to_string())?;
    std::thread::sleep(std::time::Duration::from_secs(2));
    check("starts", &alice(&host, "virsh start finance && virsh start bobvm && virsh destroy finance"))?;
    drop(listener.stdin.take());
    let heard = listener.wait_with_output().map_err(|e| e.to_string())?;
    let heard = String::from_utf8_lossy(&heard.stdout).into_owned();
    if heard.contains("bobvm") && !heard.contains("finance") {
        Ok(())
    } else {
        Err(format!("bob heard: {heard}"))
    }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_client_killed_in_mid_call_leaves_nothing_behind() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &alice(&host, "virsh start bobvm"))?;
    let killed = "for i in $(seq 20); do virsh managedsave bobvm >/dev/null 2>&1 & p=$!; sleep 0.0$((i % 7)); kill -9 $p; wait $p; virsh start bobvm >/dev/null 2>&1; done; true";
    check("killed", &bob(&host, killed))?;
    check("lists", &bob(&host, "virsh list --all --name | grep -qx bobvm"))?;
    check("verify", &alice(&host, "virtwarden audit verify"))
}
