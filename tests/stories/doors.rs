// SPDX-License-Identifier: Apache-2.0
//! Every other way in: the read-only socket, ssh, a session daemon, the emulator itself, and the
//! daemons' own sockets.

use virtwarden_tests::attempt::{self, Recording};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::repertoire::{REFUSED, hand_out_props};
use virtwarden_tests::scene::{self, bob, check};

/// Ways that are shut: each command must fail for bob.
const SHUT: &[(&str, &str)] = &[
    ("a libvirt daemon of his own", "timeout 20 virsh -c qemu:///session list"),
    ("the same, started by hand", "/usr/sbin/libvirtd --version"),
    ("an emulator", "qemu-system-x86_64 --version"),
    ("/dev/kvm", "exec 3<>/dev/kvm"),
    ("libvirtd's own socket", "virsh -c 'qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock' list"),
    (
        "its read-only socket",
        "virsh -c 'qemu:///system?socket=/run/virtwarden/upstream/libvirt-sock-ro' list",
    ),
    ("the directory they are in", "ls /run/virtwarden/upstream"),
    ("libvirt's admin socket", "virt-admin -c libvirtd:///system srv-list"),
    ("virtlogd's socket", "nc -U -z /run/libvirt/virtlogd-sock"),
    ("virtlockd's socket", "nc -U -z /run/libvirt/virtlockd-sock"),
    ("libvirtd on TCP", "timeout 20 virsh -c qemu+tcp://127.0.0.1/system list"),
    ("libvirtd on TLS", "timeout 20 virsh -c 'qemu+tls://127.0.0.1/system?no_verify=1' list"),
    ("the monitor of a running VM", "nc -U -z $(ls -d /var/lib/libvirt/qemu/domain-*-bobvm/monitor.sock)"),
    ("definitions on disk", "cat /etc/libvirt/qemu/finance.xml"),
    ("the trail's files", "ls /var/log/virtwarden/audit"),
    ("the registry", "cat /var/lib/virtwarden/registry.json"),
    ("the trail's key", "cat /var/lib/virtwarden/trail.key"),
    ("the trail", "virtwarden audit list"),
    ("the registry by command", "virtwarden vm assign finance bob"),
    ("the policy by command", "virtwarden policy reload"),
    ("the role by command", "virtwarden role add administrator bob"),
    ("the media library", "touch /var/lib/virtwarden/media/own.iso"),
    ("the saved VMs", "ls /var/lib/virtwarden/saved/*"),
];

fn scene() -> Result<Host, String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    hand_out_props(&host)?;
    check("bob starts bobvm", &bob(&host, "virsh start bobvm"))?;
    Ok(host)
}

fn refused() -> Vec<String> {
    REFUSED.iter().map(|(script, _)| (*script).to_owned()).collect()
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_read_only_socket_gives_nothing_more() -> Result<(), String> {
    let host = scene()?;
    chapter("all of it again over the read-only socket");
    let scripts: Vec<_> = refused().iter().map(|s| s.replacen("virsh", "virsh -r", 1)).collect();
    attempt::refused_through(&host, ":", &scripts, Recording::Elsewhere)?;
    let direct = "export LIBVIRT_DEFAULT_URI='qemu:///system?socket=/run/libvirt/libvirt-sock-ro'";
    attempt::refused_through(&host, direct, &refused(), Recording::Each)
}

#[test]
#[ignore = "needs a test host: make stories"]
fn ssh_gives_nothing_more() -> Result<(), String> {
    let host = scene()?;
    chapter("all of it again over qemu+ssh");
    let key = "mkdir -p ~/.ssh && chmod 700 ~/.ssh && { [ -e ~/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519; } && cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys";
    check("a key for bob", &bob(&host, key))?;
    let uri = "qemu+ssh://bob@127.0.0.1/system?no_verify=1";
    check("ssh works", &bob(&host, &format!("virsh -c '{uri}' list --all --name | grep -qx bobvm")))?;
    // Each is a login of its own; those that also need a file of the far side behave the same there.
    attempt::refused_through(
        &host,
        &format!("export LIBVIRT_DEFAULT_URI='{uri}'"),
        &refused(),
        Recording::Each,
    )
}

#[test]
#[ignore = "needs a test host: make stories"]
fn the_other_doors_are_shut() -> Result<(), String> {
    let host = scene()?;
    chapter("doors that are shut for bob");
    let before = attempt::state(&host);
    for (door, script) in SHUT {
        let ran = bob(&host, script);
        told("bob", door, if ran.succeeded() { "WRONG" } else { "shut" });
        if ran.succeeded() {
            return Err(format!("{door}: `{script}` worked: {}", ran.shown()));
        }
    }
    if before == attempt::state(&host) { Ok(()) } else { Err("something changed".to_owned()) }
}
