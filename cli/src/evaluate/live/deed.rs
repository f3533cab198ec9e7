// SPDX-License-Identifier: Apache-2.0
//! One line of the tables: who does or tries what, by which doors, and what must be seen.

use virtwarden_core::setting::SettingName;
use virtwarden_core::table3::Column;

use crate::evaluate::report::Door;

/// Something that is done or tried for some rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deed {
    /// The rows of Table 3 that it shows.
    pub(super) rows: &'static [u8],
    /// By whom.
    pub(super) who: Column,
    /// By which doors, one after the other.
    pub(super) doors: &'static [Door],
    /// What, to follow who: "starts his VM".
    pub(super) what: &'static str,
    /// The command. `{v}` is virsh at the door; `{own}`, `{other}`, ... are this run's names.
    pub(super) command: &'static str,
    /// What must be seen.
    pub(super) seen: Seen,
    /// The setting that it gives a value.
    pub(super) sets: Option<SettingName>,
}

/// What must be seen of a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is done, shows its result, and is on record under its row.
    Done,
    /// It is done and on record under this operation: the record names no row.
    DoneAs(&'static str),
    /// Refused with the row's number in the message, and on record under that row.
    Row(u8),
    /// Refused with "access denied", and on record.
    Denied,
    /// What it is about looks as if it did not exist; on record.
    Hidden,
    /// Refused with these words, which say what would be needed; not a right.
    Says(&'static str),
    /// Refused in one of these ways, and on record.
    Refused,
    /// As the next, by a program that prints nothing when it is refused.
    Quiet,
    /// Refused before the monitor is asked: by the kernel, a program, a connection that may only read.
    Shut,
}

/// libvirt's socket.
pub(super) const LIBVIRT: &[Door] = &[Door::LibvirtSocket];
/// Both of libvirt's sockets.
pub(super) const SOCKETS: &[Door] = &[Door::LibvirtSocket, Door::ReadOnlySocket];
/// The command `virtwarden`.
pub(super) const CONTROL: &[Door] = &[Door::ControlSocket];
/// The host's files.
pub(super) const FILE: &[Door] = &[Door::File];

/// The Administrator performs it.
pub(super) const fn performs(
    rows: &'static [u8],
    doors: &'static [Door],
    what: &'static str,
    command: &'static str,
) -> Deed {
    Deed { rows, who: Column::Administrator, doors, what, command, seen: Seen::Done, sets: None }
}

/// The Administrator performs it, and the record names this operation and no row.
pub(super) const fn does(
    rows: &'static [u8],
    doors: &'static [Door],
    what: &'static str,
    command: &'static str,
    operation: &'static str,
) -> Deed {
    Deed { seen: Seen::DoneAs(operation), ..performs(rows, doors, what, command) }
}

/// The Administrator gives a setting a value: `{dry}` and `{back}` become what is needed to leave it as it was.
pub(super) const fn sets(
    rows: &'static [u8],
    setting: SettingName,
    what: &'static str,
    command: &'static str,
) -> Deed {
    Deed { sets: Some(setting), ..performs(rows, CONTROL, what, command) }
}

/// The Administrator tries it and is refused like anybody: a rule binds him as well.
pub(super) const fn administrator_is_told(
    rows: &'static [u8],
    doors: &'static [Door],
    what: &'static str,
    command: &'static str,
    words: &'static str,
) -> Deed {
    Deed { seen: Seen::Says(words), ..performs(rows, doors, what, command) }
}

/// The User performs it, on what is his.
pub(super) const fn operates(
    rows: &'static [u8],
    doors: &'static [Door],
    what: &'static str,
    command: &'static str,
) -> Deed {
    Deed { rows, who: Column::User, doors, what, command, seen: Seen::Done, sets: None }
}

/// The User tries it.
pub(super) const fn tries(
    rows: &'static [u8],
    doors: &'static [Door],
    what: &'static str,
    command: &'static str,
    seen: Seen,
) -> Deed {
    Deed { rows, who: Column::User, doors, what, command, seen, sets: None }
}

impl Seen {
    /// Whether it must be refused.
    pub(super) const fn is_refusal(self) -> bool {
        match self {
            Seen::Done | Seen::DoneAs(_) => false,
            Seen::Row(_)
            | Seen::Denied
            | Seen::Hidden
            | Seen::Says(_)
            | Seen::Refused
            | Seen::Quiet
            | Seen::Shut => true,
        }
    }
}

impl Seen {
    /// Whether the monitor refuses it, so that the trail must say so.
    pub(super) const fn is_ours(self) -> bool {
        match self {
            Seen::Row(_) | Seen::Denied | Seen::Hidden | Seen::Says(_) | Seen::Refused => true,
            Seen::Done | Seen::DoneAs(_) | Seen::Quiet | Seen::Shut => false,
        }
    }
}

/// virsh at a door.
pub(super) const fn virsh(door: Door) -> &'static str {
    match door {
        Door::LibvirtSocket => "virsh -c qemu:///system",
        Door::ReadOnlySocket => "virsh -c 'qemu:///system?socket=/run/libvirt/libvirt-sock-ro'",
        Door::SessionDaemon => "virsh -c qemu:///session",
        Door::Ssh => "virsh -c qemu+ssh:///system",
        Door::ControlSocket | Door::File | Door::Emulator | Door::Hook | Door::Policy | Door::Host => "virsh",
    }
}
