// SPDX-License-Identifier: Apache-2.0
//! What enabling will do, as a list that can be shown before, made, checked later and undone.

use serde::Serialize;

use crate::takeover::change::Change;
use crate::takeover::host::Host;
use crate::takeover::stacks::{self, Wish};
use crate::takeover::standing::Standing;
use crate::takeover::trouble::Trouble;
use crate::takeover::{accounts, libvirt, setuid};

/// Where hooks find the program that asks the monitor.
pub(crate) const HOOK: &str = "/usr/sbin/virtwarden-hook";

/// The monitor's own units and what starts each at boot.
const GATE: &[(&str, &str)] = &[
    ("virtwarden-control.socket", "sockets.target"),
    ("virtwarden-login.socket", "sockets.target"),
    ("virtwarden-settingsd.socket", "sockets.target"),
    ("virtwarden-elevate.socket", "sockets.target"),
    ("virtwarden-policyd.socket", "sockets.target"),
    ("virtwarden-policyd-ro.socket", "sockets.target"),
    ("virtwarden-policyd.service", "multi-user.target"),
];

/// What a step is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Purpose {
    Administrators,
    Sockets,
    Remote,
    SharedIdentity,
    Polkit,
    Updates,
    Emulators,
    UsbHelper,
    Device,
    Hooks,
    Gate,
    Logins,
}

impl Purpose {
    /// Every one, in the order of the steps.
    pub(crate) const ALL: [Self; 12] = [
        Self::Administrators,
        Self::Sockets,
        Self::Remote,
        Self::SharedIdentity,
        Self::Polkit,
        Self::Updates,
        Self::Emulators,
        Self::UsbHelper,
        Self::Device,
        Self::Hooks,
        Self::Gate,
        Self::Logins,
    ];

    /// Why, in a sentence.
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Administrators => "somebody manages this host",
            Self::Sockets => "libvirtd's own sockets move to where only the monitor reaches them",
            Self::Remote => "libvirtd does not listen on the network: ssh leads through the monitor",
            Self::SharedIdentity => "libvirt-dbus acts for everybody under one account: it is closed",
            Self::Polkit => "polkit lets the monitor's account, and nobody else, use libvirtd's own sockets",
            Self::Updates => "only Administrators update the host: PackageKit and fwupd ask polkit",
            Self::Emulators => "emulators and session daemons are for the system's own VMs only",
            Self::UsbHelper => {
                "whoever sits at the seat is not given USB devices past the removable-media policy"
            }
            Self::Device => "whoever sits at the seat gets no direct way to /dev/kvm",
            Self::Hooks => "libvirtd asks the monitor before each start, wherever the wish came from",
            Self::Gate => "the monitor takes libvirt's public sockets",
            Self::Logins => {
                "login programs ask the monitor: Administrators are people who have authenticated"
            }
        }
    }

    /// How `virtwarden disable` takes it back.
    pub(crate) fn undo(self) -> &'static str {
        match self {
            Self::Administrators => "who was added leaves the group",
            Self::Sockets | Self::Remote | Self::SharedIdentity => {
                "what was there before comes back; libvirtd starts again on its own sockets, VMs stay"
            }
            Self::Polkit | Self::Updates | Self::Hooks | Self::Gate => "what was there before comes back",
            Self::Emulators | Self::UsbHelper => "the overrides go; owner and mode become what they were",
            Self::Logins => "before everything else, the login stacks become what they were",
            Self::Device => "the rule goes; udev gives the device back to the seat",
        }
    }
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) purpose: Purpose,
    #[serde(flatten)]
    pub(crate) change: Change,
    pub(crate) standing: Standing,
}

/// All steps, with what each finds on the host.
pub(crate) fn draw(host: &Host<'_>, administrators: &[String]) -> Result<Vec<Step>, Trouble> {
    let changes = members(administrators)
        .chain(sockets())
        .chain(remote(host))
        .chain(shared_identity(host))
        .chain([(Purpose::Polkit, polkit()), (Purpose::Updates, updates())])
        .chain(emulators(host))
        .chain([(Purpose::UsbHelper, usb_helper())])
        .chain(device(host))
        .chain(hooks())
        .chain(gate(host))
        .chain([(Purpose::Logins, logins(host)?)]);
    let step = |(purpose, change): (Purpose, Change)| {
        let standing = change.standing(host)?;
        Ok(Step { purpose, change, standing })
    };
    changes.map(step).collect()
}

/// The path of the polkit rule, for whoever checks that it comes first.
pub(crate) const POLKIT_RULE: &str = "/etc/polkit-1/rules.d/00-virtwarden.rules";

/// Who may have the host updated by way of the desktop.
const UPDATE_RULE: &str = "/etc/polkit-1/rules.d/01-virtwarden-updates.rules";

