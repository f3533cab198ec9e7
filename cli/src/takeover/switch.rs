// SPDX-License-Identifier: Apache-2.0
//! Moving the running host over and back, once its files say so. Running VMs are no part of it: they
//! belong to no unit that is stopped here.

use crate::takeover::host::Host;
use crate::takeover::libvirt;
use crate::takeover::trouble::Trouble;

/// The monitor's units, in the order they are stopped.
const GATE_UNITS: &[&str] = &[
    "virtwarden-policyd.socket",
    "virtwarden-policyd-ro.socket",
    "virtwarden-elevate.socket",
    "virtwarden-control.socket",
    "virtwarden-login.socket",
    "virtwarden-settingsd.socket",
    "virtwarden-witness.service",
    "virtwarden-policyd.service",
];

/// Whether there is a systemd to speak to; a package can also be removed in a mere directory tree.
pub(crate) fn is_live(host: &Host<'_>) -> bool {
    host.has("/run/systemd/system")
}

/// Stops whoever listens on either side. To be done before systemd reads changed units: it closes a
/// running socket whose path has changed without removing the old one.
///
/// A service that failed and is about to be started again by systemd cancels the stop of its sockets; it has had its
/// turn when it is asked again.
pub(crate) fn stop(host: &Host<'_>) -> Result<(), Trouble> {
    let stop = |units| systemctl(host, "stop", units).or_else(|_canceled| systemctl(host, "stop", units));
    stop(GATE_UNITS)?;
    stop(libvirt::UNITS)
}

/// Starts libvirtd behind and the monitor in front.
pub(crate) fn to_gate(host: &Host<'_>, were_running: &[String]) -> Result<(), Trouble> {
    host.run("systemd-tmpfiles", &["--create", "virtwarden.conf"])?;
    host.run("systemctl", &["daemon-reload"])?;
    forgive(host);
    systemctl(host, "start", &["libvirtd.socket", "libvirtd-ro.socket"])?;
    systemctl(host, "start", GATE_UNITS)?;
    let again = ["libvirtd-admin.socket", "libvirtd.service"];
    let again: Vec<&str> =
        again.into_iter().filter(|unit| were_running.iter().any(|was| was == unit)).collect();
    systemctl(host, "start", &again)
}

/// Starts what was running before the takeover.
pub(crate) fn to_libvirt(host: &Host<'_>, were_running: &[String]) -> Result<(), Trouble> {
    host.run("systemctl", &["daemon-reload"])?;
    forgive(host);
    let sockets_first: Vec<&str> = libvirt::UNITS.iter().rev().copied().collect();
    let again: Vec<&str> =
        sockets_first.into_iter().filter(|unit| were_running.iter().any(|was| was == unit)).collect();
    systemctl(host, "start", &again)
}

/// Lets systemd forget past failures, and how often it has started these units lately: a takeover that was
/// tried several times must not end with a libvirtd that "was started too often". Units that are not
/// loaded have nothing to forget.
fn forgive(host: &Host<'_>) {
    let _ = systemctl(host, "reset-failed", GATE_UNITS);
    let _ = systemctl(host, "reset-failed", libvirt::UNITS);
}

/// Lets udev and the system bus see their rules. polkit notices by itself.
pub(crate) fn refresh_rules(host: &Host<'_>) {
    // The bus notices, too, but some time later.
    let _ = systemctl(host, "reload", &["dbus.service"]);
    if host.has("/run/udev/control") {
        // At the next boot the rules count in any case.
        let _ = host.run("udevadm", &["control", "--reload"]);
        let _ = host.run("udevadm", &["trigger", "--settle", "--action=change", "/dev/kvm"]);
    }
}

fn systemctl(host: &Host<'_>, verb: &str, units: &[&str]) -> Result<(), Trouble> {
    let installed: Vec<&str> = units.iter().copied().filter(|unit| libvirt::has_unit(host, unit)).collect();
    if installed.is_empty() {
        Ok(())
    } else {
        host.run("systemctl", &[&[verb], &installed[..]].concat()).map(drop)
    }
}
