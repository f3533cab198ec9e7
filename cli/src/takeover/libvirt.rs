// SPDX-License-Identifier: Apache-2.0
//! What of libvirt is installed here: its daemons, their units and the emulators.

use std::collections::BTreeSet;

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// Units of the monolithic daemon that are stopped before the takeover, users of a socket before the socket.
pub(crate) const UNITS: &[&str] = &[
    "libvirt-dbus.service",
    "libvirtd.service",
    "libvirtd-tls.socket",
    "libvirtd-tcp.socket",
    "libvirtd-admin.socket",
    "libvirtd-ro.socket",
    "libvirtd.socket",
];

/// The same again, with one daemon for each driver. They call each other by fixed paths.
const MODULAR_SOCKETS: &[&str] = &[
    "virtqemud.socket",
    "virtnetworkd.socket",
    "virtstoraged.socket",
    "virtsecretd.socket",
    "virtnwfilterd.socket",
    "virtnodedevd.socket",
    "virtinterfaced.socket",
    "virtproxyd.socket",
];

const UNIT_DIRECTORIES: &[&str] = &["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Daemons that anybody could start for himself as `qemu:///session`.
const DAEMONS: &[&str] =
    &["libvirtd", "virtqemud", "virtproxyd", "virtnetworkd", "virtstoraged", "virtsecretd", "virtnodedevd"];

/// Debian's emulators: closed before they are installed, too.
const EMULATORS: &[&str] = &[
    "aarch64",
    "alpha",
    "arm",
    "avr",
    "cris",
    "hppa",
    "i386",
    "loongarch64",
    "m68k",
    "microblaze",
    "microblazeel",
    "mips",
    "mips64",
    "mips64el",
    "mipsel",
    "nios2",
    "or1k",
    "ppc",
    "ppc64",
    "riscv32",
    "riscv64",
    "rx",
    "s390x",
    "sh4",
    "sh4eb",
    "sparc",
    "sparc64",
    "tricore",
    "x86_64",
    "x86_64-microvm",
    "x86_64-spice",
    "xtensa",
    "xtensaeb",
];

/// Whether a unit is installed.
pub(crate) fn has_unit(host: &Host<'_>, unit: &str) -> bool {
    UNIT_DIRECTORIES.iter().any(|directory| host.has(&format!("{directory}/{unit}")))
}

/// Where a packaged unit is.
pub(crate) fn unit_file(host: &Host<'_>, unit: &str) -> String {
    let old = format!("/lib/systemd/system/{unit}");
    let new = format!("/usr/lib/systemd/system/{unit}");
    if host.has(&new) { new } else { old }
}

/// Makes sure that there is one libvirtd here and that systemd opens its sockets.
///
/// # Errors
/// When there is none, or separate daemons run instead.
pub(crate) fn check(host: &Host<'_>) -> Result<(), Trouble> {
    let modular = active(host, MODULAR_SOCKETS)?;
    if !modular.is_empty() {
        return Err(Trouble::Refused(format!(
            "libvirt runs here as separate daemons ({}), whose sockets cannot be moved; use the one daemon: \
             `systemctl disable --now {}`, then `systemctl enable --now libvirtd.socket`",
            modular.join(", "),
            modular.join(" "),
        )));
    }
    if !has_unit(host, "libvirtd.socket") {
        return Err(Trouble::Refused(
            "there is no libvirtd.socket here; install libvirt first: `apt install libvirt-daemon-system`"
                .into(),
        ));
    }
    let masked = |unit: &&&str| {
        host.path(&format!("/etc/systemd/system/{unit}"))
            .read_link()
            .is_ok_and(|l| l.as_os_str() == "/dev/null")
    };
    match ["libvirtd.socket", "libvirtd-ro.socket", "libvirtd.service"].iter().find(masked) {
        Some(unit) => Err(Trouble::Refused(format!("{unit} is masked; `systemctl unmask {unit}` first"))),
        None => Ok(()),
    }
}

/// Whether a unit is running or listening.
///
/// # Errors
/// When systemd cannot be asked: not to know is not the same as stopped.
pub(crate) fn is_active(host: &Host<'_>, unit: &str) -> Result<bool, Trouble> {
    if !has_unit(host, unit) {
        return Ok(false);
    }
    let state = host.run("systemctl", &["show", "--property=ActiveState", "--value", unit])?;
    Ok(matches!(state.trim(), "active" | "reloading" | "refreshing" | "activating"))
}

/// Those of some units that are running or listening.
fn active(host: &Host<'_>, units: &[&str]) -> Result<Vec<String>, Trouble> {
    let mut active = Vec::new();
    for unit in units {
        if is_active(host, unit)? {
            active.push((*unit).to_owned());
        }
    }
    Ok(active)
}

/// The units of libvirt that are running now.
pub(crate) fn running(host: &Host<'_>) -> Result<Vec<String>, Trouble> {
    active(host, UNITS)
}

/// The emulators, installed or known to Debian.
pub(crate) fn emulators(host: &Host<'_>) -> Vec<String> {
    let known = EMULATORS.iter().map(|machine| format!("qemu-system-{machine}"));
    let is_program = |name: &String| {
        host.path(&format!("/usr/bin/{name}")).symlink_metadata().is_ok_and(|metadata| metadata.is_file())
    };
    let installed = host.list("/usr/bin").into_iter().filter(|name| name.starts_with("qemu-system-"));
    let names: BTreeSet<String> = known.chain(installed.filter(is_program)).collect();
    names.into_iter().map(|name| format!("/usr/bin/{name}")).collect()
}

/// The daemons that are installed.
pub(crate) fn daemons(host: &Host<'_>) -> Vec<String> {
    DAEMONS.iter().map(|name| format!("/usr/sbin/{name}")).filter(|path| host.has(path)).collect()
}

/// The names of the VMs that are running, as libvirtd keeps them.
pub(crate) fn running_vms(host: &Host<'_>) -> Vec<String> {
    let names = host.list("/run/libvirt/qemu").into_iter();
    names.filter_map(|name| name.strip_suffix(".xml").map(str::to_owned)).collect()
}
