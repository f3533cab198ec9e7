// SPDX-License-Identifier: Apache-2.0
//! The second lock: what breaks the policy does not start, also not from behind the gate; and what runs
//! is not ended by it.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};
use virtwarden_tests::trail;

/// finance is blue: as root behind the gate, plug it into the network of red.
const INTO_RED: &str =
    "virsh -c \"$B\" net-start red && virsh -c \"$B\" attach-interface finance network red --config";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_start_that_breaks_the_policy_is_refused_behind_the_gate() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("into red", &behind(&host, INTO_RED))?;
    let before = trail::end(&host);
    let ran = behind(&host, "timeout 60 virsh -c \"$B\" start finance");
    if ran.succeeded() || !ran.shown().contains("red") {
        return Err(format!("root started finance, or was not told why not: {}", ran.shown()));
    }
    insist_stopped(&host, before)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn autostart_holds_to_the_policy() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("into red", &behind(&host, INTO_RED))?;
    let autostart = "virsh -c \"$B\" net-autostart red && virsh -c \"$B\" autostart finance && virsh -c \"$B\" autostart bobvm";
    check("autostart", &behind(&host, autostart))?;
    let before = trail::end(&host);
    check("reboot", &host.reboot())?;
    let booted = "for i in $(seq 200); do virsh -c \"$B\" domstate bobvm | grep -q running && exit 0; sleep 0.5; done; exit 1";
    check("bobvm started", &behind(&host, booted))?;
    insist_stopped(&host, before)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn libvirtd_that_finds_no_monitor_leaves_running_vms_alone() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("start", &bob(&host, "virsh start bobvm"))?;
    let away = "units='virtwarden-policyd.service virtwarden-policyd.socket virtwarden-policyd-ro.socket virtwarden-control.socket'
        systemctl mask --runtime -q $units; systemctl stop $units; pid=$(cat /run/libvirt/qemu/bobvm.pid)
        timeout 60 systemctl restart libvirtd.service; virsh -c \"$B\" domstate bobvm
        kill -0 $pid && [ $pid = $(cat /run/libvirt/qemu/bobvm.pid) ] && echo 'same: yes'
        timeout 60 virsh -c \"$B\" start finance && echo 'finance started'
        systemctl unmask --runtime -q $units; systemctl start virtwarden-policyd.service";
    let ran = behind(&host, away);
    check("monitor back", &alice(&host, "virsh list --all"))?;
    let kept = ran.out.contains("running") && ran.out.contains("same: yes");
    if kept && !ran.out.contains("finance started") { Ok(()) } else { Err(ran.shown()) }
}

/// finance is off, and the trail says what stopped it.
fn insist_stopped(host: &Host, before: u64) -> Result<(), String> {
    check("off", &behind(host, "virsh -c \"$B\" domstate finance | grep -q 'shut off'"))?;
    trail::until(host, before, |records| {
        let stopped = records.iter().any(|record| {
            record.is(Kind::Observation, Outcome::Denied)
                && record.is_about("finance")
                && record.event.detail.contains("red")
        });
        if stopped { Ok(()) } else { Err(format!("no record of what stopped finance among {records:#?}")) }
    })
}

/// Runs a script as root with libvirt's own socket in `$B`.
fn behind(host: &Host, script: &str) -> virtwarden_tests::host::Ran {
    host.root(&format!("B='{BEHIND}'; {script}"))
}
