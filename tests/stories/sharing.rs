// SPDX-License-Identifier: Apache-2.0
//! FDP_VMS_EXT.1: VMs share nothing unless alice opens a channel between them, and bob opens none by any way in.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_tests::attempt::{self, Shown};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};
use virtwarden_tests::trail;

const COMMON: &str = "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/srv/vms/common.img'/><target dev='vdc' bus='virtio'/><shareable/></disk>";

/// A VM that has nothing but a screen.
fn bare(name: &str, vm_type: &str) -> String {
    format!(
        "<domain type='{vm_type}'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os>
         <devices><graphics type='vnc'><listen type='none'/></graphics><video><model type='vga'/></video>
         <memballoon model='none'/></devices></domain>"
    )
}

fn set(host: &Host) -> Result<(), String> {
    scene::set(host)?;
    let vm_type = scene::vm_type(host);
    for vm in ["one", "two", "three", "four"] {
        check("write", &host.write(&format!("/srv/vms/{vm}.xml"), &bare(vm, &vm_type)))?;
    }
    check("write", &host.write("/srv/vms/common.xml", COMMON))?;
    check("image", &host.root("truncate -s 1M /srv/vms/common.img; chown libvirt-qemu /srv/vms/common.img"))?;
    check(
        "four VMs",
        &alice(host, "for vm in one two three four; do virsh define /srv/vms/$vm.xml || exit 1; done"),
    )
}

fn refused(what: &str, ran: &Ran, why: &str) -> Result<(), String> {
    if ran.succeeded() || !ran.shown().contains(why) {
        return Err(format!(
            "{what}: expected a refusal with `{why}`, exit code {}: {}",
            ran.code,
            ran.shown()
        ));
    }
    told("alice", what, "refused");
    Ok(())
}

/// What one writes into the common disk, the other reads.
fn exchange(host: &Host, one: &str, other: &str) -> Ran {
    let io = |vm: &str, command: &str| {
        format!(
            "n=$(virsh qemu-monitor-command {vm} --pretty '{{\"execute\":\"query-named-block-nodes\",\"arguments\":{{\"flat\":true}}}}' \
             | grep -o 'libvirt-[0-9]*-format' | head -1); [ -n \"$n\" ] || n=$(virsh qemu-monitor-command {vm} --pretty \
             '{{\"execute\":\"query-named-block-nodes\",\"arguments\":{{\"flat\":true}}}}' | grep -o 'libvirt-[0-9]*-storage' | head -1); [ -n \"$n\" ] || exit 1; \
             r=$(virsh qemu-monitor-command {vm} --hmp \"qemu-io $n \\\"{command}\\\"\"); echo \"$r\"; \
             case $r in *failed*|*rror*|*annot*|*nvalid*) exit 1;; esac"
        )
    };
    let script = format!(
        "for vm in {one} {other}; do virsh start $vm >/dev/null; done; ( {} ) && ( {} ); end=$?; \
         for vm in {one} {other}; do virsh destroy $vm >/dev/null 2>&1; done; exit $end",
        io(one, "write -P 0x5a 4096 512"),
        io(other, "read -v -P 0x5a 4096 512")
    );
    alice(host, &script)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn fdp_vms_ten_steps() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    let attach = |vm: &str| alice(&host, &format!("virsh attach-device {vm} /srv/vms/common.xml --config"));
    let change = |verb: &str, one: &str, other: &str| {
        check(verb, &alice(&host, &format!("virtwarden sharing {verb} disk {one} {other} --reason story")))
    };
    chapter("a, b: two VMs with defaults share nothing");
    refused("b: one takes a disk to share", &attach("one"), "virtwarden sharing allow disk one host")?;
    if exchange(&host, "one", "two").succeeded() {
        return Err("b: two VMs with defaults exchange data".to_owned());
    }
    chapter("c, d: two VMs with the channel open do");
    change("allow", "one", "two")?;
    check("c: one", &attach("one"))?;
    check("c: two", &attach("two"))?;
    check("d", &exchange(&host, "one", "two"))?;
    // QEMU tells what it read in the VM's log.
    let read = "tail -n 20 /var/log/libvirt/qemu/two.log | grep 'read 512/512' && ! tail -n 20 /var/log/libvirt/qemu/two.log | grep 'erification failed'";
    check("d: what one wrote, two reads", &host.root(read))?;
    told("alice", "d: what one wrote, two read", "exchanged");
    chapter("e, f: with one on and one off they do not");
    check(
        "e: off for the first pair",
        &alice(&host, "for vm in one two; do virsh detach-disk $vm vdc --config || exit 1; done"),
    )?;
    change("allow", "three", "host")?;
    check("e: three alone", &attach("three"))?;
    refused("f: four takes it too", &attach("four"), "virtwarden sharing allow disk four host")?;
    chapter("g, h: alice opens the channel for the second");
    let before = trail::end(&host);
    change("allow", "three", "four")?;
    check("g: four", &attach("four"))?;
    check("h", &exchange(&host, "three", "four"))?;
    chapter("i, j: alice closes it, and it does not pass any more");
    change("deny", "three", "four")?;
    refused(
        "j: four starts",
        &alice(&host, "virsh start three && virsh start four"),
        "virtwarden sharing allow disk",
    )?;
    recorded(&host, before)
}

