// SPDX-License-Identifier: Apache-2.0
//! udev's rules, as text.

use virtwarden_core::media::Kind;
use virtwarden_core::setting::HostMedia;

use super::super::{Rendered, sshd};

/// After udev has looked at what is on a disk, before btrfs, LVM and RAID act on it.
pub(super) const MARK: &str = "/etc/udev/rules.d/61-virtwarden-host-media.rules";
/// After devices are offered to whoever sits at the seat, before they are given to him.
pub(super) const CLOSE: &str = "/etc/udev/rules.d/72-virtwarden-host-media.rules";
/// About USB interfaces alone; [`HostMedia::takes_drivers_away`].
pub(super) const DRIVER: &str = "/etc/udev/rules.d/72-virtwarden-usb-drivers.rules";

/// The property of a device that is closed to the host.
pub(super) const CLOSED: &str = "VIRTWARDEN_HOST_MEDIA=closed";

/// The files for a value.
pub(super) fn render(value: &HostMedia) -> Vec<Rendered> {
    let closed = value.closed();
    if closed.is_empty() {
        return Vec::new();
    }
    let mut files = vec![file(MARK, &mark(&closed)), file(CLOSE, CLOSE_RULES)];
    if value.takes_drivers_away() {
        files.push(file(DRIVER, DRIVER_RULES));
    }
    files
}

fn file(path: &'static str, rules: &str) -> Rendered {
    Rendered { path, text: format!("{}{rules}", sshd::HEAD) }
}

fn mark(closed: &[Kind]) -> String {
    let mut text = String::from(
        "# Which devices are closed to the host.\nACTION==\"remove\", GOTO=\"virtwarden_mark_end\"\n\n",
    );
    for kind in closed {
        text.push_str(which(*kind));
    }
    text.push_str(MARK_RULES);
    text
}

/// How udev knows a device of a kind. A reader for cards that is itself a USB device is USB storage; a chip
/// that is soldered on is no card.
const fn which(kind: Kind) -> &'static str {
    match kind {
        Kind::UsbStorage => {
            "# usb-storage\n\
             SUBSYSTEM==\"block|scsi_generic|bsg\", SUBSYSTEMS==\"usb\", ENV{VIRTWARDEN_HOST_MEDIA}=\"closed\"\n\
             SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ENV{ID_USB_INTERFACES}==\"*:08????:*\", \
             ENV{VIRTWARDEN_HOST_MEDIA}=\"closed\"\n"
        }
        Kind::Optical => {
            "# optical\n\
             SUBSYSTEM==\"block\", KERNEL==\"sr[0-9]*\", ENV{VIRTWARDEN_HOST_MEDIA}=\"closed\"\n\
             SUBSYSTEM==\"scsi_generic\", SUBSYSTEMS==\"scsi\", ATTRS{type}==\"4|5\", \
             ENV{VIRTWARDEN_HOST_MEDIA}=\"closed\"\n"
        }
        Kind::SdCard => {
            "# sd-card\n\
             SUBSYSTEM==\"block\", SUBSYSTEMS==\"mmc\", ATTRS{type}==\"SD\", ENV{VIRTWARDEN_HOST_MEDIA}=\"closed\"\n"
        }
        Kind::Usb | Kind::Image => "",
    }
}

/// Without a type, nobody assembles what a disk says that it is part of; without a use, it is no file system that udisks
/// would mount for whoever sits at the seat, ignored or not; as a disk of the system, udisks formats, opens and changes
/// it for an administrator of the host alone; not ready, systemd mounts nothing of it, and unmounts what is.
const MARK_RULES: &str = "\
\n# Nobody assembles, mounts or offers them.\n\
SUBSYSTEM==\"block\", ENV{VIRTWARDEN_HOST_MEDIA}==\"closed\", ENV{SYSTEMD_READY}=\"0\", ENV{ID_FS_TYPE}=\"\", \
ENV{ID_FS_USAGE}=\"\", ENV{UDISKS_IGNORE}=\"1\", ENV{UDISKS_AUTO}=\"0\", ENV{UDISKS_SYSTEM}=\"1\"\n\
\nLABEL=\"virtwarden_mark_end\"\n";

