// SPDX-License-Identifier: Apache-2.0
//! FDP_VMS_EXT.1 for what SPICE and QEMU carry besides disks: clipboard and files of whoever looks at the screen,
//! memory that two VMs share, sockets between guest and host. All off; each on by a channel that alice opens, and the
//! emulator's own process shows which.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_core::table3::Function;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, check};
use virtwarden_tests::trail;

type Told = Result<(), String>;

/// What the emulator is told where SPICE carries none of the two.
const NO_CLIPBOARD: &str = "disable-copy-paste=on";
const NO_FILES: &str = "disable-agent-file-xfer=on";

fn set() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    Ok(host)
}

/// A VM with a SPICE screen, these settings in it, and these devices.
fn define(host: &Host, name: &str, settings: &str, devices: &str) -> Result<Ran, String> {
    let vm_type = scene::vm_type(host);
    let xml = format!(
        "<domain type='{vm_type}'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os>
         <devices><graphics type='spice'><listen type='none'/>{settings}</graphics><video><model type='vga'/></video>
         <memballoon model='none'/>{devices}</devices></domain>"
    );
    check("write", &host.write(&format!("/srv/vms/{name}.xml"), &xml))?;
    // A VM keeps its identity when it is defined again, and with it its channels.
    let define = "u=$(virsh domuuid VM 2>/dev/null | head -1); f=$(mktemp)
        sed \"s#<name>VM</name>#&${u:+<uuid>$u</uuid>}#\" /srv/vms/VM.xml > $f; virsh define $f; r=$?; rm $f; exit $r";
    Ok(alice(host, &define.replace("VM", name)))
}

fn refused(host: &Host, what: &str, ran: &Ran, since: u64, why: &str) -> Told {
    if ran.succeeded() || !ran.shown().contains(why) {
        return Err(format!(
            "{what}: expected a refusal with `{why}`, exit code {}: {}",
            ran.code,
            ran.shown()
        ));
    }
    trail::until(host, since, |records| {
        let fits = |record: &trail::Recorded| {
            record.is(Kind::Denial, Outcome::Denied)
                && record.is_of("alice")
                && record.event.detail.contains(why)
        };
        if records.iter().any(fits) { Ok(()) } else { Err(format!("{what}: no denial among {records:#?}")) }
    })?;
    told("alice", what, "refused");
    Ok(())
}

/// Starts a VM, and answers with the emulator's arguments.
fn arguments(host: &Host, vm: &str) -> Result<String, String> {
    check("start", &alice(host, &format!("virsh start {vm}")))?;
    let ran = host.root(&format!("tr '\\0' ' ' < /proc/$(cat /run/libvirt/qemu/{vm}.pid)/cmdline"));
    check("destroy", &alice(host, &format!("virsh destroy {vm}")))?;
    check("arguments", &ran)?;
    if ran.out.contains("-spice") { Ok(ran.out) } else { Err(format!("no SPICE in: {}", ran.out)) }
}

/// Whether the emulator carries the clipboard and files.
fn carries(host: &Host, vm: &str) -> Result<(bool, bool), String> {
    let arguments = arguments(host, vm)?;
    Ok((!arguments.contains(NO_CLIPBOARD), !arguments.contains(NO_FILES)))
}

fn is(what: &str, found: (bool, bool), expected: (bool, bool)) -> Told {
    let words = |on: bool| if on { "on" } else { "off" };
    told("alice", what, &format!("clipboard {}, files {}", words(found.0), words(found.1)));
    if found == expected { Ok(()) } else { Err(format!("{what}: clipboard and files are {found:?}")) }
}

fn definition(host: &Host, vm: &str) -> String {
    host.root(&format!("virsh -c '{}' dumpxml {vm} --inactive", scene::BEHIND)).out
}

