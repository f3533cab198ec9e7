// SPDX-License-Identifier: Apache-2.0
//! virt-manager, unchanged, in the hands of bob and of alice: what they see, what works, what is refused.

use std::collections::BTreeSet;

use virtwarden_core::record::Outcome;
use virtwarden_tests::attempt::state;
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, LIBRARY};
use virtwarden_tests::seat::Seat;
use virtwarden_tests::trail::{self, Recorded};

/// From the welcome page of "New VM" to its "Finish".
const THROUGH_THE_WIZARD: &str = "./seat hand press 'Manual install'; ./seat hand press Forward
    ./seat hand wait 'Choose the operating system'; ./seat keys generic; ./seat hand pick 'Generic.*'
    ./seat hand press Forward; ./seat hand wait 'Memory and CPU'; ./seat hand press Forward
    ./seat hand press 'Enable storage.*'; ./seat hand press Forward
    ./seat hand wait 'Ready to begin'; ./seat hand press Finish";

/// What virt-manager tries on behalf of a User and may not. It makes a pool of its own whenever it
/// connects; all else is what bob asks for below. Anything else here would be a needless refusal.
const REFUSED: [&str; 4] =
    ["DOMAIN_ATTACH_DEVICE", "DOMAIN_CREATE_XML", "DOMAIN_DEFINE_XML", "STORAGE_POOL_DEFINE_XML"];

type Told = Result<(), String>;

#[test]
#[ignore = "needs a test host with a desktop: tests/run-desktop"]
fn bob_operates_his_vm_and_no_more() -> Told {
    let Some(host) = desktop() else { return Ok(()) };
    scene::set(&host)?;
    let since = trail::end(&host);
    chapter("bob at virt-manager");
    let seat = Seat::take(&host, "bob")?;
    sees_his_vm_alone(&seat)?;
    operates(&host, &seat)?;
    is_refused_hardware(&host, &seat, since)?;
    ends_it(&host, &seat, since)?;
    is_refused_a_new_vm(&host, &seat, since)?;
    goes_on(&host, &seat)?;
    checkpoints_and_saves(&host, &seat)?;
    nothing_else_was_refused(&host, since)?;
    log_is_clean(&seat)
}

#[test]
#[ignore = "needs a test host with a desktop: tests/run-desktop"]
fn alice_sees_both_vms_and_adds_hardware() -> Told {
    let Some(host) = desktop() else { return Ok(()) };
    scene::set(&host)?;
    let since = trail::end(&host);
    chapter("alice at virt-manager");
    let seat = Seat::take(&host, "alice")?;
    seat.reads("bobvm")?;
    seat.reads("finance")?;
    seat.picture("alice-list")?;
    told("alice", "looks at the list", "sees both VMs");
    seat.does("./seat hand open 'bobvm.*'")?;
    seat.presses(&["Details", "add-hardware"])?;
    seat.does("./seat hand pick RNG")?;
    seat.presses(&["Finish"])?;
    until(&host, &format!("virsh -c '{BEHIND}' dumpxml bobvm | grep -q '<rng'"))?;
    recorded(&host, since, "alice", "DOMAIN_DEFINE_XML", Outcome::Success)?;
    told("alice", "adds hardware to bobvm", "done");
    no_dialog(&seat)?;
    log_is_clean(&seat)
}

#[test]
#[ignore = "needs a test host with a desktop: tests/run-desktop"]
fn bob_puts_a_disc_of_the_library_into_his_drive() -> Told {
    let Some(host) = desktop() else { return Ok(()) };
    scene::set(&host)?;
    let since = trail::end(&host);
    chapter("bob and the media library");
    let seat = Seat::take(&host, "bob")?;
    seat.does("./seat hand open 'bobvm.*'")?;
    seat.presses(&["Details"])?;
    seat.does("./seat hand pick '.*CDROM.*'")?;
    for (state, disc) in [("shut off", "tools.iso"), ("running", "notes.iso")] {
        if state == "running" {
            seat.presses(&["Run"])?;
        }
        is(&host, state)?;
        seat.presses(&["Browse"])?;
        seat.reads("virtwarden-media")?;
        seat.reads(disc)?;
        if state == "running" {
            seat.picture("bob-library")?;
        }
        seat.does(&format!("./seat hand pick {disc}"))?;
        seat.presses(&["Choose Volume", "config-apply"])?;
        let path = format!("{LIBRARY}/{disc}");
        until(&host, &format!("virsh -c '{BEHIND}' dumpxml bobvm | grep -q \"source file='{path}'\""))?;
        inserted(&host, since, &path)?;
        no_dialog(&seat)?;
        told("bob", &format!("puts {disc} into the drive, {state}"), "it is there");
    }
    let denied: Vec<_> = of(&host, since, "bob")
        .into_iter()
        .filter(|record| record.event.outcome == Outcome::Denied)
        .map(|record| record.event.operation)
        .filter(|operation| operation != "STORAGE_POOL_DEFINE_XML")
        .collect();
    if denied.is_empty() { log_is_clean(&seat) } else { Err(format!("refused to bob: {denied:?}")) }
}