/// The tag is assigned, which drops all others: of one that is only taken away, 73-seat-late.rules still gives the device
/// to whoever sits at the seat.
const CLOSE_RULES: &str = "\
# What is closed to the host is root's alone, whoever sits at the seat.\n\
ACTION!=\"remove\", ENV{VIRTWARDEN_HOST_MEDIA}==\"closed\", ENV{MAJOR}!=\"\", TAG=\"virtwarden\", OWNER:=\"root\", \
GROUP:=\"root\", MODE:=\"0600\"\n";

/// What comes new has no driver before udev has looked at it. Keyboards, mice and hubs come first. What a VM
/// has is left alone: its driver is `usbfs`.
const DRIVER_RULES: &str = "\
# USB storage gets no driver of the host; everything else gets its own at once.\n\
SUBSYSTEM!=\"usb\", GOTO=\"virtwarden_usb_end\"\n\
ACTION==\"remove|unbind\", GOTO=\"virtwarden_usb_end\"\n\
ENV{DEVTYPE}==\"usb_device\", KERNEL==\"usb[0-9]*\", ATTR{interface_authorized_default}=\"0\"\n\
ENV{DEVTYPE}!=\"usb_interface\", GOTO=\"virtwarden_usb_end\"\n\
\n\
ACTION==\"add\", ATTR{bInterfaceClass}==\"03|09\", ATTR{authorized}==\"0\", GOTO=\"virtwarden_usb_open\"\n\
ACTION==\"add\", ATTR{bInterfaceClass}!=\"08\", ATTR{authorized}==\"0\", GOTO=\"virtwarden_usb_open\"\n\
ACTION==\"add\", ATTR{bInterfaceClass}==\"08\", DRIVER!=\"usbfs\", ATTR{authorized}=\"0\"\n\
DRIVER==\"usb-storage|uas|ums-*\", ATTR{authorized}=\"0\"\n\
GOTO=\"virtwarden_usb_end\"\n\
\n\
LABEL=\"virtwarden_usb_open\"\n\
ATTR{authorized}=\"1\", RUN{program}+=\"/bin/sh -c 'echo %k > /sys/bus/usb/drivers_probe'\"\n\
\n\
LABEL=\"virtwarden_usb_end\"\n";

#[cfg(test)]
mod tests {
    use virtwarden_core::setting::HostLevel;

    use super::*;

    fn paths(level: HostLevel, granted: &[Kind]) -> Vec<&'static str> {
        let value = HostMedia { level, granted: granted.iter().copied().collect() };
        render(&value).iter().map(|file| file.path).collect()
    }

    #[test]
    fn each_level_has_its_files_and_what_is_granted_needs_none() {
        assert!(paths(HostLevel::Open, &[]).is_empty());
        assert_eq!(paths(HostLevel::NoAutomount, &[]), [MARK, CLOSE]);
        assert_eq!(paths(HostLevel::NoDriver, &[]), [MARK, CLOSE, DRIVER]);
        assert_eq!(paths(HostLevel::NoDriver, &[Kind::UsbStorage]), [MARK, CLOSE]);
        assert!(paths(HostLevel::NoDriver, &HostMedia::KINDS).is_empty());
    }

    #[test]
    fn only_closed_kinds_are_marked() {
        let text = mark(&[Kind::SdCard]);
        assert!(text.contains("mmc") && !text.contains("usb") && !text.contains("sr["), "{text}");
    }

    #[test]
    fn what_is_closed_is_no_file_system_to_anybody() {
        let text = mark(&[Kind::UsbStorage]);
        for emptied in ["ID_FS_TYPE", "ID_FS_USAGE"] {
            assert!(text.contains(&format!("ENV{{{emptied}}}=\"\"")), "{emptied}: {text}");
        }
    }

    /// For a disk of the system udisks asks for its `-system` actions, which whoever sits at the seat does not have.
    #[test]
    fn what_is_closed_is_a_disk_of_the_system_to_udisks() {
        for kind in HostMedia::KINDS {
            assert!(mark(&[kind]).contains("ENV{UDISKS_SYSTEM}=\"1\""), "{kind:?}");
        }
    }

    #[test]
    fn a_keyboard_is_let_in_before_anything_is_kept_out() {
        let keyboard = DRIVER_RULES.find("==\"03|09\"").unwrap();
        assert!(keyboard < DRIVER_RULES.find("ATTR{authorized}=\"0\"").unwrap());
    }
}
