// SPDX-License-Identifier: Apache-2.0
//! FDP_VMS_EXT.1 for disks that build upon each other: what one VM wrote comes into no file that another reads,
//! whoever commits it there, unless alice opened a channel between them.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::attempt::{self, Shown};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};
use virtwarden_tests::trail;

type Told = Result<(), String>;

/// bobvm and finance each have a disk that builds upon `gold`; bobvm runs. `spare` is nobody's.
fn set() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let images = "set -e; cd /srv/store; qemu-img create -q -f qcow2 gold.qcow2 8M
        for vm in bobvm finance; do qemu-img create -q -f qcow2 -b /srv/store/gold.qcow2 -F qcow2 $vm.qcow2; done
        chown libvirt-qemu: ./*.qcow2; chmod 644 ./*.qcow2";
    check("images", &host.root(images))?;
    let disks =
        "set -e; virsh pool-refresh store; for vm in bobvm finance; do virsh detach-disk $vm vda --config
        virsh attach-disk $vm /srv/store/$vm.qcow2 vda --subdriver qcow2 --targetbus virtio --config; done
        virsh start bobvm";
    check("disks", &alice(&host, disks))?;
    Ok(host)
}

/// alice is refused on all three sides: what she is told, what is on the disks, and what is on record.
fn refused(host: &Host, script: &str, operation: &str) -> Told {
    let (before, since) = (attempt::state(host), trail::end(host));
    let ran = alice(host, script);
    let shown = ran.shown();
    if ran.succeeded() || !shown.contains("virtwarden sharing allow disk bobvm finance") {
        return Err(format!("`{script}` was not refused: exit code {}: {shown}", ran.code));
    }
    let after = attempt::state(host);
    if before != after {
        return Err(format!("`{script}` changed the state:\n{before}\n--- became ---\n{after}"));
    }
    trail::until(host, since, |records| {
        let fits = records.iter().any(|record| {
            record.is(Kind::Denial, Outcome::Denied)
                && record.is_of("alice")
                && record.is_about("bobvm")
                && record.event.operation == operation
                && record.event.detail.contains("/srv/store/gold.qcow2")
        });
        if fits { Ok(()) } else { Err(format!("no denial of {operation} among {records:#?}")) }
    })?;
    told("alice", script, "refused");
    Ok(())
}

fn gold(host: &Host) -> String {
    host.root("sha256sum < /srv/store/gold.qcow2").out
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_a_vm_wrote_is_committed_into_nothing_that_another_builds_upon() -> Told {
    let host = set()?;
    chapter("finance is shut off, and nothing in its definition names what its disk builds upon");
    let commit = "virsh blockcommit bobvm vda --wait";
    for (script, operation) in [
        (format!("{commit} --active --pivot"), "DOMAIN_BLOCK_COMMIT"),
        (format!("{commit} --active --pivot --base /srv/store/gold.qcow2"), "DOMAIN_BLOCK_COMMIT"),
        (format!("{commit} --active --keep-overlay --base 'vda[2]'"), "DOMAIN_BLOCK_COMMIT"),
        (format!("{commit} --active --pivot --shallow --delete"), "DOMAIN_BLOCK_COMMIT"),
        ("virsh blockcopy bobvm vda /srv/store/gold.qcow2 --reuse-external --transient-job --wait".into(), "DOMAIN_BLOCK_COPY"),
        ("virsh snapshot-create-as bobvm over --disk-only --reuse-external --diskspec vda,file=/srv/store/gold.qcow2".into(), "DOMAIN_SNAPSHOT_CREATE_XML"),
    ] {
        refused(&host, &script, operation)?;
    }
    chapter("what bobvm alone builds upon is its own to write");
    let own = "set -e; virsh snapshot-create-as bobvm later --disk-only --no-metadata --diskspec vda,file=/srv/store/later.qcow2
        virsh pool-refresh store; virsh blockcommit bobvm vda --base /srv/store/bobvm.qcow2 --active --pivot --wait
        virsh domblklist bobvm | grep -q /srv/store/bobvm.qcow2";
    let before = gold(&host);
    check("into its own", &alice(&host, own))?;
    if gold(&host) != before {
        return Err("the commit into its own file wrote `gold`".to_owned());
    }
    chapter("an image that no pool knows could build upon anything");
    let aside = format!(
        "set -e; cp /srv/store/finance.qcow2 /srv/vms/aside.qcow2; B='{BEHIND}'; virsh -c \"$B\" detach-disk finance vda --config
         virsh -c \"$B\" attach-disk finance /srv/vms/aside.qcow2 vda --subdriver qcow2 --targetbus virtio --config"
    );
    check("aside", &host.root(&aside))?;
    refused(&host, &format!("{commit} --active --pivot"), "DOMAIN_BLOCK_COMMIT")?;
    chapter("alice opens the channel, and it is done");
    check("open", &alice(&host, "virtwarden sharing allow disk bobvm finance --reason story"))?;
    check("commit", &alice(&host, &format!("{commit} --active --pivot")))?;
    check("its disk", &alice(&host, "virsh domblklist bobvm | grep -q /srv/store/gold.qcow2"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_forgets_no_snapshot_into_what_another_vm_builds_upon() -> Told {
    let host = set()?;
    let scene = "set -e; virsh destroy bobvm; virsh detach-disk bobvm vda --config; virsh detach-disk finance vda --config
        virsh attach-disk bobvm /srv/store/gold.qcow2 vda --subdriver qcow2 --targetbus virtio --config; virsh start bobvm
        virsh snapshot-create-as bobvm outside --disk-only --diskspec vda,file=/srv/store/outside.qcow2; virsh pool-refresh store
        virsh attach-disk finance /srv/store/finance.qcow2 vda --subdriver qcow2 --targetbus virtio --config";
    check("a snapshot outside the disk", &alice(&host, scene))?;
    for script in ["virsh snapshot-delete bobvm outside", "virsh snapshot-delete bobvm outside --children"] {
        let ran = attempt::refused(&host, script, Shown::Denied)?;
        if !ran.shown().contains("with VM `another`") {
            return Err(ran.shown());
        }
        told("bob", script, "refused");
    }
    let alone = "virsh detach-disk finance vda --config && virsh vol-delete finance.qcow2 store";
    check("nobody else builds upon it", &alice(&host, alone))?;
    let ran = bob(&host, "virsh snapshot-delete bobvm outside");
    // libvirt 9 has no way to do it at all.
    let unsupported = ran.shown().contains("unsupported") || ran.shown().contains("not supported");
    if ran.succeeded() || (unsupported && !ran.shown().contains("access denied")) {
        Ok(())
    } else {
        Err(ran.shown())
    }
}