/// Each of alice's changes is on record as row 8 with both VMs and the channel.
fn recorded(host: &Host, before: u64) -> Result<(), String> {
    for operation in ["sharing allow", "sharing deny"] {
        trail::until(host, before, |records| {
            let fits = records.iter().any(|record| {
                record.is(Kind::Attempt, Outcome::Pending)
                    && record.event.operation == operation
                    && record.is_about("three")
                    && record.is_about("four")
                    && record.event.functions.contains(&Function::ConfigureSharing)
                    && record.event.detail.contains("disk")
            });
            if fits { Ok(()) } else { Err(format!("no record of `{operation}` among {records:#?}")) }
        })?;
    }
    Ok(())
}

const SPICE: &str = "<graphics type='spice'><listen type='none'/></graphics>";

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_opens_no_channel_by_any_way_in() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    let props = format!(
        "set -e; export LIBVIRT_DEFAULT_URI='{BEHIND}'; cd /tmp; u=$(virsh domuuid bobvm | head -1)
         virsh dumpxml bobvm --inactive > plain.xml
         sed \"s#<graphics.*#{SPICE}#;s#<listen.*##;s#</graphics>##\" plain.xml | sed 's#<listen/>##' > /dev/null
         python3 - <<'P'
import re
text = open('/tmp/plain.xml').read()
spice = re.sub(r'<graphics.*?</graphics>', \"{SPICE}\", text, flags=re.S)
open('/tmp/spice.xml', 'w').write(spice)
open('/tmp/trojan.xml', 'w').write('<domainsnapshot><name>trojan</name><state>shutoff</state><creationTime>1</creationTime>' + spice + '</domainsnapshot>')
P
         printf '%s' \"{COMMON}\" > common.xml; printf \"<shmem name='pot'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>\" > shmem.xml
         printf \"<vsock model='virtio'><cid auto='yes'/></vsock>\" > vsock.xml
         printf \"<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4555'/><protocol type='raw'/></serial>\" > tcp.xml
         printf \"{SPICE}\" > screen.xml; chmod 644 ./*.xml"
    );
    check("props", &host.root(&props))?;
    for (script, shown) in [
        ("virtwarden sharing allow disk bobvm finance", Shown::Row(8)),
        ("virtwarden sharing allow clipboard bobvm host", Shown::Row(8)),
        ("virtwarden sharing deny clipboard bobvm host", Shown::Row(8)),
        ("virtwarden sharing list", Shown::Row(8)),
        ("virsh attach-device bobvm /tmp/common.xml --config", Shown::Row(3)),
        ("virsh attach-device bobvm /tmp/shmem.xml --config", Shown::Row(8)),
        ("virsh attach-device bobvm /tmp/vsock.xml --config", Shown::Row(8)),
        ("virsh attach-device bobvm /tmp/tcp.xml --config", Shown::Row(3)),
        ("virsh update-device bobvm /tmp/screen.xml --config", Shown::Row(3)),
        ("virsh define /tmp/spice.xml", Shown::Row(3)),
        ("virsh snapshot-create bobvm /tmp/trojan.xml --redefine", Shown::Row(3)),
    ] {
        attempt::refused(&host, script, shown).map_err(|error| format!("{script}: {error}"))?;
        told("bob", script, "refused");
    }
    Ok(())
}

/// A serial line that whoever reaches the port can read and write.
const LINE: &str = "<serial type='tcp'><source mode='bind' host='127.0.0.1' service='4555'/><protocol type='raw'/><target port='1'/></serial>";

