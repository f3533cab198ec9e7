// SPDX-License-Identifier: Apache-2.0
//! Each way in which a definition could share something, and its like that shares nothing.

use super::*;
use crate::xml::strict::parse;

fn uses(devices: &str) -> Vec<Use> {
    of(&parse(format!("<domain><devices>{devices}</devices></domain>")).unwrap())
}

fn ways_out(devices: &str) -> Vec<Channel> {
    uses(devices)
        .into_iter()
        .filter(|usage| usage.reach == Reach::Outside)
        .map(|usage| usage.channel)
        .collect()
}

fn files(devices: &str) -> Vec<(String, Access)> {
    uses(devices).into_iter().filter_map(|usage| Some((usage.medium?.to_string(), usage.access))).collect()
}

#[test]
fn what_leads_out_of_a_vm_is_a_channel() {
    use Channel::{Chardev, Clipboard, Disk, FileTransfer, SharedFolder, Shmem, Vsock};
    let table: [(&str, &[Channel]); 22] = [
        ("<graphics type='spice'/>", &[Clipboard, FileTransfer]),
        ("<graphics type='spice'><clipboard copypaste='no'/></graphics>", &[FileTransfer]),
        ("<graphics type='spice'><filetransfer enable='no'/></graphics>", &[Clipboard]),
        ("<graphics type='dbus'/>", &[Clipboard]),
        (
            "<channel type='qemu-vdagent'><source><clipboard copypaste='yes'/></source></channel>",
            &[Clipboard],
        ),
        ("<filesystem><source dir='/srv'/><target dir='x'/></filesystem>", &[SharedFolder]),
        ("<channel type='spiceport'><source channel='org.spice-space.webdav.0'/></channel>", &[SharedFolder]),
        ("<disk type='dir'><source dir='/srv'/></disk>", &[SharedFolder]),
        ("<disk type='file'><source file='/a'/><shareable/></disk>", &[Disk]),
        ("<shmem name='pot'/>", &[Shmem]),
        ("<vsock model='virtio'/>", &[Vsock]),
        ("<serial type='tcp'><source mode='connect' host='127.0.0.1' service='4555'/></serial>", &[Chardev]),
        ("<serial type='udp'><source mode='connect' host='127.0.0.1' service='4555'/></serial>", &[Chardev]),
        ("<serial type='unix'><source mode='bind' path='/tmp/pair'/></serial>", &[Chardev]),
        ("<console type='pipe'><source path='/tmp/pair'/></console>", &[Chardev]),
        ("<channel type='dbus'><source channel='x'/></channel>", &[Chardev]),
        ("<serial type='spiceport'><source channel='x'/></serial>", &[Chardev]),
        ("<serial type='of-the-future'/>", &[Chardev]),
        (
            "<rng model='virtio'><backend model='egd' type='tcp'><source service='1'/></backend></rng>",
            &[Chardev],
        ),
        ("<tpm><backend type='external'><source path='/s'/></backend></tpm>", &[Chardev]),
        ("<interface type='mcast'><source address='230.0.0.1' port='5558'/></interface>", &[Chardev]),
        ("<smartcard mode='passthrough' type='tcp'><source service='1'/></smartcard>", &[Chardev]),
    ];
    for (devices, channels) in table {
        assert_eq!(ways_out(devices), channels, "{devices}");
    }
}

#[test]
fn what_every_vm_has_is_no_channel() {
    for devices in [
        "<graphics type='vnc'/>",
        "<graphics type='spice'><clipboard copypaste='no'/><filetransfer enable='no'/></graphics>",
        "<channel type='spicevmc'><target name='com.redhat.spice.0'/></channel>",
        "<channel type='qemu-vdagent'/>",
        "<channel type='qemu-vdagent'><source><clipboard copypaste='no'/></source></channel>",
        "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
        "<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/1-a/org.qemu.guest_agent.0'/>
         <target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
        "<serial type='pty'><source path='/dev/pts/3'/></serial>",
        "<disk type='file'><source file='/a'/></disk>",
        "<interface type='network'><source network='red'/></interface>",
        "<rng><backend model='random'>/dev/urandom</backend></rng>",
        "<tpm><backend type='emulator'/></tpm>",
        "<memballoon model='virtio'/>",
    ] {
        assert_eq!(ways_out(devices), [], "{devices}");
    }
    let agents_name =
        "<channel type='unix'><source path='/tmp/pair'/><target name='org.qemu.guest_agent.0'/></channel>";
    assert_eq!(ways_out(agents_name), [Channel::Chardev], "the name alone does not make it the agent's");
}

#[test]
fn everything_of_the_host_that_a_vm_holds_is_known() {
    use Access::{Reads, Writes};
    let chain = "<disk><source file='/top'/><backingStore><source file='/mid'/><backingStore type='block'>
                 <source dev='/dev/base'/></backingStore></backingStore><mirror><source file='/copy'/></mirror></disk>";
    let table: [(&str, &[(&str, Access)]); 12] = [
        (chain, &[("/top", Writes), ("/mid", Reads), ("/dev/base", Reads), ("/copy", Writes)]),
        ("<disk device='cdrom'><source file='/a.iso'/></disk>", &[("/a.iso", Reads)]),
        ("<disk device='cdrom'/>", &[]),
        ("<disk device='floppy'><source file='/a.img'/></disk>", &[("/a.img", Writes)]),
        ("<disk><source file='/a.img'/><readonly/></disk>", &[("/a.img", Reads)]),
        ("<disk type='volume'><source pool='p' volume='v'/></disk>", &[("p/v", Writes)]),
        (
            "<disk type='network'><source protocol='nbd' name='x'><host name='h'/></source></disk>",
            &[("nbd x", Writes)],
        ),
        (
            "<disk><source file='/a'><dataStore type='file'><source file='/data'/></dataStore></source></disk>",
            &[("/a", Writes), ("/data", Writes)],
        ),
        ("<filesystem><source dir='/srv'/><readonly/></filesystem>", &[("/srv", Reads)]),
        ("<memory model='nvdimm'><source><path>/pmem</path></source></memory>", &[("/pmem", Writes)]),
        ("<serial type='file'><source path='/log'/></serial>", &[("/log", Writes)]),
        ("<serial type='pty'><log file='/log'/></serial>", &[("/log", Writes)]),
    ];
    for (devices, held) in table {
        let held: Vec<_> = held.iter().map(|(path, access)| ((*path).to_owned(), *access)).collect();
        assert_eq!(files(devices), held, "{devices}");
    }
    let os = "<domain><os><loader readonly='yes'>/code</loader><nvram>/vars</nvram><kernel>/k</kernel></os></domain>";
    let found = of(&parse(os).unwrap());
    let found: Vec<_> = found.iter().map(|u| (u.medium.clone().unwrap().to_string(), u.access)).collect();
    assert_eq!(found, [("/code".into(), Reads), ("/vars".into(), Writes), ("/k".into(), Reads)]);
}
