// SPDX-License-Identifier: Apache-2.0
//! What no client sends is refused or ends the connection, is on record, and disturbs nobody else.

use std::time::Instant;

use virtwarden_core::record::Outcome;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, shown, told};
use virtwarden_tests::raw::misfits::MISFITS;
use virtwarden_tests::scene::{self, check};
use virtwarden_tests::trail::{self, Recorded};

/// How much the monitor may grow, in KiB.
const GROWTH: u64 = 64 * 1024;

/// alice's own connection, asking all the time: one line each time it is answered.
const AT_WORK: &str = "while [ -e /tmp/at-work ]; do echo domstate finance; sleep 0.1; done \
    | timeout 200 virsh -c qemu:///system > /tmp/answers 2>&1";

#[test]
#[ignore = "needs a test host: make stories"]
fn what_no_client_sends_disturbs_nobody() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("put", &host.put(env!("CARGO_BIN_EXE_misfit"), "/usr/local/bin/misfit"))?;
    host.root("touch /tmp/at-work; chmod 755 /usr/local/bin/misfit");
    let mut at_work = host.begin("alice", AT_WORK).map_err(|e| e.to_string())?;
    let (monitor, memory) = monitor(&host);
    let played = ["bob", "alice"].map(|person| play(&host, person));
    let (same, grown) = self::monitor(&host);
    host.root("rm -f /tmp/at-work");
    at_work.wait().map_err(|e| e.to_string())?;
    told("policyd", &format!("from {memory} to {grown} KiB"), "bounded");
    if same != monitor {
        return Err("the monitor died".to_owned());
    }
    if grown > memory + GROWTH {
        return Err(format!("the monitor grew from {memory} to {grown} KiB"));
    }
    let troubles = host.root("grep '^error' /tmp/answers").out;
    if !troubles.is_empty() {
        return Err(format!("alice saw: {troubles}"));
    }
    played.into_iter().collect()
}

/// Sends all that this person sends; insists on each fate, on as many records as were refused, and on
/// alice being answered all the while.
fn play(host: &Host, person: &str) -> Result<(), String> {
    chapter(&format!("what no client sends, from {person}"));
    let (before, answered, start) = (trail::end(host), answers(host), Instant::now());
    let ran = host.login(person, &format!("timeout 120 misfit {person}"));
    shown(&ran.shown());
    check("misfit", &ran)?;
    let enough = start.elapsed().as_secs();
    let answered = answers(host) - answered;
    if answered < enough {
        return Err(format!("alice was answered {answered} times in {enough} s"));
    }
    let expected =
        MISFITS.iter().filter(|misfit| misfit.person == person && misfit.fate.is_recorded()).count();
    trail::until(host, before, |records| {
        let refused = records.iter().filter(|record| record.is_of(person) && refused(record)).count();
        if refused == expected {
            Ok(())
        } else {
            Err(format!("{expected} misfits, but {refused} records: {records:#?}"))
        }
    })
}

fn refused(record: &Recorded) -> bool {
    matches!(record.event.outcome, Outcome::Denied | Outcome::Failure)
}

fn answers(host: &Host) -> u64 {
    host.root("wc -l < /tmp/answers").out.trim().parse().unwrap_or(0)
}

/// The monitor's process and its resident memory in KiB.
fn monitor(host: &Host) -> (String, u64) {
    let script = "p=$(systemctl show -P MainPID virtwarden-policyd); echo $p; awk '/VmRSS/ { print $2 }' /proc/$p/status";
    let out = host.root(script).out;
    let mut lines = out.lines();
    let process = lines.next().unwrap_or_default().to_owned();
    (process, lines.next().and_then(|kib| kib.parse().ok()).unwrap_or(0))
}
