// SPDX-License-Identifier: Apache-2.0
//! A sensitive VM: no door leads its data out, for bob whose it is and for alice who may do everything else, until she
//! takes the marker away.

use virtwarden_core::record::Outcome;
use virtwarden_tests::attempt;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};
use virtwarden_tests::trail;

const REDIRECTION: &str = "<redirdev bus='usb' type='spicevmc'/>";
const STICK: &str = "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/srv/vms/extra.img'/><target dev='sdx' bus='usb'/></disk>";
const VSOCK: &str = "<vsock model='virtio'><cid auto='yes'/></vsock>";

/// What would carry data out of `bobvm`, or into it past its network.
const WAYS: [&str; 19] = [
    "virsh screenshot bobvm /tmp/stolen.ppm",
    "virsh dump bobvm /tmp/stolen.core",
    "virsh dump bobvm /tmp/stolen.core --memory-only",
    "virsh save bobvm /tmp/stolen.state",
    "virsh snapshot-create bobvm",
    "virsh snapshot-create-as bobvm s --disk-only --diskspec vda,file=/tmp/stolen.qcow2",
    "virsh checkpoint-create bobvm",
    "virsh backup-begin bobvm",
    "virsh blockcopy bobvm vda /tmp/stolen.qcow2 --wait",
    "virsh blockcommit bobvm vda",
    "virsh migrate bobvm qemu+ssh://127.0.0.1/system --p2p",
    "virsh vol-download bobvm.qcow2 /tmp/stolen.img --pool kept",
    "virsh vol-download bobvm.qcow2 /tmp/stolen.img --pool alias",
    "virsh vol-clone bobvm.qcow2 stolen.qcow2 --pool kept",
    "virsh attach-device bobvm /srv/vms/redirection.xml --config",
    "virsh attach-device bobvm /srv/vms/stick.xml --config",
    "virsh attach-device bobvm /srv/vms/vsock.xml --config",
    "virsh change-media bobvm hdc /var/lib/virtwarden/media/tools.iso --insert --live",
    "virsh undefine bobvm",
];
/// By our own command, and past the definition.
const OTHER_WAYS: [&str; 4] = [
    "virtwarden media insert bobvm tools.iso",
    "virtwarden sharing allow disk bobvm finance",
    "virsh qemu-monitor-command bobvm --hmp 'info version'",
    "sed 's#</devices>#<redirdev bus=\"usb\" type=\"spicevmc\"/></devices>#' /srv/vms/bare.xml > with.xml; virsh define with.xml",
];

#[test]
#[ignore = "needs a test host: make stories"]
fn a_sensitive_vm_keeps_its_data() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    chapter("a sensitive VM");
    for (name, device) in [("redirection", REDIRECTION), ("stick", STICK), ("vsock", VSOCK)] {
        check("write", &host.write(&format!("/srv/vms/{name}.xml"), device))?;
    }
    check("pools", &host.root(&format!("ln -sfn /srv/vms /srv/alias; B='{BEHIND}'; {POOLS}")))?;
    let played = play(&host);
    let clean = format!(
        "B='{BEHIND}'; rm -f /srv/alias; for p in kept alias; do virsh -c \"$B\" pool-destroy $p; virsh -c \"$B\" pool-undefine $p; done"
    );
    host.root(&clean);
    host.root(&format!("virsh -c '{BEHIND}' destroy bobvm"));
    alice(&host, "virtwarden vm sensitive bobvm off");
    played
}

const POOLS: &str = "for p in kept:/srv/vms alias:/srv/alias; do virsh -c \"$B\" pool-define-as ${p%%:*} dir --target ${p#*:} \
     && virsh -c \"$B\" pool-start ${p%%:*} || exit 1; done";

