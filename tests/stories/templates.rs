// SPDX-License-Identifier: Apache-2.0
//! Row 4: the shipped templates are libvirt's XML and start, and what a new VM's definition says nothing of is theirs.

use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, check};

#[test]
#[ignore = "needs a test host: make stories"]
fn each_template_is_valid_and_starts() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let vm_type = scene::vm_type(&host);
    chapter("templates");
    check("image", &host.root("qemu-img create -q -f qcow2 /var/lib/libvirt/images/new.qcow2 16M"))?;
    check("network", &alice(&host, "virsh net-start red"))?;
    for template in ["desktop", "server", "sensitive"] {
        // A test host may emulate no CPU like its own, and a container has no place where ports are isolated. The networks of an information domain are open to its VMs alone: the interface comes once it is one.
        let script = format!(
            "set -e; sed -e 's/{{name}}/new-{template}/; s/{{memory}}/128/; s/{{vcpus}}/1/; s/{{disk}}/new.qcow2/; s/{{network}}/red/' \
             -e \"s/type='kvm'/type='{vm_type}'/; /<cpu mode=/d\" /usr/share/virtwarden/templates/{template}.xml > {template}.xml
             virt-xml-validate {template}.xml domain; sed '/<interface/,/<.interface>/d' {template}.xml > bare.xml
             virsh define bare.xml; virtwarden vm domain new-{template} red; u=$(virsh domuuid new-{template} | head -1)
             [ \"$(stat -f -c %T /sys)\" = sysfs ] || sed -i '/<port isolated/d' {template}.xml
             sed \"s#</name>#</name><uuid>$u</uuid>#\" {template}.xml > whole.xml; virsh define whole.xml
             virsh start new-{template}; virsh dumpxml new-{template} | grep -q \"network='red'\"
             virsh destroy new-{template}; virsh undefine new-{template}"
        );
        check(template, &alice(&host, &script))?;
        told("alice", template, "valid, defined, started");
    }
    check("clean", &host.root("rm -f /var/lib/libvirt/images/new.qcow2"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn what_a_new_definition_says_nothing_of_is_the_templates() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let vm_type = scene::vm_type(&host);
    let silent = format!(
        "<domain type='{vm_type}'><name>silent</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os><devices/></domain>"
    );
    check("write", &host.write("/srv/vms/silent.xml", &silent))?;
    let before = "virsh dumpxml bobvm --inactive | sha256sum > before";
    check("define", &alice(&host, &format!("{before}; virsh define /srv/vms/silent.xml")))?;
    check(
        "guest cannot suspend",
        &alice(&host, "virsh dumpxml silent | grep -q \"suspend-to-mem enabled='no'\""),
    )?;
    check("no vmport", &alice(&host, "virsh dumpxml silent | grep -q \"vmport state='off'\""))?;
    told("alice", "virsh define of a silent definition", "completed");
    let told_so =
        "virtwarden audit list --raw --json --limit 60 | grep -q 'completed: guest cannot suspend itself'";
    check("it is on record", &alice(&host, told_so))?;
    let tighter = "[vm]\nraw = \"administrator\"\nsnapshots = 16\ntemplate = \"sensitive\"";
    check("policy", &host.write("/etc/virtwarden/policy.d/10-story.toml", tighter))?;
    let again = "set -e; virtwarden policy reload; sed s/silent/quiet/ /srv/vms/silent.xml > quiet.xml; virsh define quiet.xml
        virsh dumpxml quiet | grep -q nosharepages; virsh dumpxml quiet | grep -q \"memballoon model='none'\"
        virsh dumpxml bobvm --inactive | sha256sum | cmp - before; virsh start quiet; virsh destroy quiet";
    let done = check("sensitive by default", &alice(&host, again));
    let broken = tighter.replace("sensitive", "nowhere");
    check("policy", &host.write("/etc/virtwarden/policy.d/10-story.toml", &broken))?;
    let refused = alice(
        &host,
        "virtwarden policy reload; sed s/silent/third/ /srv/vms/silent.xml > third.xml; virsh define third.xml",
    );
    host.root("rm -f /etc/virtwarden/policy.d/10-story.toml");
    check("reload", &alice(&host, "virtwarden policy reload"))?;
    if refused.succeeded() || !refused.shown().contains("there is no template `nowhere`") {
        return Err(format!("a template that is missing: {}", refused.shown()));
    }
    done
}

#[test]
#[ignore = "needs a test host: make stories"]
fn alice_sets_what_new_vms_are_like_and_bob_does_not() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    chapter("setting default-vm");
    check("templates", &host.root(&format!("VM_TYPE={}; {OWN_TEMPLATES}", scene::vm_type(&host))))?;
    let played = default_vm(&host);
    alice(&host, "virtwarden vm sensitive plain off; virtwarden setting unset default-vm");
    host.root("rm -r /etc/virtwarden/templates");
    played
}

fn default_vm(host: &Host) -> Result<(), String> {
    let set = "virtwarden setting set default-vm template=sensitive memory=64M vcpus=1";
    let before = alice(host, "virsh dumpxml bobvm --inactive; virtwarden setting show default-vm").out;
    let denied = scene::bob(host, set);
    if denied.code != 3 || !denied.shown().contains("(Table 3, 4)") {
        return Err(format!("bob: exit code {}: {}", denied.code, denied.shown()));
    }
    if before != alice(host, "virsh dumpxml bobvm --inactive; virtwarden setting show default-vm").out {
        return Err("bob changed something".to_owned());
    }
    let record = "virtwarden audit list --person bob --outcome denied --function configure-default-vms --raw --limit 5 | grep -q default-vm";
    check("it is on record", &alice(host, record))?;
    told("bob", set, "denied");
    let missing = alice(host, "virtwarden setting set default-vm template=nowhere");
    if missing.code != 4 {
        return Err(format!("a template that is missing: exit code {}: {}", missing.code, missing.shown()));
    }
    let silent = format!(
        "<domain type='{}'><name>silent</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
         <os><type arch='x86_64' machine='pc'>hvm</type></os><devices/></domain>",
        scene::vm_type(host)
    );
    check("write", &host.write("/srv/vms/silent.xml", &silent))?;
    let script = format!(
        "set -e; {set}; virtwarden vm templates | grep -q '^sensitive *yes'; virtwarden vm create plain
         virsh dumpxml plain | grep -q '<memory unit=.KiB.>65536<'; virsh dumpxml plain | grep -q nosharepages
         virsh define /srv/vms/silent.xml; virsh dumpxml silent | grep -q nosharepages
         virtwarden setting unset default-vm; virtwarden vm templates | grep -q '^desktop *yes'"
    );
    check("alice", &alice(host, &script))?;
    told("alice", set, "new VMs follow it, whoever defines them; bobvm did not change");
    Ok(())
}

/// The shipped templates, as far as a test host can run them.
const OWN_TEMPLATES: &str = "mkdir -p /etc/virtwarden/templates; for t in desktop server sensitive; do
    sed -e \"s/type='kvm'/type='$VM_TYPE'/; /<cpu mode=/d\" /usr/share/virtwarden/templates/$t.xml > /etc/virtwarden/templates/$t.xml
    [ \"$(stat -f -c %T /sys)\" = sysfs ] || sed -i '/<port isolated/d' /etc/virtwarden/templates/$t.xml
    chmod 644 /etc/virtwarden/templates/$t.xml; done";
const POOL: &str =
    "virsh pool-define-as default dir --target /var/lib/libvirt/images && virsh pool-start default";

#[test]
#[ignore = "needs a test host: make stories"]
fn one_command_makes_a_vm_from_a_template() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    chapter("vm create");
    check("templates", &host.root(&format!("VM_TYPE={}; {OWN_TEMPLATES}", scene::vm_type(&host))))?;
    check("pool", &alice(&host, &format!("virsh pool-info default >/dev/null 2>&1 || {{ {POOL}; }}")))?;
    check("network", &alice(&host, "virsh net-start red"))?;
    let played = made_and_refused(&host);
    let clean = "for vm in desktop server sensitive; do virsh destroy new-$vm; virtwarden vm sensitive new-$vm off; virsh undefine new-$vm
        virsh vol-delete new-$vm.qcow2 default; done >/dev/null 2>&1; virsh pool-destroy default; virsh pool-undefine default";
    let cleaned = check("clean", &alice(&host, clean));
    host.root("rm -r /etc/virtwarden/templates");
    played.and(cleaned)
}

fn made_and_refused(host: &Host) -> Result<(), String> {
    let listed = "virtwarden vm templates | tee /dev/stderr | grep -q '^desktop *yes.*/etc/virtwarden/templates/desktop.xml'";
    check("listed", &alice(host, listed))?;
    for template in ["desktop", "server", "sensitive"] {
        let create = format!(
            "virtwarden vm create new-{template} --template {template} --memory 128M --vcpus 1 --disk 16M --network red \
             --information-domain red --assign bob"
        );
        let rehearsed = format!(
            "set -e; {create} --dry-run; ! virsh domuuid new-{template} 2>/dev/null; virsh pool-refresh default
             ! virsh vol-info new-{template}.qcow2 default 2>/dev/null; ! virtwarden vm show new-{template} 2>/dev/null"
        );
        check("dry run", &alice(host, &rehearsed))?;
        let script = format!(
            "set -e; {create}; virsh dumpxml new-{template} | grep -q \"network='red'\"
             virsh dumpxml new-{template} | grep -q /var/lib/libvirt/images/new-{template}.qcow2
             virsh vol-info new-{template}.qcow2 default; virsh start new-{template}"
        );
        check(template, &alice(host, &script))?;
        let his = format!("virsh list --name | grep -qx new-{template} && virsh destroy new-{template}");
        check("bob operates it", &scene::bob(host, &his))?;
        told("alice", &create, "made, bob's, started");
    }
    let record = "virtwarden audit list --raw --person alice --limit 200 | grep DOMAIN_DEFINE_XML | grep -q 'VM `new-sensitive`'";
    check("each step is on record as hers", &alice(host, record))?;
    let again = alice(host, "virtwarden vm create new-server --template server --disk 16M");
    if again.succeeded() {
        return Err("a VM of that name was made twice".to_owned());
    }
    check("the first one's disk stays", &alice(host, "virsh vol-info new-server.qcow2 default"))?;
    refused_to_bob(host)
}

fn refused_to_bob(host: &Host) -> Result<(), String> {
    for words in ["", " --dry-run", " --assign bob"] {
        let ran = scene::bob(host, &format!("virtwarden vm create his --template desktop{words}"));
        if ran.code != 3 || !ran.shown().contains("access denied") {
            return Err(format!("bob's vm create{words}: exit code {}: {}", ran.code, ran.shown()));
        }
    }
    check("there is none", &host.root(&format!("! virsh -c '{}' domuuid his", scene::BEHIND)))?;
    let record = "virtwarden audit list --person bob --outcome denied --raw --limit 20 | grep -q 'vm create'";
    check("each is on record", &alice(host, record))?;
    told("bob", "virtwarden vm create", "denied");
    Ok(())
}
