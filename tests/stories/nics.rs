// SPDX-License-Identifier: Apache-2.0
//! Leases, network ports and filter bindings: bob sees those of his own VM, and only those.

use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, alice, bob, check};

const RULES: &str = "[role.user]\ncolumn = \"user\"\ngroups = [\"libvirt\"]\nvms = \"assigned\"\nnetworks = [\"red\"]\n\
    functions = [\"start\", \"stop\"]\nalso = [\"operate\"]";
const NIC: &str = "<interface type='network'><source network='red'/><mac address='52:54:00:00:00:0N'/><filterref filter='no-ip-spoofing'/></interface>";

/// Both VMs run with an interface on `red`, and each has a lease.
fn plug(host: &Host) -> Result<(), String> {
    for (vm, number) in [("bobvm", "1"), ("finance", "2")] {
        check(
            "nic",
            &host.write(&format!("/srv/vms/{vm}-nic.xml"), &NIC.replace("0N", &format!("0{number}"))),
        )?;
    }
    let lease = |number: u8| {
        format!(
            "{{\"ip-address\":\"192.168.99.{number}\",\"mac-address\":\"52:54:00:00:00:0{number}\",\"expiry-time\":2999999999}}"
        )
    };
    check(
        "plug",
        &alice(
            host,
            "set -e; virtwarden policy reload; virtwarden vm domain finance red
            virsh net-start red; for vm in bobvm finance; do virsh attach-device $vm /srv/vms/$vm-nic.xml --config; virsh start $vm; done",
        ),
    )?;
    check(
        "leases",
        // libvirt makes the directory when its first network with DHCP starts.
        &host.root("mkdir -p /var/lib/libvirt/dnsmasq"),
    )?;
    check(
        "leases",
        &host.write("/var/lib/libvirt/dnsmasq/vw-red.status", &format!("[{},{}]", lease(1), lease(2))),
    )
}

fn look(host: &Host) -> Result<(), String> {
    let shown = |ask: &str| bob(host, ask).shown();
    let leases = shown("virsh net-dhcp-leases red");
    if !leases.contains("192.168.99.1") || leases.contains("192.168.99.2") {
        return Err(format!("leases: {leases}"));
    }
    if alice(host, "virsh net-dhcp-leases red").shown().matches("192.168.99.").count() != 2 {
        return Err("alice does not see both leases".to_owned());
    }
    for ask in ["virsh nwfilter-binding-list | grep -c vnet", "virsh net-port-list red | grep -c '[0-9a-f]-'"]
    {
        let (his, all) = (shown(ask), alice(host, ask).shown());
        if (his.trim(), all.trim()) != ("1", "2") {
            return Err(format!("{ask}: bob {his}, alice {all}"));
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn bob_sees_what_the_network_knows_of_his_vm_alone() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    check("rules", &host.write("/etc/virtwarden/policy.d/10-networks.toml", RULES))?;
    let looked = plug(&host).and_then(|()| look(&host));
    host.root("rm -f /etc/virtwarden/policy.d/10-networks.toml /var/lib/libvirt/dnsmasq/vw-red.status");
    check("reload", &alice(&host, "virtwarden policy reload"))?;
    looked
}
