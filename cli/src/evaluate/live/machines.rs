// SPDX-License-Identifier: Apache-2.0
//! The VMs of an evaluation: empty ones, too small to disturb anybody. The Administrator makes them in his session,
//! through the monitor, as he would make others.

use std::fs;
use std::path::{Path, PathBuf};

use super::files::{directory, file};
use super::made::{Made, PREFIX, Thing};
use super::program::{must, root};
use super::stage::Stage;
use crate::exit::Failed;

/// Where libvirt's emulators may read disks.
const IMAGES: &str = "/var/lib/libvirt/images";

/// KVM where libvirt finds it.
pub(super) fn vm_type() -> &'static str {
    let capable = root(&["virsh", "-c", "qemu:///system", "domcapabilities", "--virttype", "kvm"]);
    if capable.succeeded() { "kvm" } else { "qemu" }
}

/// Makes what the tables name: two VMs, a network, a medium, and the files that people hold in their hands.
pub(super) fn set(stage: &Stage<'_>, made: &mut Made) -> Result<(), Failed> {
    let disks = Path::new(IMAGES).join(format!("{PREFIX}{}", stage.mark));
    made.note(Thing::Directory(disks.clone()))?;
    directory(&disks, 0o711)?;
    for name in ["own", "other", "new"] {
        let (vm, disk) = (stage.named(&format!("{{{name}}}")), disks.join(format!("{name}.qcow2")));
        image(&disk, "qcow2", "16M")?;
        file(&stage.files.join(format!("{name}.xml")), &definition(&vm, stage.vm_type, &disk), 0o644)?;
    }
    props(stage, &disks)?;
    medium(stage, made)?;
    for thing in ["own", "other", "new"] {
        made.note(Thing::Vm(stage.named(&format!("{{{thing}}}"))))?;
    }
    for thing in ["net", "newnet"] {
        made.note(Thing::Network(stage.named(&format!("{{{thing}}}"))))?;
    }
    for script in BY_THE_ADMINISTRATOR {
        let script = stage.named(script);
        let ran = stage.sshd.within(&stage.administrator.name, &script, Some(stage.interrupt));
        if !ran.succeeded() {
            return Err(Failed::error(format!(
                "the Administrator cannot set the scene: `{script}`: {}",
                ran.output
            )));
        }
    }
    Ok(())
}

/// As libvirt makes them: nobody but root and the emulator that gets it reads it.
fn image(path: &Path, format: &str, size: &str) -> Result<(), Failed> {
    let path = path.display().to_string();
    must(&["qemu-img", "create", "-q", "-f", format, &path, size])?;
    must(&["chmod", "0600", &path]).map(drop)
}

/// Row 3 itself, and row 5: without them there is nothing to evaluate.
const BY_THE_ADMINISTRATOR: &[&str] = &[
    "virsh -c qemu:///system define {files}/own.xml",
    "virsh -c qemu:///system define {files}/other.xml",
    "virsh -c qemu:///system net-define {files}/net.xml",
    "virtwarden vm assign {own} {user}",
];

fn definition(name: &str, vm_type: &str, disk: &Path) -> String {
    format!(
        "<domain type='{vm_type}'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='{}'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
      <target dev='hdc' bus='ide'/><readonly/></disk>
    <serial type='pty'/><console type='pty'/>
    <video><model type='vga'/></video>
    <memballoon model='none'/>
  </devices>
</domain>
",
        disk.display()
    )
}

/// Files that the tables name.
fn props(stage: &Stage<'_>, disks: &Path) -> Result<(), Failed> {
    let bridge = |letter: char| format!("vwe{letter}{}", stage.mark);
    let network = |name: &str, letter| {
        let (name, bridge) = (stage.named(name), bridge(letter));
        format!("<network><name>{name}</name><bridge name='{bridge}'/></network>")
    };
    let extra = disks.join("extra.img");
    image(&extra, "raw", "1M")?;
    let common = disks.join("common.img");
    image(&common, "raw", "1M")?;
    let texts = [
        ("net", network("{net}", 'a')),
        ("newnet", network("{newnet}", 'b')),
        ("usb", USB.to_owned()),
        ("pci", PCI.to_owned()),
        ("direct", DIRECT.to_owned()),
        ("share", SHARE.to_owned()),
        ("vsock", VSOCK.to_owned()),
        ("nic", NIC.replace("{nic}", &card())),
        ("usernet", "<interface type='user'/>".to_owned()),
        (
            "common",
            format!(
                "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vdc' bus='virtio'/><shareable/></disk>",
                common.display()
            ),
        ),
        ("filter", stage.named(FILTER)),
        (
            "disk",
            format!(
                "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{}'/><target dev='vdb' bus='virtio'/></disk>",
                extra.display()
            ),
        ),
    ];
    texts.iter().try_for_each(|(name, text)| file(&stage.files.join(format!("{name}.xml")), text, 0o644))
}

/// The card that leads out, or the loopback interface where none does.
fn card() -> String {
    let route = root(&["ip", "-o", "route", "show", "default"]).output;
    let mut words = route.split_whitespace().skip_while(|word| *word != "dev").skip(1);
    words.next().unwrap_or("lo").to_owned()
}

const NIC: &str = "<interface type='direct'><source dev='{nic}' mode='bridge'/></interface>";
const USB: &str = "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1209'/><product id='0x0001'/></source></hostdev>";
const PCI: &str = "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0xff' slot='0x1f' function='0x7'/></source></hostdev>";
const DIRECT: &str = "<interface type='direct'><source dev='lo' mode='bridge'/></interface>";
const SHARE: &str = "<filesystem type='mount'><source dir='/etc'/><target dir='etc'/></filesystem>";
const VSOCK: &str = "<vsock model='virtio'><cid auto='yes'/></vsock>";
const FILTER: &str =
    "<filter name='vweval-filter-{mark}' chain='root'><rule action='accept' direction='inout'/></filter>";

/// An empty disc, where the policy lets Users take discs from.
fn medium(stage: &Stage<'_>, made: &mut Made) -> Result<(), Failed> {
    if stage.library.is_none() {
        return Ok(());
    }
    let path = PathBuf::from(stage.named("{iso}"));
    made.note(Thing::File(path.clone()))?;
    file(&path, "", 0o644)?;
    let sized = fs::OpenOptions::new().write(true).open(&path).and_then(|file| file.set_len(64 * 2048));
    sized.map_err(|error| Failed::error(format!("cannot write `{}`: {error}", path.display())))
}
