// SPDX-License-Identifier: Apache-2.0
//! Where a path on the host leads, as far as its text says.

/// Where a path leads, as far as its text says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Below libvirt's image store or the media library, which only root and pools write.
    Images,
    /// Something that every VM may use: entropy, the distribution's emulators and firmware, what
    /// libvirt made for it.
    Harmless,
    /// A device node.
    Device,
    /// Anything else.
    Elsewhere,
}

const MEDIA: &str = "/var/lib/virtwarden/media/";
const IMAGES: [&str; 2] = ["/var/lib/libvirt/images/", MEDIA];
const ENTROPY: [&str; 2] = ["/dev/urandom", "/dev/random"];
const CHANNELS: [&str; 2] = ["/run/libvirt/qemu/channel/", "/var/lib/libvirt/qemu/channel/target/"];
const FIRMWARE: [&str; 4] =
    ["/usr/share/OVMF/", "/usr/share/qemu/", "/usr/share/AAVMF/", "/usr/share/seabios/"];
const VARIABLES: [&str; 1] = ["/var/lib/libvirt/qemu/nvram/"];

pub(super) fn place(path: &str) -> Place {
    if is_below(path, &IMAGES) {
        Place::Images
    } else if ENTROPY.contains(&path)
        || is_stock_emulator(path)
        || is_stock_firmware(path)
        || is_made_up(path)
    {
        Place::Harmless
    } else if is_below(path, &["/dev/"]) {
        Place::Device
    } else {
        Place::Elsewhere
    }
}

/// Below the media library, which many VMs read and none may write to.
pub(super) fn is_medium(path: &str) -> bool {
    path.starts_with(MEDIA)
}

/// A terminal or socket that libvirt made for a running VM.
pub(super) fn is_made_up(path: &str) -> bool {
    let number = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    path.strip_prefix("/dev/pts/").is_some_and(number) || is_below(path, &CHANNELS) || is_screen_socket(path)
}

/// Of a screen that listens on a socket: `/var/lib/libvirt/qemu/domain-1-bobvm/vnc.sock`.
fn is_screen_socket(path: &str) -> bool {
    let run = path.strip_prefix("/var/lib/libvirt/qemu/domain-").and_then(|rest| rest.split_once('/'));
    run.is_some_and(|(_, file)| matches!(file, "vnc.sock" | "spice.sock"))
}

/// Firmware of the distribution, which nobody writes.
pub(super) fn is_stock_firmware(path: &str) -> bool {
    is_below(path, &FIRMWARE)
}

/// A copy of the firmware's variables, where libvirt keeps those of all VMs.
pub(super) fn is_variables(path: &str) -> bool {
    is_below(path, &VARIABLES)
}

/// Emulators where the distribution puts them.
pub(super) fn is_stock_emulator(path: &str) -> bool {
    let architecture = path.strip_prefix("/usr/bin/qemu-system-");
    let plain = |arch: &str| !arch.is_empty() && arch.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    path == "/usr/bin/kvm" || architecture.is_some_and(plain)
}

fn is_below(path: &str, places: &[&str]) -> bool {
    let plain = !path.split('/').skip(1).any(|step| matches!(step, "" | "." | ".."));
    plain && places.iter().any(|place| path.starts_with(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_only_trusted_when_it_is_plain() {
        let table = [
            ("/var/lib/libvirt/images/a.qcow2", Place::Images),
            ("/var/lib/virtwarden/media/a.iso", Place::Images),
            ("/var/lib/libvirt/images/../../../etc/shadow", Place::Elsewhere),
            ("/var/lib/libvirt/images//a", Place::Elsewhere),
            ("/var/lib/libvirt/images/", Place::Elsewhere),
            ("/var/lib/libvirt/imagesx/a", Place::Elsewhere),
            ("var/lib/libvirt/images/a", Place::Elsewhere),
            ("/dev/sda", Place::Device),
            ("/dev/../etc/shadow", Place::Elsewhere),
            ("/dev/urandom", Place::Harmless),
            ("/dev/pts/3", Place::Harmless),
            ("/dev/pts/ptmx", Place::Device),
            ("/run/libvirt/qemu/channel/1-a/org.qemu.guest_agent.0", Place::Harmless),
            ("/run/libvirt/qemu/channel/../x", Place::Elsewhere),
            ("/var/lib/libvirt/qemu/domain-1-a/spice.sock", Place::Harmless),
            ("/var/lib/libvirt/qemu/domain-1-a/monitor.sock", Place::Elsewhere),
            ("/usr/bin/qemu-system-x86_64", Place::Harmless),
            ("/usr/bin/qemu-system-x86_64/../x", Place::Elsewhere),
            ("/usr/bin/qemu-system-", Place::Elsewhere),
            ("/usr/bin/qemu-img", Place::Elsewhere),
            ("/usr/share/OVMF/OVMF_CODE_4M.fd", Place::Harmless),
            ("/usr/share/OVMF/../x", Place::Elsewhere),
            ("", Place::Elsewhere),
        ];
        for (path, expected) in table {
            assert_eq!(place(path), expected, "{path}");
        }
    }
}