#[test]
#[ignore = "needs a test host: make stories"]
fn clipboard_and_files_of_a_screen_are_off_until_a_channel_is_open() -> Told {
    let host = set()?;
    chapter("a VM whose definition says nothing of them");
    check("define", &define(&host, "one", "", "")?)?;
    is("a new VM", carries(&host, "one")?, (false, false))?;
    for (setting, channel, on) in [
        ("<clipboard copypaste='yes'/><filetransfer enable='no'/>", "clipboard", (true, false)),
        ("<clipboard copypaste='no'/><filetransfer enable='yes'/>", "file-transfer", (false, true)),
    ] {
        chapter(channel);
        let allow = format!("virtwarden sharing allow {channel} one host");
        let (before, since) = (definition(&host, "one"), trail::end(&host));
        refused(&host, &format!("{channel} on"), &define(&host, "one", setting, "")?, since, &allow)?;
        if definition(&host, "one") != before {
            return Err(format!("{channel}: the definition changed"));
        }
        check("allow", &alice(&host, &format!("{allow} --reason story")))?;
        check("on", &define(&host, "one", setting, "")?)?;
        is("with the channel open", carries(&host, "one")?, on)?;
        check("deny", &alice(&host, &format!("virtwarden sharing deny {channel} one host")))?;
        let since = trail::end(&host);
        refused(&host, "start without the channel", &alice(&host, "virsh start one"), since, &allow)?;
        on_record(&host, &["sharing allow", "sharing deny"], channel)?;
        // Where a definition of a VM that is there says nothing, SPICE carries both.
        let off = "<clipboard copypaste='no'/><filetransfer enable='no'/>";
        check("off again", &define(&host, "one", off, "")?)?;
    }
    Ok(())
}

fn on_record(host: &Host, operations: &[&str], channel: &str) -> Told {
    trail::until(host, 0, |records| {
        let has = |operation: &&&str| {
            records.iter().any(|record| {
                record.event.operation == **operation
                    && record.is_of("alice")
                    && record.is_about("one")
                    && record.event.functions.contains(&Function::ConfigureSharing)
                    && record.event.detail.contains(channel)
            })
        };
        let missing: Vec<_> = operations.iter().filter(|operation| !has(operation)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("{channel}: no record of {missing:?}")) }
    })
}

const POT: &str = "<shmem name='pot'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>";

#[test]
#[ignore = "needs a test host: make stories"]
fn memory_is_shared_by_whom_a_channel_is_open_for() -> Told {
    let host = set()?;
    for vm in ["one", "two"] {
        check("define", &define(&host, vm, "", "")?)?;
    }
    check("write", &host.write("/srv/vms/pot.xml", POT))?;
    let attach = |vm: &str| alice(&host, &format!("virsh attach-device {vm} /srv/vms/pot.xml --config"));
    let since = trail::end(&host);
    refused(&host, "memory for one", &attach("one"), since, "virtwarden sharing allow shmem one host")?;
    check("one alone", &alice(&host, "virtwarden sharing allow shmem one host"))?;
    check("two alone", &alice(&host, "virtwarden sharing allow shmem two host"))?;
    check("attach", &attach("one"))?;
    let since = trail::end(&host);
    refused(&host, "the same for two", &attach("two"), since, "virtwarden sharing allow shmem two one")?;
    check("both", &alice(&host, "virtwarden sharing allow shmem one two"))?;
    check("attach", &attach("two"))?;
    check("start", &alice(&host, "virsh start one && virsh start two"))?;
    let mapped = "for vm in one two; do grep -q /dev/shm/pot /proc/$(cat /run/libvirt/qemu/$vm.pid)/maps || exit 1; done";
    check("both emulators have the same memory", &host.root(mapped))?;
    told("alice", "one and two share memory", "both have /dev/shm/pot");
    check(
        "end",
        &alice(&host, "virsh destroy one; virsh destroy two; virtwarden sharing deny shmem one two"),
    )?;
    for vm in ["one", "two"] {
        let starts = alice(&host, &format!("virsh start {vm}"));
        if starts.succeeded() || !starts.shown().contains("virtwarden sharing allow shmem") {
            return Err(format!("{vm} started with the other's memory: {}", starts.shown()));
        }
        told("alice", &format!("{vm} starts without the channel"), "refused");
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_socket_between_guest_and_host_needs_a_channel() -> Told {
    let host = set()?;
    check("define", &define(&host, "one", "", "")?)?;
    check("write", &host.write("/srv/vms/vsock.xml", "<vsock model='virtio'><cid auto='yes'/></vsock>"))?;
    let attach = "virsh attach-device one /srv/vms/vsock.xml --config";
    let since = trail::end(&host);
    refused(&host, "a vsock", &alice(&host, attach), since, "virtwarden sharing allow vsock one host")?;
    check("open", &alice(&host, "virtwarden sharing allow vsock one host"))?;
    check("attach", &alice(&host, attach))?;
    if !host.root("test -c /dev/vhost-vsock").succeeded() {
        println!("SKIPPED: no VM with a vsock starts here: this host has no /dev/vhost-vsock");
        return Ok(());
    }
    let arguments = arguments(&host, "one")?;
    if arguments.contains("vhost-vsock") { Ok(()) } else { Err(arguments) }
}
