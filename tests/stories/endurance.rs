// SPDX-License-Identifier: Apache-2.0
//! `kill -9` of the monitor at many random moments under load: the trail stays whole, and nothing
//! happened to a VM that has no attempt on record.

use std::process::Child;

use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, shown};
use virtwarden_tests::scene::{self, BEHIND, alice, check};
use virtwarden_tests::trail::{self, Recorded};

/// How often the monitor is killed where `VIRTWARDEN_KILLS` does not say.
const KILLS: u32 = 200;

/// What the shells do until they are told to stop; each call may fail while the monitor is away.
const SHELLS: &[(&str, &str)] = &[
    ("bob", "virsh start bobvm; virsh suspend bobvm; virsh resume bobvm; virsh managedsave bobvm"),
    ("bob", "virsh start bobvm; virsh suspend bobvm; virsh destroy bobvm"),
    ("bob", "virsh start finance; virsh setmem bobvm 32M --config; virsh net-start red"),
    ("alice", "virsh start finance; virsh suspend finance; virsh resume finance; virsh destroy finance"),
    ("alice", "virsh desc bobvm --config $i; virsh domstats; virsh dumpxml finance; i=$((i + 1))"),
];

/// What an event of libvirt's must be preceded by.
const CAUSES: &[(&str, &[&str])] = &[
    ("Started", &["DOMAIN_CREATE", "DOMAIN_CREATE_WITH_FLAGS"]),
    ("Suspended", &["DOMAIN_SUSPEND", "DOMAIN_MANAGED_SAVE"]),
    ("Resumed", &["DOMAIN_RESUME", "DOMAIN_CREATE", "DOMAIN_CREATE_WITH_FLAGS", "DOMAIN_MANAGED_SAVE"]),
    ("Stopped", &["DOMAIN_DESTROY", "DOMAIN_DESTROY_FLAGS", "DOMAIN_MANAGED_SAVE"]),
];

/// Something that libvirt itself said of a VM.
#[derive(Debug)]
struct Happened {
    time: String,
    vm: String,
    what: String,
}

#[test]
#[ignore = "needs a test host: make stories"]
fn killed_at_any_moment_it_leaves_a_whole_trail_and_no_act_without_an_attempt() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let before = trail::end(&host);
    let kills = std::env::var("VIRTWARDEN_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    chapter(&format!("{kills} times kill -9 under load"));
    let mut load = begin_load(&host)?;
    let killed = host.root(&killer(kills));
    shown(&killed.out);
    end_load(&host, &mut load)?;
    check("kills", &killed)?;
    check("the monitor answers", &alice(&host, "virsh list --all --name | grep -qx finance"))?;
    check("verify", &alice(&host, "virtwarden audit verify"))?;
    let happened = happened(&host);
    let records = trail::after(&host, before);
    shown(&format!("{} lifecycle events, {} records", happened.len(), records.len()));
    if happened.len() < 50 {
        return Err(format!("only {} events: this was no load", happened.len()));
    }
    each_has_an_attempt(&happened, &records)
}

/// Listens at libvirt's own socket, and starts the shells.
fn begin_load(host: &Host) -> Result<Vec<Child>, String> {
    host.root("rm -f /tmp/enough /tmp/happened");
    let listen = format!(
        "exec timeout 300 virsh -c '{BEHIND}' event --event lifecycle --loop --timestamp > /tmp/happened"
    );
    let mut load = vec![host.begin("root", &listen).map_err(|e| e.to_string())?];
    std::thread::sleep(std::time::Duration::from_secs(2));
    for (person, calls) in SHELLS {
        let shell = format!(
            "export LIBVIRT_DEFAULT_URI=qemu:///system; virsh() {{ timeout 10 /usr/bin/virsh \"$@\"; }}
            exec >/dev/null 2>&1; end=$(($(date +%s) + 280)); i=0
            while [ ! -e /tmp/enough ] && [ $(date +%s) -lt $end ]; do {calls}; done"
        );
        load.push(host.begin(person, &shell).map_err(|e| e.to_string())?);
    }
    Ok(load)
}

/// Kills whatever process is the monitor, three times of four while it serves, else wherever it is;
/// insists that it was killed that often.
fn killer(kills: u32) -> String {
    format!(
        "timeout 270 bash -c 'unit=virtwarden-policyd; hit=0; while [ $hit -lt {kills} ]; do
            [ $((RANDOM % 4)) = 0 ] || until systemctl is-active -q $unit; do sleep 0.02; done
            sleep 0.$((RANDOM % 4))$((RANDOM % 10))
            pid=$(systemctl show -P MainPID $unit)
            [ \"$pid\" = 0 ] || {{ kill -9 $pid && hit=$((hit + 1)); }}
        done; echo \"killed $hit times\"
        [ $hit = {kills} ]' || exit 1
        sleep 2
        systemctl is-active virtwarden-policyd virtwarden-policyd.socket virtwarden-policyd-ro.socket virtwarden-control.socket"
    )
}

fn end_load(host: &Host, load: &mut [Child]) -> Result<(), String> {
    host.root("touch /tmp/enough; sleep 1; chmod 644 /tmp/enough");
    for shell in load.iter_mut().skip(1) {
        shell.wait().map_err(|e| e.to_string())?;
    }
    host.root("sleep 1; pkill -f 'event --event lifecycle'; rm /tmp/enough");
    load.first_mut().map_or(Ok(()), |listener| listener.wait().map(drop)).map_err(|e| e.to_string())
}

/// `2026-11-21 10:31:57.123+0000: event 'lifecycle' for domain 'bobvm': Started Booted`
fn happened(host: &Host) -> Vec<Happened> {
    let text = host.root("cat /tmp/happened").out;
    let parse = |line: &str| {
        let (time, rest) = line.split_once("+0000: ")?;
        let (_, rest) = rest.split_once("for domain '")?;
        let (vm, what) = rest.split_once("': ")?;
        let what = what.split_whitespace().next()?.to_owned();
        Some(Happened { time: time.replacen(' ', "T", 1), vm: vm.to_owned(), what })
    };
    let known = |happened: &Happened| CAUSES.iter().any(|(what, _)| *what == happened.what);
    text.lines().filter_map(parse).filter(known).collect()
}

/// At no moment has something happened more often than it was attempted.
fn each_has_an_attempt(happened: &[Happened], records: &[Recorded]) -> Result<(), String> {
    for (index, this) in happened.iter().enumerate() {
        let alike = |other: &&Happened| other.vm == this.vm && other.what == this.what;
        let so_often = happened.iter().take(index + 1).filter(alike).count();
        let attempts = records.iter().filter(|record| may_have_caused(record, this, records)).count();
        if attempts < so_often {
            return Err(format!("{this:?} is the {so_often}th of its kind after {attempts} attempts"));
        }
    }
    Ok(())
}

fn may_have_caused(record: &Recorded, happened: &Happened, records: &[Recorded]) -> bool {
    let causes = CAUSES.iter().find(|(what, _)| *what == happened.what).map_or(&[][..], |(_, causes)| causes);
    record.is(Kind::Attempt, Outcome::Pending)
        && causes.contains(&record.event.operation.as_str())
        && record.is_about(&happened.vm)
        && record.time.as_str() <= happened.time.as_str()
        && !failed(&record.event, record.sequence, records)
}

/// Whether it came to nothing, so that it explains nothing.
fn failed(_attempt: &Event, sequence: u64, records: &[Recorded]) -> bool {
    records.iter().any(|other| other.event.of == Some(sequence) && other.event.outcome == Outcome::Failure)
}