fn play(host: &Host) -> Result<(), String> {
    let begin = "set -e; virtwarden vm sensitive bobvm on; virtwarden vm show bobvm | grep -q 'sensitive *yes'
        virsh start bobvm; virsh dumpxml bobvm --inactive --security-info > /srv/vms/bare.xml 2>/dev/null || virsh dumpxml bobvm --inactive > bare.xml";
    check("the marker", &host.root("touch /srv/vms/bare.xml; chmod 666 /srv/vms/bare.xml"))?;
    check("the marker", &alice(host, begin))?;
    let all: Vec<&str> = WAYS.iter().chain(&OTHER_WAYS).copied().collect();
    refused(host, "alice", &all, alice)?;
    let his: Vec<&str> = all.iter().copied().chain(["virtwarden vm sensitive bobvm off"]).collect();
    refused(host, "bob", &his, bob)?;
    check(
        "bob works with it",
        &bob(host, "virsh suspend bobvm && virsh resume bobvm && virsh destroy bobvm && virsh start bobvm"),
    )?;
    past_the_gate(host)?;
    let end = "set -e; virtwarden vm sensitive bobvm off; virsh start bobvm; virsh snapshot-create-as bobvm free; virsh snapshot-delete bobvm free
        virsh screenshot bobvm shot >/dev/null; virsh vol-download bobvm.qcow2 out.img --pool kept";
    check("without the marker", &alice(host, end))?;
    told("alice", "virtwarden vm sensitive bobvm off", "all of it works again");
    Ok(())
}

/// Whoever is root and goes past the gate finds the second lock: it does not start.
fn past_the_gate(host: &Host) -> Result<(), String> {
    let past = format!(
        "B='{BEHIND}'; virsh -c \"$B\" destroy bobvm; virsh -c \"$B\" attach-device bobvm /srv/vms/stick.xml --config || exit 9
         virsh -c \"$B\" start bobvm"
    );
    let ran = host.root(&past);
    if ran.succeeded() || ran.code == 9 || !ran.shown().contains("the VM is sensitive") {
        return Err(format!("past the gate: exit code {}: {}", ran.code, ran.shown()));
    }
    check(
        "it does not run",
        &host.root(&format!("virsh -c '{BEHIND}' domstate bobvm | grep -q 'shut off'")),
    )?;
    let back = format!("virsh -c '{BEHIND}' detach-device bobvm /srv/vms/stick.xml --config");
    told("root", "start, with a USB disk put in past the gate", "refused by the hook");
    check("as it was", &host.root(&back))
}

/// The error shown, the state unchanged, a record of each.
fn refused(host: &Host, person: &str, scripts: &[&str], act: fn(&Host, &str) -> Ran) -> Result<(), String> {
    let before = attempt::state(host);
    let since = trail::end(host);
    let bundle: String =
        scripts.iter().map(|script| format!("( {script} ) </dev/null 2>&1; echo \"ended $?\"\n")).collect();
    let ran = act(host, &bundle);
    let answers: Vec<&str> = ran.out.split_inclusive("ended ").collect();
    if answers.len() != scripts.len() + 1 {
        return Err(format!("{person}: {} answers: {}", answers.len(), ran.shown()));
    }
    let codes = answers.iter().skip(1).map(|answer| answer.lines().next().unwrap_or_default());
    for ((script, said), code) in scripts.iter().zip(&answers).zip(codes) {
        // What bob may not see at all is not there for him.
        let is_refusal =
            ["access denied", "not found", "there is no"].iter().any(|words| said.contains(words));
        if code == "0" || !is_refusal || (person == "alice" && !said.contains("access denied")) {
            return Err(format!("{person}: `{script}`: exit code {code}: {said}"));
        }
        told(person, script, "refused");
    }
    if before != attempt::state(host) {
        return Err(format!("{person} changed the state"));
    }
    trail::until(host, since, |records| {
        let is_refusal = |record: &&trail::Recorded| {
            record.is_of(person) && matches!(record.event.outcome, Outcome::Denied | Outcome::Failure)
        };
        let refusals: u64 = records.iter().filter(is_refusal).map(trail::Recorded::weight).sum();
        let wanted = u64::try_from(scripts.len()).unwrap_or(u64::MAX);
        if refusals >= wanted {
            Ok(())
        } else {
            Err(format!("{person}: {refusals} refusals on record of {wanted}"))
        }
    })
}
