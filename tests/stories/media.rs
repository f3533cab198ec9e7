// SPDX-License-Identifier: Apache-2.0
//! Removable media between information domains: RDM-1 and RDM-2 of FPT_RDM_EXT.1 for discs and floppies, PPR for
//! what is no medium, and every other way in that a program which runs as bob has.

use virtwarden_core::record::{Kind, Outcome};
use virtwarden_tests::attempt::{self, Shown};
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, LIBRARY, alice, bob, check};
use virtwarden_tests::trail;

type Told = Result<(), String>;

const RULES: &str = "/etc/virtwarden/policy.d/10-media.toml";
const FLOPPY: &str =
    "<disk type='file' device='floppy'><driver name='qemu' type='raw'/><target dev='fda' bus='fdc'/>";

/// bob has a VM in each information domain, each with a disc drive and a floppy drive.
fn set() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let floppies = format!("cd {LIBRARY} && truncate -s 1440K boot.img && chmod 644 boot.img");
    check("floppy", &host.root(&floppies))?;
    for (name, rest) in [("read", "<readonly/></disk>"), ("write", "</disk>")] {
        check(
            "floppy drive",
            &host.write(&format!("/srv/vms/{name}-floppy.xml"), &format!("{FLOPPY}{rest}")),
        )?;
    }
    check(
        "drives",
        &alice(
            &host,
            "set -e; virtwarden vm assign finance bob
            for vm in bobvm finance; do virsh attach-device $vm /srv/vms/read-floppy.xml --config; done",
        ),
    )?;
    Ok(host)
}

/// The rule for images, in force at once.
fn rule(host: &Host, image: &str) -> Told {
    check("rule", &host.write(RULES, &format!("[media]\nlibrary = [\"{LIBRARY}\"]\nimage = {{ {image} }}")))?;
    check("reload", &alice(host, "virtwarden policy reload"))
}

/// The shipped rules again.
fn clear(host: &Host) {
    host.root(&format!("rm -f {RULES}"));
    alice(host, "virtwarden policy reload");
}

/// Plays on a host whose rules are put back whatever happens.
fn with_rules(play: impl FnOnce(&Host) -> Told) -> Told {
    let host = set()?;
    let played = play(&host);
    clear(&host);
    played
}

fn insert(vm: &str, drive: &str, file: &str) -> String {
    format!("virsh change-media {vm} {drive} --insert {LIBRARY}/{file}")
}

/// bob does it, and the trail says so: who, which VM, which medium.
fn moves(host: &Host, script: &str, operation: &str, vm: &str, file: &str) -> Told {
    let before = trail::end(host);
    check(script, &bob(host, script))?;
    on_record(host, before, operation, vm, &format!("image:{LIBRARY}/{file}"))
}

fn on_record(host: &Host, before: u64, operation: &str, vm: &str, medium: &str) -> Told {
    let records = trail::after(host, before);
    let fits = records.iter().any(|record| {
        record.event.operation == operation
            && record.is(Kind::Change, Outcome::Success)
            && record.is_of("bob")
            && record.is_about(vm)
            && record.is_about(medium)
    });
    if fits { Ok(()) } else { Err(format!("no `{operation}` of {medium} with {vm} among {records:#?}")) }
}

/// bob is refused on all three sides, and what he is told contains this.
fn refused(host: &Host, script: &str, words: &str) -> Told {
    let ran = attempt::refused(host, script, Shown::Denied)?;
    told("bob", script, "refused, told why");
    says(&ran, words)
}

