// SPDX-License-Identifier: Apache-2.0
//! The monitor or libvirtd is away: VMs run on, people log in, management is refused in clear words, and
//! no other door opens.

use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};
use virtwarden_tests::shell::Shell;

/// A login would start the monitor as well.
const UNITS: &str = "virtwarden-policyd.service virtwarden-policyd.socket virtwarden-policyd-ro.socket \
    virtwarden-control.socket virtwarden-login.socket";

/// Says which process runs bobvm, if it does.
const PROCESS: &str = "p=$(cat /run/libvirt/qemu/bobvm.pid) && kill -0 $p && echo $p";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_monitor_that_was_stopped_comes_back_with_the_next_client() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &bob(&host, "virsh start bobvm"))?;
    check("stop", &host.root("systemctl stop virtwarden-policyd.service"))?;
    check("next client", &bob(&host, "timeout 30 virsh domstate bobvm | grep -q running"))?;
    check("active", &host.root("systemctl is-active virtwarden-policyd.service"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn without_the_monitor_and_its_sockets_nothing_opens() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &bob(&host, "virsh start bobvm"))?;
    check("stop", &host.root(&format!("systemctl stop {UNITS}")))?;
    let looked = look_without_monitor(&host);
    check("start", &host.root("systemctl start virtwarden-policyd.service"))?;
    looked?;
    check("back", &bob(&host, "virsh domstate bobvm | grep -q running"))
}

fn look_without_monitor(host: &Host) -> Result<(), String> {
    check("bob logs in", &host.login("bob", "id -un | grep -qx bob"))?;
    check("bobvm runs", &host.root(&format!("virsh -c '{BEHIND}' domstate bobvm | grep -q running")))?;
    for (person, uri, shown) in [
        ("bob", "qemu:///system", "libvirt-sock': No such file or directory"),
        ("alice", "qemu:///system", "libvirt-sock': No such file or directory"),
        ("bob", BEHIND, "Permission denied"),
        ("bob", "qemu:///session", "error"),
    ] {
        let ran = host.login(person, &format!("timeout 20 virsh -c '{uri}' list --all"));
        refused(&ran, shown).map_err(|why| format!("{person} on {uri}: {why}"))?;
    }
    let ran = host.login("alice", "timeout 20 virtwarden status");
    refused(&ran, "").map_err(|why| format!("virtwarden status: {why}"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_monitor_that_hangs_lets_nothing_through() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &bob(&host, "virsh start bobvm"))?;
    check("hang", &host.root("systemctl kill -s STOP virtwarden-policyd.service"))?;
    let bob_waits = bob(&host, "timeout 3 virsh start bobvm; echo $?");
    let logs_in = host.login("bob", "id -un");
    let root_behind = host.root(&format!("timeout 40 virsh -c '{BEHIND}' start finance"));
    let runs = host.root(&format!("virsh -c '{BEHIND}' domstate bobvm | grep -q running"));
    check("go on", &host.root("systemctl kill -s CONT virtwarden-policyd.service"))?;
    if bob_waits.out.trim() != "124" {
        return Err(format!("bob got an answer: {}", bob_waits.shown()));
    }
    check("bob logs in", &logs_in)?;
    check("bobvm runs", &runs)?;
    refused(&root_behind, "").map_err(|why| format!("root behind the gate: {why}"))?;
    check("back", &alice(&host, "timeout 30 virsh start finance"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn when_libvirtd_restarts_clients_are_told_and_vms_stay() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let mut shell = Shell::open(&host, "bob")?;
    shell.must_show("start bobvm", &["started"])?;
    let qemu = host.root(PROCESS).out;
    let monitor = host.root("systemctl show -P MainPID virtwarden-policyd").out;
    check("restart", &host.root("timeout 60 systemctl restart libvirtd.service"))?;
    let told = shell.ask("domstate bobvm")?;
    if !told.contains("running") && !told.contains("error") {
        return Err(format!("bob's shell says {told}"));
    }
    shell.must_show("domstate bobvm", &["running"])?;
    let still = host.root(PROCESS).out;
    if qemu.trim().is_empty() || qemu != still {
        return Err(format!("bobvm was process {qemu}, is {still}"));
    }
    let after = host.root("systemctl show -P MainPID virtwarden-policyd").out;
    if after == monitor { Ok(()) } else { Err("the monitor did not outlive libvirtd".to_owned()) }
}

fn refused(ran: &Ran, shown: &str) -> Result<(), String> {
    if !ran.succeeded() && ran.shown().contains(shown) {
        Ok(())
    } else {
        Err(format!("exit code {}, shown: {}", ran.code, ran.shown()))
    }
}

/// A watchdog that is short enough to wait for.
const SHORT: &str = "mkdir -p /run/systemd/system/virtwarden-policyd.service.d &&
printf '[Service]\\nWatchdogSec=4s\\n' > /run/systemd/system/virtwarden-policyd.service.d/short.conf &&
systemctl daemon-reload && systemctl restart virtwarden-policyd.service";
const USUAL: &str = "rm -r /run/systemd/system/virtwarden-policyd.service.d; systemctl daemon-reload; \
    systemctl restart virtwarden-policyd.service";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_monitor_that_hangs_is_restarted_by_its_watchdog() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &bob(&host, "virsh start bobvm"))?;
    check("short watchdog", &host.root(SHORT))?;
    let watched = hang_and_wait(&host);
    check("usual watchdog", &host.root(USUAL))?;
    watched
}

fn hang_and_wait(host: &Host) -> Result<(), String> {
    let (qemu, monitor) = (host.root(PROCESS).out, monitor(host));
    check("hang", &host.root(&format!("kill -STOP {monitor}")))?;
    let restarted = "for i in $(seq 60); do p=$(systemctl show -P MainPID virtwarden-policyd); \
        [ $p != 0 ] && [ $p != $M ] && systemctl -q is-active virtwarden-policyd && exit 0; sleep 0.5; done; exit 1";
    check("restarted", &host.root(&format!("M={monitor}; {restarted}")))?;
    check("by the watchdog", &host.root("journalctl -u virtwarden-policyd | grep -q -i watchdog"))?;
    check("his again", &bob(host, "timeout 30 virsh suspend bobvm && virsh resume bobvm"))?;
    check("whole", &host.login("root", "timeout 60 virtwarden audit verify"))?;
    let still = host.root(PROCESS).out;
    if qemu.trim().is_empty() || qemu != still {
        return Err(format!("bobvm was process {qemu}, is {still}"));
    }
    Ok(())
}

fn monitor(host: &Host) -> String {
    host.root("systemctl show -P MainPID virtwarden-policyd").out.trim().to_owned()
}