/// What the system bus refuses. Debian's libvirt-dbus has no unit: a mask alone does not reach it.
const BUS_RULE: &str = "/etc/dbus-1/system.d/virtwarden-libvirt-dbus.conf";

fn members(administrators: &[String]) -> impl Iterator<Item = (Purpose, Change)> {
    administrators.iter().map(|account| {
        let group = accounts::ADMINISTRATORS.to_owned();
        (Purpose::Administrators, Change::Member { account: account.clone(), group })
    })
}

fn sockets() -> impl Iterator<Item = (Purpose, Change)> {
    [
        ("libvirtd.socket", include_str!("files/libvirtd.socket.conf")),
        ("libvirtd-ro.socket", include_str!("files/libvirtd-ro.socket.conf")),
        ("libvirtd-admin.socket", include_str!("files/libvirtd-admin.socket.conf")),
        ("libvirtd.service", include_str!("files/libvirtd.service.conf")),
    ]
    .into_iter()
    .map(|(unit, content)| {
        (Purpose::Sockets, file(&format!("/etc/systemd/system/{unit}.d/virtwarden.conf"), content))
    })
}

fn remote(host: &Host<'_>) -> impl Iterator<Item = (Purpose, Change)> {
    let units = ["libvirtd-tcp.socket", "libvirtd-tls.socket"].into_iter();
    units.filter(|unit| libvirt::has_unit(host, unit)).map(|unit| (Purpose::Remote, mask(unit)))
}

fn shared_identity(host: &Host<'_>) -> impl Iterator<Item = (Purpose, Change)> {
    let rule = file(BUS_RULE, include_str!("files/virtwarden-libvirt-dbus.conf"));
    let unit = "libvirt-dbus.service";
    let unit = libvirt::has_unit(host, unit).then(|| mask(unit));
    [Some(rule), unit].into_iter().flatten().map(|change| (Purpose::SharedIdentity, change))
}

fn polkit() -> Change {
    file(POLKIT_RULE, include_str!("files/00-virtwarden.rules"))
}

/// After the rule above, which must come first.
fn updates() -> Change {
    file(UPDATE_RULE, include_str!("files/01-virtwarden-updates.rules"))
}

fn emulators(host: &Host<'_>) -> impl Iterator<Item = (Purpose, Change)> {
    let emulators = libvirt::emulators(host).into_iter().map(|path| (path, "kvm"));
    let daemons = libvirt::daemons(host).into_iter().map(|path| (path, "root"));
    emulators.chain(daemons).map(|(path, group)| {
        let change = Change::Override { path, owner: "root".into(), group: group.into(), mode: 0o750 };
        (Purpose::Emulators, change)
    })
}

/// Closed before it is installed, too: it would come setuid root.
fn usb_helper() -> Change {
    Change::Override {
        path: setuid::USB_HELPER.into(),
        owner: "root".into(),
        group: "root".into(),
        mode: 0o750,
    }
}

fn device(host: &Host<'_>) -> impl Iterator<Item = (Purpose, Change)> {
    let rule =
        file("/etc/udev/rules.d/72-virtwarden-kvm.rules", include_str!("files/72-virtwarden-kvm.rules"));
    let path = "/dev/kvm".to_owned();
    let node = host.has(&path).then(|| Change::Device { path, group: "kvm".into(), mode: 0o660 });
    [Some(rule), node].into_iter().flatten().map(|change| (Purpose::Device, change))
}

fn hooks() -> impl Iterator<Item = (Purpose, Change)> {
    ["qemu", "network"]
        .into_iter()
        .map(|driver| (Purpose::Hooks, link(&format!("/etc/libvirt/hooks/{driver}.d/90-virtwarden"), HOOK)))
}

fn gate(host: &Host<'_>) -> impl Iterator<Item = (Purpose, Change)> {
    GATE.iter().map(|(unit, target)| {
        let wanted = format!("/etc/systemd/system/{target}.wants/{unit}");
        (Purpose::Gate, link(&wanted, &libvirt::unit_file(host, unit)))
    })
}

/// Nothing to write where the stacks are kept by hand: then our lines are in them, or enabling refuses.
fn logins(host: &Host<'_>) -> Result<Change, Trouble> {
    let files = match stacks::standing(host) {
        Standing::InPlace => Vec::new(),
        Standing::Missing | Standing::Different => stacks::rehearse(host, Wish::Enable)?.unwrap_or_default(),
    };
    Ok(Change::Logins { files })
}

fn file(path: &str, content: &str) -> Change {
    Change::File { path: path.to_owned(), content: content.to_owned(), mode: 0o644 }
}

fn link(path: &str, target: &str) -> Change {
    Change::Link { path: path.to_owned(), target: target.to_owned() }
}

fn mask(unit: &str) -> Change {
    link(&format!("/etc/systemd/system/{unit}"), "/dev/null")
}