/// On record as bob's, with the VM and the medium.
fn inserted(host: &Host, since: u64, path: &str) -> Told {
    trail::until(host, since, |records| {
        let fits = records.iter().any(|record| {
            record.event.operation == "media insert"
                && record.event.outcome == Outcome::Success
                && record.is_of("bob")
                && record.is_about("bobvm")
                && record.is_about(&format!("image:{path}"))
        });
        if fits { Ok(()) } else { Err(format!("no `media insert` of {path}")) }
    })
}

/// The host of this run; says so if there is none.
fn desktop() -> Option<Host> {
    let host = Host::with_desktop();
    if host.is_none() {
        println!("SKIPPED: virt-manager: VIRTWARDEN_HOST_DESKTOP names no host; run tests/run-desktop");
    }
    host
}

fn sees_his_vm_alone(seat: &Seat<'_>) -> Told {
    seat.reads("Shutoff")?;
    let screen = seat.screen()?;
    if !screen.contains("bobvm") || screen.contains("finance") {
        return Err(format!("bob sees:\n{screen}"));
    }
    no_dialog(seat)?;
    seat.picture("bob-list")?;
    told("bob", "looks at the list", "sees bobvm alone");
    Ok(())
}

fn operates(host: &Host, seat: &Seat<'_>) -> Told {
    seat.does("./seat hand pick 'bobvm.*'")?;
    for (button, becomes) in [("Run", "running"), ("Pause", "paused"), ("Pause", "running")] {
        seat.presses(&[button])?;
        is(host, becomes)?;
        told("bob", &format!("presses {button}"), becomes);
    }
    seat.does("./seat hand open 'bobvm.*'")?;
    seat.reads("console-gfx-viewport")?;
    seat.does("for i in $(seq 100); do grep -q 'Viewer connected' ~/.seat/virt-manager.log && exit 0; sleep 0.1; done; exit 1")?;
    no_dialog(seat)?;
    seat.picture("bob-console")?;
    told("bob", "opens the console", "shows the VM's screen");
    Ok(())
}

fn is_refused_hardware(host: &Host, seat: &Seat<'_>, since: u64) -> Told {
    let before = state(host);
    seat.presses(&["Details", "add-hardware"])?;
    seat.does("./seat hand pick Network; ./seat hand write 'Device name:' vw-red")?;
    seat.presses(&["Finish"])?;
    seat.reads("could not be attached to the running machine")?;
    seat.presses(&["Yes"])?;
    seat.reads("Unable to add device: access denied: bob (user) may not")?;
    seat.reads("Table 3, 5")?;
    seat.picture("bob-refused-hardware")?;
    seat.presses(&["Close", "Cancel"])?;
    unchanged(host, &before)?;
    recorded(host, since, "bob", "DOMAIN_ATTACH_DEVICE", Outcome::Denied)?;
    recorded(host, since, "bob", "DOMAIN_DEFINE_XML", Outcome::Denied)?;
    told("bob", "adds a network card", "refused, told why");
    Ok(())
}

/// The guest has no operating system that would hear the power button, so it is forced off after it.
fn ends_it(host: &Host, seat: &Seat<'_>, since: u64) -> Told {
    seat.presses(&["Console"])?;
    seat.does("./seat hand press 'Shut Down' 'menu item'")?;
    recorded(host, since, "bob", "DOMAIN_SHUTDOWN", Outcome::Success)?;
    told("bob", "presses Shut Down", "the VM is asked to");
    seat.does("./seat hand press 'Force Off' 'menu item'; ./seat hand press Yes; ./seat hand wait 'Guest is not running'")?;
    is(host, "shut off")?;
    told("bob", "presses Force Off", "shut off");
    seat.does("./seat hand press Close 'menu item'").map(drop)
}

