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
