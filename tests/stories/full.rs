// SPDX-License-Identifier: Apache-2.0
//! The store of the trail is full: what cannot be recorded does not happen, or the oldest records go, as
//! the policy says; both are told by the trail, and VMs run on.

use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, shown};
use virtwarden_tests::scene::{self, alice, bob, check};
use virtwarden_tests::{small_store, trail};

/// Enough for the segments that are prepared.
const ATTEMPTS: u32 = 4000;
/// In KiB: less than a segment.
const ROOM: u32 = 512;

#[test]
#[ignore = "needs a test host: make stories"]
fn what_cannot_be_recorded_does_not_happen() -> Result<(), String> {
    played_on_a_small_store("refuse", |host, before| {
        let refused = alice(host, "timeout 30 virsh start finance");
        shown(refused.err.trim());
        if refused.succeeded() || !refused.err.contains("audit trail") {
            return Err(format!("alice started finance, or was not told why not: {}", refused.shown()));
        }
        check("bobvm runs", &bob(host, "virsh domstate bobvm | grep -q running"))?;
        check("room", &host.root("rm /var/log/virtwarden/filler"))?;
        let again = "for i in $(seq 60); do virsh start finance && exit 0; sleep 1; done; exit 1";
        check("resumed", &alice(host, again))?;
        says(host, before, "trail full")?;
        says(host, before, "trail resume")
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn or_the_oldest_records_go() -> Result<(), String> {
    played_on_a_small_store("overwrite-oldest", |host, _| {
        let start = "for i in $(seq 60); do virsh start finance && exit 0; sleep 1; done; exit 1";
        check("alice goes on", &alice(host, start))?;
        let removed = host.root("grep -lF 'the oldest segment makes room' /var/log/virtwarden/audit/*.jsonl");
        check("the trail says what went", &removed)
    })
}

fn played_on_a_small_store(
    when_full: &str,
    story: impl Fn(&Host, u64) -> Result<(), String>,
) -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &bob(&host, "virsh start bobvm"))?;
    let before = trail::end(&host);
    chapter(&format!("a full store: {when_full}"));
    small_store::played_on(&host, when_full, ROOM, || {
        small_store::fill(&host, ATTEMPTS);
        story(&host, before)
    })
}

fn says(host: &Host, before: u64, operation: &str) -> Result<(), String> {
    trail::until(host, before, |records| {
        if records.iter().any(|record| record.event.operation == operation) {
            Ok(())
        } else {
            Err(format!("the trail does not say `{operation}`"))
        }
    })
}