fn is_refused_a_new_vm(host: &Host, seat: &Seat<'_>, since: u64) -> Told {
    let before = state(host);
    seat.presses(&["New"])?;
    seat.does(THROUGH_THE_WIZARD)?;
    seat.reads("access denied: bob (user) may not")?;
    seat.reads("Table 3, 3")?;
    seat.picture("bob-refused-new-vm")?;
    seat.presses(&["Close", "Cancel"])?;
    unchanged(host, &before)?;
    recorded(host, since, "bob", "DOMAIN_CREATE_XML", Outcome::Denied)?;
    told("bob", "makes a new VM", "refused, told why");
    Ok(())
}

/// After all refusals, the same virt-manager still works.
fn goes_on(host: &Host, seat: &Seat<'_>) -> Told {
    seat.does("./seat hand pick 'bobvm.*'")?;
    seat.presses(&["Run"])?;
    is(host, "running")?;
    no_dialog(seat)?;
    told("bob", "goes on working", "running");
    Ok(())
}

/// Newer releases of virt-manager offer an external snapshot first, which makes files and is not a User's.
fn checkpoints_and_saves(host: &Host, seat: &Seat<'_>) -> Told {
    seat.does("./seat hand open 'bobvm.*'")?;
    seat.presses(&["Snapshots", "snapshot-add"])?;
    seat.reads("Create snapshot")?;
    if seat.screen()?.contains("\tinternal") {
        seat.presses(&["internal"])?;
    }
    seat.presses(&["Finish"])?;
    until(host, &format!("virsh -c '{BEHIND}' snapshot-list bobvm --name | grep -qx snapshot1"))?;
    told("bob", "makes a snapshot", "done");
    seat.presses(&["Console"])?;
    seat.does("./seat hand press Save 'menu item'; ./seat hand wait 'Guest is not running'")?;
    is(host, "shut off")?;
    no_dialog(seat)?;
    told("bob", "saves the VM", "saved");
    Ok(())
}

fn nothing_else_was_refused(host: &Host, since: u64) -> Told {
    let denied = |recorded: &Recorded| recorded.event.outcome == Outcome::Denied;
    let refused: BTreeSet<String> =
        of(host, since, "bob").into_iter().filter(denied).map(|recorded| recorded.event.operation).collect();
    let expected: BTreeSet<String> = REFUSED.iter().map(|&name| name.to_owned()).collect();
    if refused == expected { Ok(()) } else { Err(format!("refused to bob: {refused:?}")) }
}

/// Every traceback in the log ends in a refusal that was meant.
fn log_is_clean(seat: &Seat<'_>) -> Told {
    let log = seat.log()?;
    for traceback in log.split("Traceback (most recent call last)").skip(1) {
        let error = traceback.lines().skip(1).find(|line| !line.starts_with(' ')).unwrap_or_default();
        if !error.contains("access denied: bob (user) may not") {
            return Err(format!("virt-manager stumbled: {error}{traceback}"));
        }
    }
    Ok(())
}

fn no_dialog(seat: &Seat<'_>) -> Told {
    let screen = seat.screen()?;
    if screen.contains("vmm dialog") { Err(format!("there is a dialog:\n{screen}")) } else { Ok(()) }
}

fn unchanged(host: &Host, before: &str) -> Told {
    let after = state(host);
    if after == before {
        Ok(())
    } else {
        Err(format!("the state changed:\n{before}\n--- became ---\n{after}"))
    }
}

fn is(host: &Host, expected: &str) -> Told {
    until(host, &format!("test \"$(virsh -c '{BEHIND}' domstate bobvm)\" = '{expected}'"))
}

fn until(host: &Host, condition: &str) -> Told {
    let script = format!("for i in $(seq 75); do {{ {condition}; }} && exit 0; sleep 0.2; done; exit 1");
    scene::check(condition, &host.root(&script))
}

fn of(host: &Host, since: u64, person: &str) -> Vec<Recorded> {
    trail::after(host, since).into_iter().filter(|recorded| recorded.is_of(person)).collect()
}

/// The record comes at once, or soon where the person sees no answer to wait for.
fn recorded(host: &Host, since: u64, person: &str, operation: &str, outcome: Outcome) -> Told {
    for _ in 0..20 {
        let news = of(host, since, person);
        if news.iter().any(|r| r.event.operation == operation && r.event.outcome == outcome) {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(250));
    }
    Err(format!("{operation} of {person} was not recorded as {outcome:?}"))
}
