// SPDX-License-Identifier: Apache-2.0
//! The scene of the stories: alice administers; `bobvm` is bob's and red; `finance` is blue and not his.

use crate::host::{Host, Ran};

/// libvirt's own socket, behind the gate: how a test looks at the state without passing through it.
pub const BEHIND: &str = "qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock";

/// Where the media live that Users may insert.
pub const LIBRARY: &str = "/var/lib/virtwarden/media";

const CLEAN: &str = r#"
for vm in $(virsh -c "$B" list --all --name); do
    virsh -c "$B" destroy "$vm"; virsh -c "$B" managedsave-remove "$vm"
    for s in $(virsh -c "$B" snapshot-list "$vm" --name); do virsh -c "$B" snapshot-delete "$vm" "$s" --metadata; done
    virsh -c "$B" undefine "$vm" --nvram --snapshots-metadata
done
for net in red blue; do virsh -c "$B" net-destroy $net; virsh -c "$B" net-undefine $net; done
for pool in store; do virsh -c "$B" pool-destroy $pool; virsh -c "$B" pool-undefine $pool; done
rm -rf /srv/vms /srv/store; mkdir -p /srv/vms /srv/store
"#;

const FILES: &str = r#"
for vm in bobvm finance bobnew; do qemu-img create -q -f qcow2 /srv/vms/$vm.qcow2 16M; done
qemu-img create -q -f raw /srv/vms/extra.img 1M
mkdir -p "$L" && cd "$L"
for iso in tools notes; do
    d=$(mktemp -d); echo "$iso" > $d/readme; xorriso -as mkisofs -quiet -o $iso.iso $d 2>/dev/null; rm -r $d
done
chmod 644 ./*.iso
qemu-img create -q -f qcow2 -b /etc/passwd -F raw layered.iso 1M || qemu-img create -q -u -f qcow2 -b /etc/passwd -F raw layered.iso 1M
ln -sfn /etc/passwd link.iso
cp tools.iso /tmp/elsewhere.iso; chmod 644 /tmp/elsewhere.iso
"#;

/// A VM's definition, as alice writes it.
pub fn definition(name: &str, vm_type: &str) -> String {
    format!(
        "<domain type='{vm_type}'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/>
      <source file='/srv/vms/{name}.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><driver name='qemu' type='raw'/>
      <target dev='hdc' bus='ide'/><readonly/></disk>
    <serial type='pty'/><console type='pty'/>
    <graphics type='vnc' port='-1' listen='127.0.0.1'/>
    <video><model type='vga'/></video>
    <memballoon model='none'/>
  </devices>
</domain>"
    )
}

/// A network without a way out.
fn network(name: &str) -> String {
    format!("<network><name>{name}</name><bridge name='vw-{name}'/></network>")
}

/// Which kind of VM runs on this host: `kvm`, or `qemu` where there is no /dev/kvm.
pub fn vm_type(host: &Host) -> String {
    host.root(". /etc/virtwarden-testhost.conf; echo $VM_TYPE").out.trim().to_owned()
}

/// The site's own rules: two information domains.
const RULES: &str = "[information-domain.red]
networks = [\"red\"]
[information-domain.blue]
networks = [\"blue\"]";

/// Sets the scene anew, as alice through the gate where that is her work.
///
/// # Errors
/// The first step that failed, with what it printed.
pub fn set(host: &Host) -> Result<(), String> {
    host.root(&format!("B='{BEHIND}'; {{ {CLEAN} }} >/dev/null 2>&1"));
    check("files", &host.root(&format!("set -e; L={LIBRARY}; {FILES}")))?;
    check("rules", &host.write("/etc/virtwarden/policy.d/20-story.toml", RULES))?;
    let vm_type = vm_type(host);
    for vm in ["bobvm", "finance"] {
        check("write", &host.write(&format!("/srv/vms/{vm}.xml"), &definition(vm, &vm_type)))?;
    }
    for net in ["red", "blue"] {
        check("write", &host.write(&format!("/srv/vms/{net}.xml"), &network(net)))?;
    }
    check("alice's work", &alice(host, BY_ALICE))
}

/// What alice does through the gate to set the scene.
const BY_ALICE: &str = "set -e
virtwarden policy reload
for vm in bobvm finance; do virsh define /srv/vms/$vm.xml; done
for net in red blue; do virsh net-define /srv/vms/$net.xml; done
virsh pool-define-as store dir --target /srv/store; virsh pool-start store; virsh vol-create-as store secret.img 1M
virtwarden vm assign bobvm bob; virtwarden vm domain bobvm red; virtwarden vm domain finance blue";

/// Runs a script as alice, with virsh on the system connection.
pub fn alice(host: &Host, script: &str) -> Ran {
    on_system(host, "alice", script)
}

/// Runs a script as bob, with virsh on the system connection.
pub fn bob(host: &Host, script: &str) -> Ran {
    on_system(host, "bob", script)
}

fn on_system(host: &Host, person: &str, script: &str) -> Ran {
    host.login(person, &format!("export LIBVIRT_DEFAULT_URI=qemu:///system; {script}"))
}

/// Turns a failed step into an error that says what it printed.
///
/// # Errors
/// The command did not end with 0.
pub fn check(step: &str, ran: &Ran) -> Result<(), String> {
    if ran.succeeded() { Ok(()) } else { Err(format!("{step}: exit code {}: {}", ran.code, ran.shown())) }
}

/// sshd takes its configuration anew, and listens when this returns: a reload closes its door for a moment.
///
/// # Errors
/// It does not start.
pub fn sshd_anew(host: &Host) -> Result<(), String> {
    check("sshd", &host.root("sshd -t && systemctl reset-failed ssh; systemctl restart ssh"))
}
