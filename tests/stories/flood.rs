// SPDX-License-Identifier: Apache-2.0
//! bob is refused very often while alice works: none of her attempts is missing, all of his are counted,
//! and the trail stays small.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, check};
use virtwarden_tests::trail::{self, Recorded};

/// How often bob is refused.
const REFUSALS: u64 = 100_000;
/// How many bytes his refusals may take.
const ROOM: u64 = 512 * 1024;

#[test]
#[ignore = "needs a test host: make stories"]
fn a_flood_of_refusals_is_counted_and_hides_nothing() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("put", &host.put(env!("CARGO_BIN_EXE_flood"), "/usr/local/bin/flood"))?;
    check("mode", &host.root("chmod 755 /usr/local/bin/flood"))?;
    let before = trail::end(&host);
    chapter(&format!("bob is refused {REFUSALS} times"));
    let flood = host.begin("bob", &format!("timeout 280 flood {REFUSALS}")).map_err(|e| e.to_string())?;
    let work = "n=0; for i in $(seq 40); do virsh desc bobvm --config \"note $i\" >/dev/null && n=$((n + 1)); done; echo $n";
    let done = alice(&host, work);
    let flooded = flood.wait_with_output().map_err(|e| e.to_string())?;
    let flooded = String::from_utf8_lossy(&flooded.stdout).into_owned();
    told("bob", flooded.trim(), "counted");
    if !flooded.starts_with(&REFUSALS.to_string()) {
        return Err(format!("the flood: {flooded}"));
    }
    // What is counted but not yet written is written when the trail is closed.
    check("restart", &host.root("systemctl restart virtwarden-policyd"))?;
    check("verify", &alice(&host, "virtwarden audit verify"))?;
    let records = trail::after(&host, before);
    none_is_missing(&records, done.out.trim())?;
    all_are_counted(&records)?;
    is_small(&host, before)
}

fn none_is_missing(records: &[Recorded], done: &str) -> Result<(), String> {
    let hers = |record: &&Recorded| {
        record.is_of("alice")
            && record.is(Kind::Attempt, Outcome::Pending)
            && record.event.operation == "DOMAIN_SET_METADATA"
    };
    let attempts = records.iter().filter(hers).count();
    told("alice", &format!("{done} changes, {attempts} attempts on record"), "none missing");
    if done == "40" && attempts == 40 { Ok(()) } else { Err(format!("{done} changes, {attempts} attempts")) }
}

fn all_are_counted(records: &[Recorded]) -> Result<(), String> {
    let refused =
        records.iter().filter(|record| record.is_of("bob") && record.event.outcome == Outcome::Denied);
    let (mut alone, mut together) = (0, 0);
    for record in refused {
        match record.event.count {
            Some(count) => together += count,
            None => alone += 1,
        }
    }
    told("policyd", &format!("{alone} recorded alone, {together} counted"), "adds up");
    if alone + together == REFUSALS {
        Ok(())
    } else {
        Err(format!("{alone} and {together} are not {REFUSALS}"))
    }
}

fn is_small(host: &Host, before: u64) -> Result<(), String> {
    let export = format!("virtwarden audit export --from {} | grep '\"name\":\"bob\"' | wc -c", before + 1);
    let written = host.login("root", &export);
    let written: u64 = written.out.trim().parse().map_err(|_| written.shown())?;
    told("policyd", &format!("{written} bytes of trail about bob"), "bounded");
    if written < ROOM { Ok(()) } else { Err(format!("{written} bytes of trail")) }
}