#[test]
#[ignore = "needs a test host: make stories"]
fn what_is_withdrawn_ends_with_the_vm_and_does_not_start_again() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    check("line", &host.write("/srv/vms/line.xml", LINE))?;
    let (why, plug) = (
        "virtwarden sharing allow chardev bobvm host",
        "virsh attach-device bobvm /srv/vms/line.xml --config",
    );
    refused("alice gives bobvm a line", &alice(&host, plug), why)?;
    check("dry run", &alice(&host, &format!("{why} --dry-run")))?;
    refused("after a dry run", &alice(&host, plug), why)?;
    check("open", &alice(&host, why))?;
    check("line on", &alice(&host, plug))?;
    check("renamed", &alice(&host, "virsh domrename bobvm his && virsh domrename his bobvm"))?;
    check("bob starts it", &bob(&host, "virsh start bobvm"))?;
    check("listed", &alice(&host, "virtwarden sharing list | grep -q '^chardev *host *bobvm *open'"))?;
    check("close", &alice(&host, "virtwarden sharing deny chardev bobvm host"))?;
    check(
        "in use",
        &alice(&host, "virtwarden sharing list | grep chardev | grep -q 'in use until stopped'"),
    )?;
    check("it runs on", &bob(&host, "virsh domstate bobvm | grep -q running && virsh destroy bobvm"))?;
    refused("bob starts it again", &bob(&host, "virsh start bobvm"), why)?;
    let behind = host.root(&format!("timeout 60 virsh -c '{BEHIND}' start bobvm"));
    refused("root starts it behind the gate", &behind, why)?;
    check("open again", &alice(&host, why))?;
    let gone = "virsh undefine bobvm && sleep 1; virtwarden sharing list | grep -c bobvm | grep -qx 0";
    check("a VM that is gone has no channel", &alice(&host, gone))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_disk_is_one_vms_under_every_name() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    let names = "set -e; cd /srv/vms; ln -f finance.qcow2 hard.qcow2; ln -sf finance.qcow2 soft.qcow2
        qemu-img create -q -f qcow2 -b /srv/vms/finance.qcow2 -F qcow2 over.qcow2; mkdir -p /srv/store
        ln -f finance.qcow2 /srv/store/vol.qcow2; qemu-img create -q -f qcow2 -b /srv/vms/finance.qcow2 -F qcow2 /srv/store/over.qcow2
        chmod 644 ./*.qcow2 /srv/store/*.qcow2";
    check("names", &host.root(names))?;
    check("pool", &alice(&host, "virsh pool-refresh store"))?;
    let disk = |source: &str, kind: &str| {
        format!(
            "<disk type='{kind}' device='disk'><driver name='qemu' type='qcow2'/>{source}<target dev='vdc' bus='virtio'/></disk>"
        )
    };
    let explicit = "<source file='/srv/vms/over.qcow2'/><backingStore type='file'><format type='qcow2'/><source file='/srv/vms/finance.qcow2'/><backingStore/></backingStore>";
    for (what, disk) in [
        ("itself", disk("<source file='/srv/vms/finance.qcow2'/>", "file")),
        ("hard link", disk("<source file='/srv/vms/hard.qcow2'/>", "file")),
        ("symbolic link", disk("<source file='/srv/vms/soft.qcow2'/>", "file")),
        ("volume", disk("<source pool='store' volume='vol.qcow2'/>", "volume")),
        ("overlay in a pool", disk("<source file='/srv/store/over.qcow2'/>", "file")),
        ("overlay that says so", disk(explicit, "file")),
        (
            "folder",
            "<filesystem type='mount'><source dir='/srv/vms'/><target dir='x'/></filesystem>".to_owned(),
        ),
    ] {
        check("write", &host.write("/tmp/taken.xml", &disk))?;
        let why = if what == "folder" {
            "virtwarden sharing allow shared-folder one host"
        } else {
            "virtwarden sharing allow disk one finance"
        };
        refused(what, &alice(&host, "virsh attach-device one /tmp/taken.xml --config"), why)?;
        let behind = format!(
            "B='{BEHIND}'; virsh -c \"$B\" attach-device one /tmp/taken.xml --config || exit 9; timeout 60 virsh -c \"$B\" start one; end=$?; virsh -c \"$B\" destroy one 2>/dev/null; virsh -c \"$B\" detach-device one /tmp/taken.xml --config; exit $end"
        );
        let ran = host.root(&behind);
        if ran.code == 9 {
            return Err(format!("{what}: {}", ran.shown()));
        }
        refused(&format!("{what}, behind the gate"), &ran, "virtwarden sharing allow")?;
    }
    chapter("an overlay that nobody declared shows when libvirt looks at it");
    check("write", &host.write("/tmp/taken.xml", &disk("<source file='/srv/vms/over.qcow2'/>", "file")))?;
    check("not in any pool", &alice(&host, "virsh attach-device one /tmp/taken.xml --config"))?;
    refused("its start", &alice(&host, "virsh start one"), "virtwarden sharing allow disk one finance")
}