fn says(ran: &Ran, words: &str) -> Told {
    if ran.shown().contains(words) { Ok(()) } else { Err(format!("`{words}` is not in: {}", ran.shown())) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn rdm_1_granted_media_go_where_they_are_granted_and_nowhere_else() -> Told {
    with_rules(|host| {
        chapter("RDM-1, grant: images for red alone");
        rule(host, "rule = \"grant\", granted = [\"red\"]")?;
        check("start", &bob(host, "virsh start bobvm && virsh start finance"))?;
        for (drive, file) in [("hdc", "tools.iso"), ("fda", "boot.img")] {
            moves(host, &insert("bobvm", drive, file), "media insert", "bobvm", file)?;
            moves(host, &format!("virsh change-media bobvm {drive} --eject"), "media eject", "bobvm", file)?;
            refused(host, &insert("finance", drive, file), "not granted")?;
        }
        let hers = insert("finance", "hdc", "tools.iso");
        check("an administrator's own hand is a grant", &alice(host, &hers))
    })
}

/// Programs that know media by storage pools alone find those of the library of today.
#[test]
#[ignore = "needs a test host: make stories"]
fn the_pools_of_the_library_follow_the_policy() -> Told {
    with_rules(|host| {
        chapter("the library gets another directory, and loses it again");
        check("directory", &host.root("install -d -m 755 /srv/more-media"))?;
        let shown = |times: u8| {
            format!(
                "for pool in $(virsh -c '{BEHIND}' pool-list --name); do virsh -c '{BEHIND}' pool-dumpxml $pool; done \
                 | grep -c '<path>/srv/more-media</path>' | grep -qx {times}"
            )
        };
        let more = format!("[media]\nlibrary = [\"{LIBRARY}\", \"/srv/more-media\"]\n");
        check("library", &host.write(RULES, &more))?;
        check("reload", &alice(host, "virtwarden policy reload"))?;
        host.wait("a pool of it", &shown(1))?;
        check("bob sees it", &bob(host, "virsh pool-list --name | grep -qx virtwarden-media-2"))?;
        told("bob", "sees a pool of the new directory", "holds");
        clear(host);
        host.wait("no pool of it", &shown(0))?;
        told("root", "finds none of it once the policy names it no more", "holds");
        Ok(())
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn rdm_1_a_medium_must_be_ejected_first() -> Told {
    with_rules(|host| {
        chapter("RDM-1, eject-first: running, shut off, saved");
        rule(host, "rule = \"eject-first\"")?;
        check("start", &bob(host, "virsh start bobvm && virsh start finance"))?;
        for (drive, file) in [("hdc", "tools.iso"), ("fda", "boot.img")] {
            let eject = format!("virsh change-media bobvm {drive} --eject --live --config");
            let both = format!("{} --live --config", insert("bobvm", drive, file));
            moves(host, &both, "media insert", "bobvm", file)?;
            refused(host, &insert("finance", drive, file), "eject it there first")?;
            check("stop", &bob(host, "virsh destroy bobvm"))?;
            refused(host, &insert("finance", drive, file), "eject it there first")?;
            check("start", &bob(host, "virsh start bobvm"))?;
            moves(host, &eject, "media eject", "bobvm", file)?;
            moves(host, &insert("finance", drive, file), "media insert", "finance", file)?;
            refused(host, &both, "eject it there first")?;
            let back = format!("virsh change-media finance {drive} --eject");
            moves(host, &back, "media eject", "finance", file)?;
        }
        Ok(())
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_saved_vm_does_not_resume_with_a_medium_that_has_gone_elsewhere() -> Told {
    with_rules(|host| {
        rule(host, "rule = \"eject-first\"")?;
        check("start", &bob(host, "virsh start bobvm && virsh start finance"))?;
        check("insert", &bob(host, &insert("bobvm", "hdc", "tools.iso")))?;
        check("save", &bob(host, "virsh managedsave bobvm"))?;
        check("elsewhere", &bob(host, &insert("finance", "hdc", "tools.iso")))?;
        refused(host, "virsh start bobvm", "eject it there first")?;
        check("eject", &bob(host, "virsh change-media finance hdc --eject"))?;
        check("resume", &bob(host, "virsh start bobvm"))?;
        let file = "f=/var/lib/virtwarden/saved/$(virsh domuuid bobvm | head -1)/disc";
        check("save to a file", &bob(host, &format!("{file}; virsh save bobvm $f")))?;
        check("elsewhere", &bob(host, &insert("finance", "hdc", "tools.iso")))?;
        refused(host, &format!("{file}; virsh restore $f"), "eject it there first")
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn rdm_1_a_medium_waits_for_its_user() -> Told {
    with_rules(|host| {
        rule(host, "rule = \"ask-user\"")?;
        check("start", &bob(host, "virsh start bobvm"))?;
        refused(host, &insert("bobvm", "hdc", "tools.iso"), "virtwarden media confirm")
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn rdm_1_what_is_denied_is_denied_to_administrators_too() -> Told {
    with_rules(|host| {
        chapter("RDM-1, deny; the policy changes between");
        rule(host, "rule = \"grant\", granted = \"all-vms\"")?;
        check("start", &bob(host, "virsh start bobvm"))?;
        check("insert", &bob(host, &format!("{} --live --config", insert("bobvm", "hdc", "tools.iso"))))?;
        check("save", &bob(host, "virsh managedsave bobvm"))?;
        rule(host, "rule = \"deny\"")?;
        refused(host, "virsh start bobvm", "\"deny\"")?;
        refused(host, "virsh start bobvm --force-boot", "\"deny\"")?;
        refused(host, &insert("finance", "hdc", "tools.iso"), "\"deny\"")?;
        refused(host, &insert("finance", "fda", "boot.img"), "\"deny\"")?;
        for script in ["virsh start bobvm", &insert("finance", "hdc", "tools.iso")] {
            let ran = alice(host, script);
            if ran.succeeded() {
                return Err(format!("alice: `{script}` worked"));
            }
            says(&ran, "\"deny\"")?;
        }
        check(
            "without it",
            &bob(
                host,
                "virsh managedsave-remove bobvm; virsh change-media bobvm hdc --eject --config && virsh start bobvm",
            ),
        )
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_floppy_that_may_only_be_read_goes_into_no_drive_that_writes() -> Told {
    with_rules(|host| {
        rule(host, "rule = \"grant\", granted = \"all-vms\"")?;
        let writable = "virsh detach-disk finance fda --config && virsh attach-device finance /srv/vms/write-floppy.xml --config";
        check("a drive that writes", &alice(host, writable))?;
        check("start", &bob(host, "virsh start bobvm && virsh start finance"))?;
        moves(host, &insert("bobvm", "fda", "boot.img"), "media insert", "bobvm", "boot.img")?;
        refused(host, &insert("finance", "fda", "boot.img"), "may only be read")?;
        let owner = host.root(&format!("stat -c %U {LIBRARY}/boot.img")).out;
        if owner.trim() == "root" || owner.trim() == "libvirt-qemu" { Ok(()) } else { Err(owner) }
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_may_define_his_vm_again_with_another_disc_in_it_and_nothing_else() -> Told {
    with_rules(|host| {
        rule(host, "rule = \"grant\", granted = [\"red\"]")?;
        let with = |vm: &str, edit: &str| {
            format!(
                "virsh dumpxml {vm} --inactive | {edit} > /tmp/$$.xml; virsh define /tmp/$$.xml; r=$?; rm /tmp/$$.xml; exit $r"
            )
        };
        let disc = |file: &str| format!("sed \"s#<target dev='hdc'#<source file='{file}'/>&#\"");
        let tools = format!("{LIBRARY}/tools.iso");
        moves(host, &with("bobvm", &disc(&tools)), "media insert", "bobvm", "tools.iso")?;
        refused(host, &with("finance", &disc(&tools)), "not granted")?;
        refused(host, &with("finance", &disc("/etc/passwd")), "not in a media library")?;
        let more = format!("{} | sed 's#65536</memory>#70000</memory>#'", disc(&tools));
        attempt::refused(host, &with("finance", &more), Shown::Row(3)).map(drop)
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn nothing_starts_behind_the_gate_with_a_medium_that_the_policy_denies() -> Told {
    with_rules(|host| {
        chapter("the second lock: root behind the gate, and what starts by itself");
        rule(host, "rule = \"grant\", granted = [\"red\"]")?;
        check("insert", &bob(host, &format!("{} --config", insert("bobvm", "hdc", "tools.iso"))))?;
        let start = format!("virsh -c '{BEHIND}' start bobvm");
        check("granted", &host.root(&format!("{start} && virsh -c '{BEHIND}' destroy bobvm")))?;
        rule(host, "rule = \"deny\"")?;
        let before = trail::end(host);
        let ran = host.root(&start);
        if ran.succeeded() {
            return Err("root started it all the same".to_owned());
        }
        says(&ran, "\"deny\"")?;
        let records = trail::after(host, before);
        let stopped = |record: &trail::Recorded| {
            record.is(Kind::Observation, Outcome::Denied) && record.event.detail.contains("tools.iso")
        };
        if !records.iter().any(stopped) {
            return Err(format!("no record of what stopped it among {records:#?}"));
        }
        rule(host, "rule = \"grant\", granted = [\"blue\"]")?;
        says(&host.root(&start), "not granted")
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn ppr_4_the_disk_the_host_runs_on_is_nobodys() -> Told {
    with_rules(|host| {
        let disk = host.root("awk '$5 == \"/\" { print $3 }' /proc/1/mountinfo | head -n 1").out;
        let name = host.root(&format!("basename $(readlink -f /sys/dev/block/{})", disk.trim())).out;
        let name = name.trim();
        if host.root(&format!("test -e /sys/block/{name} -o -e /sys/class/block/{name}")).code != 0 {
            println!("SKIPPED: this host's root is on no block device that the kernel shows");
            return Ok(());
        }
        let before = trail::end(host);
        let link = format!("ln -sfn /dev/{name} /srv/vms/link.img");
        check("link", &host.root(&link))?;
        for script in [
            format!("virsh attach-disk finance /dev/{name} vdb --sourcetype block --config"),
            "virsh attach-disk finance /srv/vms/link.img vdb --config".to_owned(),
        ] {
            let ran = alice(host, &script);
            if ran.succeeded() {
                return Err(format!("alice: `{script}` worked"));
            }
            says(&ran, "stays with the host")?;
        }
        let records = trail::after(host, before);
        let denied =
            records.iter().filter(|record| record.is(Kind::Denial, Outcome::Denied) && record.is_of("alice"));
        if denied.count() >= 1 { Ok(()) } else { Err("no record of the refusal".to_owned()) }
    })
}

#[test]
#[ignore = "needs a test host: make stories"]
fn redirection_gets_the_filter_of_the_policy_and_no_other() -> Told {
    with_rules(|host| {
        check("redirdev", &host.write("/tmp/redir.xml", "<redirdev bus='usb' type='spicevmc'/>"))?;
        let with = "virsh dumpxml finance --inactive | sed \"s#type='vnc' port='-1'#type='spice'#; s#<listen[^>]*>#&<clipboard copypaste='no'/><filetransfer enable='no'/>#; s#</devices>#<redirdev bus='usb' type='spicevmc'/></devices>#\" > /tmp/spice.xml";
        let defined = alice(host, &format!("{with}; virsh define /tmp/spice.xml"));
        if !defined.succeeded() {
            println!("SKIPPED: no VM with redirection on this host: {}", defined.shown());
            return Ok(());
        }
        let shown = alice(host, "virsh dumpxml finance --inactive").out;
        if !shown.contains("<redirfilter>") || !shown.contains("<usbdev allow='no'/>") {
            return Err(format!("no filter in:\n{shown}"));
        }
        let loose = "virsh -c \"$B\" dumpxml finance --inactive | sed \"s#<usbdev allow='no'/>#<usbdev allow='yes'/>#\" > /tmp/loose.xml && virsh -c \"$B\" define /tmp/loose.xml";
        check("loosened behind the gate", &host.root(&format!("B='{BEHIND}'; {loose}")))?;
        let past = host.root(&format!("virsh -c '{BEHIND}' start finance"));
        if past.succeeded() {
            return Err("it started with a filter of its own".to_owned());
        }
        says(&past, "redirection")?;
        let ran = alice(host, "virsh start finance");
        let shown = alice(host, "virsh dumpxml finance --inactive").out;
        if ran.shown().contains("access denied") || !shown.contains("<usbdev allow='no'/>") {
            return Err(format!("started through the gate: {}\n{shown}", ran.shown()));
        }
        chapter("a VM that was defined without a filter, behind the gate");
        host.root(&format!("virsh -c '{BEHIND}' destroy finance"));
        let bare = "virsh -c \"$B\" dumpxml finance --inactive | sed '/<redirfilter>/,/<.redirfilter>/d' > /tmp/bare.xml && virsh -c \"$B\" define /tmp/bare.xml";
        check(
            "without a filter",
            &host.root(&format!(
                "B='{BEHIND}'; {bare} && ! virsh -c \"$B\" dumpxml finance --inactive | grep redirfilter"
            )),
        )?;
        check("bob starts it", &bob(host, "virsh start finance"))?;
        let shown = bob(host, "virsh dumpxml finance").out;
        let arguments = host.root("tr '\\0' ' ' < /proc/$(cat /run/libvirt/qemu/finance.pid)/cmdline").out;
        if !shown.contains("<usbdev allow='no'/>")
            || !arguments.contains("filter=") && !arguments.contains("\"filter\"")
        {
            return Err(format!("it runs without a filter: {shown}\n{arguments}"));
        }
        told("bob", "starts a VM without a filter", "it runs with the policy's");
        let told = "virtwarden audit list --raw --vm finance --limit 20 | grep -q 'completed: filter of USB redirection'";
        check("on record", &alice(host, told))?;
        host.root(&format!("virsh -c '{BEHIND}' destroy finance"));
        Ok(())
    })
}

/// What a program that runs as bob tries with his own running VM.
const ATTACKS: &[(&str, &str, &str)] = &[
    ("the host's disk", "virsh attach-disk bobvm $ROOT vdb --sourcetype block --live", "(Table 3, 7)"),
    (
        "the host's disk as a disc",
        "virsh change-media bobvm hdc --insert $ROOT --block --live",
        "access denied",
    ),
    (
        "the host's disk as a stick",
        "virsh attach-disk bobvm $ROOT sdz --targetbus usb --sourcetype block --live",
        "(Table 3, 7)",
    ),
    ("a loop device", "virsh change-media bobvm hdc --insert /dev/loop0 --block --live", "access denied"),
    ("a directory of the host", "virsh attach-device bobvm /tmp/share.xml --live", "(Table 3, 8)"),
    ("a PCI device", "virsh attach-device bobvm /tmp/pci.xml --live", "(Table 3, 7)"),
    ("a PCI device as a network card", "virsh attach-device bobvm /tmp/vf.xml --live", "(Table 3, 5)"),
    ("a SCSI device", "virsh attach-device bobvm /tmp/scsi.xml --live", "(Table 3, 7)"),
    (
        "a USB device that is not there",
        "virsh attach-device bobvm /tmp/stick.xml --live",
        "no removable device",
    ),
    (
        "a link to a disc",
        "virsh change-media bobvm hdc --insert /tmp/link.iso --live",
        "not in a media library",
    ),
    ("a link in the library", "virsh change-media bobvm hdc --insert $LIB/link.iso --live", "access denied"),
    (
        "a link to the host's disk",
        "virsh change-media bobvm hdc --insert /tmp/disk.iso --live",
        "not in a media library",
    ),
    ("an image with a backing file", "virsh update-device bobvm /tmp/layered.xml --live", "only `raw` media"),
    ("an image of another format", "virsh update-device bobvm /tmp/vmdk.xml --live", "only `raw` media"),
    ("a disc as a disk that writes", "virsh attach-disk bobvm $LIB/tools.iso vdb --live", "may only be read"),
    ("redirection of USB devices", "virsh attach-device bobvm /tmp/redir.xml --live", "(Table 3, 7)"),
    ("the host's smartcard", "virsh attach-device bobvm /tmp/smartcard.xml --live", "(Table 3, 7)"),
];

const PROPS: &[(&str, &str)] = &[
    (
        "vf",
        "<interface type='hostdev'><source><address type='pci' domain='0' bus='0' slot='1' function='0'/></source></interface>",
    ),
    (
        "scsi",
        "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host0'/><address bus='0' target='0' unit='0'/></source></hostdev>",
    ),
    (
        "stick",
        "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0951'/><product id='0x1666'/></source></hostdev>",
    ),
    ("redir", "<redirdev bus='usb' type='spicevmc'/>"),
    ("smartcard", "<smartcard mode='host'/>"),
    (
        "vmdk",
        "<disk type='file' device='cdrom'><driver name='qemu' type='vmdk'/><source file='/var/lib/virtwarden/media/tools.iso'/><target dev='hdc' bus='ide'/><readonly/></disk>",
    ),
];

#[test]
#[ignore = "needs a test host: make stories"]
fn ppr_what_is_no_medium_is_refused_whatever_it_looks_like() -> Told {
    with_rules(|host| {
        chapter("bob's attack list");
        virtwarden_tests::repertoire::hand_out_props(host)?;
        for (name, text) in PROPS {
            check(name, &host.write(&format!("/tmp/{name}.xml"), text))?;
        }
        check("start", &bob(host, "virsh start bobvm"))?;
        check(
            "links",
            &bob(host, &format!("ln -sfn {LIBRARY}/tools.iso /tmp/link.iso; ln -sfn /dev/vda /tmp/disk.iso")),
        )?;
        let root =
            format!("ROOT=/dev/$(ls /sys/block | grep -v -e loop -e ram -e sr | head -n 1); LIB={LIBRARY}");
        for (what, script, words) in ATTACKS {
            let ran = attempt::refused(host, &format!("{root}; {script}"), Shown::Denied)
                .map_err(|why| format!("{what}: {why}"))?;
            told("bob", what, "refused");
            says(&ran, words).map_err(|why| format!("{what}: {why}"))?;
        }
        Ok(())
    })
}

/// A link that leads now here, now there, a thousand tries in one connection.
#[test]
#[ignore = "needs a test host: make stories"]
fn what_changes_while_it_is_looked_at_never_gets_in() -> Told {
    with_rules(|host| {
        check("start", &bob(host, "virsh start bobvm"))?;
        let race = format!(
            "(while :; do ln -sfn {LIBRARY}/tools.iso /tmp/race.iso; ln -sfn /etc/passwd /tmp/race.iso; done) & flip=$!
            for i in $(seq 500); do
                echo change-media bobvm hdc --insert /tmp/race.iso --live
                echo change-media bobvm hdc --insert {LIBRARY}/../media/tools.iso --live
            done | virsh > /tmp/race.out 2>&1; kill $flip
            grep -c 'access denied' /tmp/race.out; ! grep -q Successfully /tmp/race.out"
        );
        let ran = bob(host, &race);
        check("none got in", &ran)?;
        if ran.out.trim() != "1000" {
            return Err(format!("{} of 1000 were refused", ran.out));
        }
        check(
            "nothing is in the drive",
            &host.root(&format!("! virsh -c '{BEHIND}' dumpxml bobvm | grep -q -e race -e passwd")),
        )
    })
}
