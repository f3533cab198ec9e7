// SPDX-License-Identifier: Apache-2.0
//! FDP_VNC_EXT.1: Administrators alone connect VMs, and nobody connects two information domains, whichever way he
//! takes; what is not connected does not hear of the other.

use serde_json::Value;
use virtwarden_tests::attempt::{Shown, newest_record, records, refused, state};
use virtwarden_tests::host::Host;
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, BEHIND, alice, bob, check};

/// bobvm (red) and finance (blue) run, each with an interface on its own network.
const PLUGGED: &str = "set -e
for n in red blue; do virsh net-start $n; done
virsh attach-device bobvm /srv/vms/red-nic.xml --config; virsh attach-device finance /srv/vms/blue-nic.xml --config
virsh start bobvm; virsh start finance";

/// Ways to put a blue VM onto red. `$N` is a file with an interface on red.
const INTO_RED: &[(&str, &str)] = &[
    ("define", "virsh define /srv/vms/finance-red.xml"),
    ("create", "virsh create /srv/vms/stray.xml"),
    ("attach, stored", "virsh attach-interface finance network red --config"),
    ("attach, running", "virsh attach-interface finance network red --live"),
    ("attach, both", "virsh attach-device finance /srv/vms/red-nic.xml --live --config"),
    ("update, stored", "virsh update-device finance /srv/vms/moved-nic.xml --config"),
    ("update, running", "virsh update-device finance /srv/vms/moved-nic.xml --live"),
    ("past it: bridge", "virsh attach-interface finance bridge vw-red --live"),
    ("past it: direct", "virsh attach-interface finance direct vw-red --config"),
    ("snapshot redefined", "virsh snapshot-create finance /srv/vms/snapshot-red.xml --redefine"),
    ("port of its own", "virsh net-port-create red /srv/vms/port.xml"),
];

/// Ways to make two networks one.
const MEETINGS: &[(&str, &str)] = &[
    ("new, onto red's bridge", "virsh net-define /srv/vms/onto-red.xml"),
    ("new and up at once", "virsh net-create /srv/vms/onto-red.xml"),
    ("blue redefined", "virsh net-define /srv/vms/blue-onto-red.xml"),
    ("routed to red", "virsh net-define /srv/vms/routed.xml"),
    ("bridge of red used by a VM of nobody's", "virsh define /srv/vms/tap.xml"),
];

fn nic(network: &str, number: &str) -> String {
    format!(
        "<interface type='network'><mac address='52:54:00:00:0b:{number}'/><source network='{network}'/>\
         <model type='virtio'/></interface>"
    )
}

fn set(host: &Host) -> Result<(), String> {
    scene::set(host)?;
    let files = [
        ("red-nic", nic("red", "01")),
        ("blue-nic", nic("blue", "02")),
        ("moved-nic", nic("red", "02")),
        (
            "onto-red",
            "<network><name>free</name><forward mode='bridge'/><bridge name='vw-red'/></network>".into(),
        ),
        (
            "blue-onto-red",
            "<network><name>blue</name><forward mode='bridge'/><bridge name='vw-red'/></network>".into(),
        ),
        (
            "routed",
            "<network><name>free</name><forward mode='route'/><bridge name='vw-free'/>\
          <ip address='192.168.77.1' netmask='255.255.255.0'/></network>"
                .into(),
        ),
    ];
    for (name, text) in files {
        check(name, &host.write(&format!("/srv/vms/{name}.xml"), &text))?;
    }
    let own = scene::definition("stray", &scene::vm_type(host));
    let with = |nic: &str| own.replace("</devices>", &format!("{nic}</devices>"));
    check("stray", &host.write("/srv/vms/stray.xml", &with(&nic("red", "03"))))?;
    let tap = "<interface type='bridge'><source bridge='vw-red'/></interface>";
    check("tap", &host.write("/srv/vms/tap.xml", &with(tap)))?;
    check("disk", &host.root("qemu-img create -q -f qcow2 /srv/vms/stray.qcow2 1M"))
}

/// A refusal for everybody, looked at from three sides. alice asks, who may do everything else.
fn forbidden(host: &Host, script: &str, expected: &str) -> Result<(), String> {
    let (before, since) = (state(host), newest_record(host));
    let ran = alice(host, script);
    if ran.succeeded() || !ran.shown().contains(expected) {
        return Err(format!("`{script}`: exit code {}: {}", ran.code, ran.shown()));
    }
    let after = state(host);
    if before != after {
        return Err(format!("`{script}` changed the state:\n{before}\n--- became ---\n{after}"));
    }
    let is_it = |record: &Value| {
        let detail = record.pointer("/record/detail").and_then(Value::as_str).unwrap_or_default();
        record["seq"].as_u64().unwrap_or(0) > since && detail.contains(expected)
    };
    if records(host, "--outcome denied --limit 30").iter().any(is_it) {
        told("alice", script, "refused");
        Ok(())
    } else {
        Err(format!("`{script}`: no record of the refusal"))
    }
}

fn records_since(host: &Host, since: u64, what: &str) -> Vec<Value> {
    let mut found = records(host, "--limit 60");
    found.retain(|record| record["seq"].as_u64().unwrap_or(0) > since && record.to_string().contains(what));
    found
}

#[test]
#[ignore = "needs a test host: make stories"]
fn vnc_1_an_administrator_connects_vms_and_a_user_does_not() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    chapter("VNC-1: alice connects bobvm to a network, bob cannot");
    check("start", &alice(&host, "virsh net-start red; virsh start bobvm"))?;
    let since = newest_record(&host);
    check("alice", &alice(&host, "virsh attach-interface bobvm network red --config --live"))?;
    let plugged = records_since(&host, since, "port-created");
    let both = plugged.iter().any(|r| r.to_string().contains("bobvm") && r.to_string().contains("\"red\""));
    if !both || records_since(&host, since, "DOMAIN_ATTACH_DEVICE_FLAGS").len() < 2 {
        return Err(format!("no record of the VM and the network: {plugged:#?}"));
    }
    let mac = "$(virsh -q domiflist bobvm | awk '{print $5}')";
    for script in [
        "virsh attach-interface bobvm network red --live".to_owned(),
        "virsh attach-interface bobvm network red --config".to_owned(),
        format!("virsh detach-interface bobvm network {mac} --live"),
        format!("virsh domif-setlink bobvm {mac} down"),
        format!("virsh domiftune bobvm {mac} --inbound 1"),
        "virsh update-device bobvm /srv/vms/red-nic.xml --config".to_owned(),
    ] {
        refused(&host, &script, Shown::Row(5))?;
        told("bob", &script, "refused");
    }
    for script in ["virsh net-define /srv/vms/onto-red.xml", "virsh net-create /srv/vms/onto-red.xml"] {
        refused(&host, script, Shown::Row(5))?;
    }
    check("off", &alice(&host, "virsh destroy bobvm"))?;
    refused(&host, "virsh attach-interface bobvm network red --config", Shown::Row(5))?;
    let missing = bob(&host, "virtwarden network assign red blue");
    if missing.code != 4 {
        return Err(format!("bob knows of a network that is not his: {}", missing.shown()));
    }
    let ran = refused(&host, "virtwarden network create mine --information-domain red", Shown::Row(5))?;
    if ran.code == 3 { Ok(()) } else { Err(format!("exit code {}", ran.code)) }
}

#[test]
#[ignore = "needs a test host: make stories"]
fn vnc_2_an_administrator_connects_a_vm_to_the_outside_and_a_user_does_not() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    chapter("VNC-2: alice plugs a VM into a bridge of the host, bob cannot");
    host.root("ip link add br-out type bridge; ip link set br-out up");
    let away = alice(&host, "virtwarden vm domain bobvm && virsh start bobvm");
    check("bobvm of no information domain", &away)?;
    let since = newest_record(&host);
    let plugged = alice(&host, "virsh attach-interface bobvm bridge br-out --live --config");
    check("alice", &plugged)?;
    if records_since(&host, since, "bridge br-out").is_empty() {
        return Err("no record names the bridge".to_owned());
    }
    let shown = alice(&host, "virtwarden network list").out;
    if !shown.contains("bridge br-out") || !shown.contains("direct") {
        return Err(format!("the list does not have the bridge: {shown}"));
    }
    for script in [
        "virsh attach-interface bobvm bridge br-out --live",
        "virsh attach-interface bobvm direct br-out --config",
        "virsh attach-interface bobvm bridge br-out --config",
    ] {
        refused(&host, script, Shown::Row(5))?;
        told("bob", script, "refused");
    }
    for script in [
        "ip link add dev vw-own type bridge",
        "ip link set br-out down",
        "/usr/lib/qemu/qemu-bridge-helper --br=br-out --fd=3",
        "virsh -c qemu:///session net-define /srv/vms/onto-red.xml",
    ] {
        let before = state(&host);
        let ran = bob(&host, script);
        if ran.succeeded() || before != state(&host) {
            return Err(format!("bob: `{script}` worked: {}", ran.shown()));
        }
        told("bob", script, "refused");
    }
    host.root("ip link del br-out");
    Ok(())
}

#[test]
#[ignore = "needs a test host: make stories"]
fn no_way_leads_a_vm_into_another_information_domain() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    chapter("Every way from blue into red, as an Administrator");
    check("plugged", &alice(&host, PLUGGED))?;
    let prepared = "set -e
        virsh dumpxml finance --inactive | sed \"s/network='blue'/network='red'/\" > /tmp/finance-red.xml
        virsh snapshot-create-as finance before
        virsh snapshot-dumpxml finance before | sed \"s/network='blue'/network='red'/\" > /tmp/snapshot-red.xml
        echo \"<networkport><uuid>$(cat /proc/sys/kernel/random/uuid)</uuid><owner><name>finance</name><uuid>$(virsh domuuid finance)</uuid></owner>\
              <mac address='52:54:00:00:0b:09'/></networkport>\" > /tmp/port.xml";
    check("prepared", &alice(&host, prepared))?;
    check("files", &host.root("cp /tmp/finance-red.xml /tmp/snapshot-red.xml /tmp/port.xml /srv/vms/"))?;
    for (_, script) in INTO_RED {
        forbidden(&host, script, "red")?;
    }
    chapter("and with a saved state");
    let saved = "virsh managedsave finance >/dev/null && virsh managedsave-dumpxml finance | sed \"s/network='blue'/network='red'/\" > /tmp/saved.xml";
    check("saved", &alice(&host, saved))?;
    forbidden(&host, "virsh managedsave-define finance /tmp/saved.xml", "red")?;
    check("resumed", &alice(&host, "virsh start finance && virsh save finance /srv/vms/finance.save"))?;
    forbidden(&host, "virsh restore /srv/vms/finance.save --xml /tmp/saved.xml", "red")?;
    check("restored", &alice(&host, "virsh restore /srv/vms/finance.save"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn networks_of_two_information_domains_do_not_become_one() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    chapter("Networks that would meet");
    check("routable", &alice(&host, "virsh net-destroy red 2>/dev/null; virsh net-undefine red"))?;
    let red = "<network><name>red</name><forward mode='nat'/><bridge name='vw-red'/>\
               <ip address='192.168.76.1' netmask='255.255.255.0'/></network>";
    check("red", &host.write("/srv/vms/red.xml", red))?;
    check("red", &alice(&host, "virsh net-define /srv/vms/red.xml && virsh net-start red"))?;
    for (_, script) in MEETINGS {
        forbidden(&host, script, "red")?;
    }
    chapter("also past the gate: root defines, libvirt's hook refuses to start");
    let behind = format!(
        "B='{BEHIND}'; virsh -c \"$B\" net-define /srv/vms/onto-red.xml && sleep 1 && timeout 60 virsh -c \"$B\" net-start free"
    );
    let ran = host.root(&behind);
    if ran.succeeded() || !ran.shown().contains("would meet network `red`") {
        return Err(format!("root started it: {}", ran.shown()));
    }
    let shown = alice(&host, "virtwarden network list").out;
    if !shown.contains("! free: it does not start: network `free` of no information domain would meet") {
        return Err(format!("the list does not tell: {shown}"));
    }
    forbidden(&host, "virsh net-start free", "would meet network `red`")?;
    check("gone", &alice(&host, "virsh net-undefine free"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn networks_are_made_given_and_taken_by_the_command() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    chapter("virtwarden network");
    let create = "virtwarden network create vault --information-domain red";
    let before = state(&host);
    check("dry run", &alice(&host, &format!("{create} --dry-run")))?;
    if before != state(&host) {
        return Err("the dry run made something".to_owned());
    }
    check("create", &alice(&host, create))?;
    check("up", &alice(&host, "virsh net-info vault | grep -q 'Active: *yes'"))?;
    check("red may", &alice(&host, "virsh attach-interface bobvm network vault --config"))?;
    forbidden(&host, "virsh attach-interface finance network vault --config", "vault")?;
    chapter("kept across restarts of policyd and libvirtd");
    check("restart", &host.root("systemctl restart virtwarden-policyd libvirtd"))?;
    forbidden(&host, "virsh attach-interface finance network vault --config", "vault")?;
    let shown = alice(&host, "virtwarden network show vault").out;
    if !shown.contains("alice, ") || !shown.contains("isolated") || !shown.contains("bobvm") {
        return Err(format!("show: {shown}"));
    }
    told("alice", "virtwarden network show vault", &shown);
    told("alice", "virtwarden network who", &alice(&host, "virtwarden network who").out);
    let deleted = alice(&host, "virtwarden network delete vault");
    if deleted.succeeded() || !deleted.shown().contains("`bobvm` is plugged into") {
        return Err(format!("deleted below a VM: {}", deleted.shown()));
    }
    let unplug = "set -e; virsh detach-interface bobvm network --config; virtwarden network unassign vault
        virtwarden network assign vault blue; virsh attach-interface finance network vault --config
        virsh detach-interface finance network --config; virtwarden network delete vault";
    check("given away", &alice(&host, unplug))?;
    let gone = alice(&host, "virtwarden network show vault");
    if gone.code != 4 {
        return Err(format!("vault is still there: {}", gone.shown()));
    }
    let functions = records(&host, "--function configure-networks --limit 60");
    let has = |operation: &str| {
        functions.iter().any(|r| r.pointer("/record/operation").and_then(Value::as_str) == Some(operation))
    };
    let all = ["network create", "network assign", "network unassign", "network delete"];
    all.iter()
        .find(|operation| !has(operation))
        .map_or(Ok(()), |missing| Err(format!("no record of {missing}")))
}

/// Each looks at what there is and then makes something of it, so they must take turns, by whichever door they come.
#[test]
#[ignore = "needs a test host: make stories"]
fn of_many_who_make_one_network_at_once_one_succeeds() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    host.root(&format!("virsh -c '{BEHIND}' net-destroy race; virsh -c '{BEHIND}' net-undefine race"));
    let network = "<network><name>race</name><bridge name='vwn-race'/></network>";
    check("write", &host.write("/srv/vms/race.xml", network))?;
    let race = "cd $(mktemp -d); for i in 1 2 3 4; do
            (virtwarden network create race --information-domain red > create.$i 2>&1 && touch made.create.$i) &
            (virsh net-define /srv/vms/race.xml > define.$i 2>&1 && touch made.define.$i) &
        done; wait; ls made.* | wc -l; cat create.* define.*; rm -r $PWD";
    let ran = alice(&host, race);
    if ran.out.lines().next() != Some("1") {
        return Err(format!("not one of eight succeeded: {}", ran.shown()));
    }
    told("alice", "makes a network eight times at once", "once it is made");
    let listed = host.root(&format!("virsh -c '{BEHIND}' net-list --all --name | grep -cx race"));
    if listed.out.trim() != "1" {
        return Err(format!("networks called `race`: {}", listed.shown()));
    }
    let outcomes = records(&host, "--function configure-networks --limit 40");
    let about = |record: &&Value| record.to_string().contains("race");
    let failures = outcomes.iter().filter(about).filter(|r| r.to_string().contains("already")).count();
    if failures == 0 {
        return Err(format!("none is on record that came too late: {outcomes:?}"));
    }
    check("gone", &alice(&host, "virtwarden network delete race || virsh net-undefine race"))
}

/// What a guest without a disk sends: its firmware asks for an address, to everybody on the network.
const HEARD: &str = "import socket,sys,time
s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3)); s.bind((sys.argv[1],0)); s.settimeout(1)
until=time.time()+float(sys.argv[3]); mac=bytes.fromhex(sys.argv[2].replace(':','')); heard=0
while time.time()<until:
    try: f=s.recv(2048)
    except TimeoutError: continue
    heard+=f[6:12]==mac
print('heard', heard)";

#[test]
#[ignore = "needs a test host: make stories"]
fn vnc_3_what_is_not_connected_hears_nothing() -> Result<(), String> {
    let host = Host::of_this_run()?;
    set(&host)?;
    chapter("VNC-3: the guests' own packets");
    check("listener", &host.write("/srv/vms/heard.py", HEARD))?;
    // A container has these read-only, and libvirt isolates ports by writing there.
    host.root("for part in class devices; do mount -o remount,rw /sys/$part; done");
    // Its firmware is all that runs in this guest: it is to ask the network for something to boot. Emulated, for not
    // every machine's KVM runs that far.
    let booting = "virsh dumpxml bobvm --inactive > /tmp/booting.xml
        sed -i -e \"s/<boot dev='hd'/<boot dev='network'/\" -e \"s/type='kvm'/type='qemu'/\" /tmp/booting.xml
        virsh define /tmp/booting.xml";
    check("boot from the network", &alice(&host, booting))?;
    let made = "set -e; virtwarden vm domain finance red
        virtwarden network create alone --information-domain red --forward nat
        virtwarden network create open --information-domain red --forward nat --open-ports
        virtwarden network create other --information-domain blue --forward nat --open-ports";
    check("networks", &alice(&host, made))?;
    let heard = [("open", "open", true), ("alone", "alone", false), ("other", "open", false)];
    let result = heard.iter().try_for_each(|(listens, sends, expected)| {
        let heard = hears(&host, listens, sends)?;
        told(
            &format!("a VM on {listens}"),
            &format!("while one on {sends} calls everybody"),
            &format!("{heard} frames"),
        );
        if (heard > 0) == *expected {
            Ok(())
        } else {
            Err(format!("on {listens}, of {sends}: {heard} frames"))
        }
    });
    let walled = result.and_then(|()| the_host_serves_addresses_and_nothing_else(&host));
    let away =
        "for vm in bobvm finance; do virsh destroy $vm; virsh detach-interface $vm network --config; done
        for n in alone open other; do virtwarden network delete $n; done";
    alice(&host, away);
    walled
}

/// How many frames of a guest that starts on one network reach the tap of a guest on another, or the same.
fn hears(host: &Host, listens: &str, sends: &str) -> Result<u64, String> {
    let domain = if listens == "other" { "blue" } else { "red" };
    let plug = format!(
        "set -e; for vm in bobvm finance; do virsh destroy $vm 2>/dev/null || true; virsh detach-interface $vm network --config 2>/dev/null || true; done
        virtwarden vm domain finance {domain}
        virsh attach-interface finance network {listens} --model virtio --config
        virsh attach-interface bobvm network {sends} --model virtio --mac 52:54:00:00:0c:01 --config
        virsh start finance; sleep 3; virsh -q domiflist finance | awk '{{print $1}}'"
    );
    let ran = alice(host, &plug);
    check("plug", &ran)?;
    let tap = ran.out.lines().rev().find(|line| line.starts_with("vnet")).unwrap_or_default().to_owned();
    let listening = format!(
        "timeout 60 python3 /srv/vms/heard.py {tap} 52:54:00:00:0c:01 15 > /tmp/heard 2>&1 & sleep 1"
    );
    host.root(&format!("({listening}) > /dev/null 2>&1"));
    check("start", &alice(host, "virsh start bobvm"))?;
    let ran = host.root("sleep 16; cat /tmp/heard");
    let count = ran.out.trim().strip_prefix("heard ").and_then(|count| count.parse().ok());
    count.ok_or_else(|| format!("no count: {}", ran.shown()))
}

/// A neighbour that is plugged into the bridge like a guest gets an address and names, and reaches no service of the host.
fn the_host_serves_addresses_and_nothing_else(host: &Host) -> Result<(), String> {
    chapter("guests and the host's own services");
    let script = "set -e
        ip netns add guest; ip link add g0 type veth peer name g1; ip link set g1 netns guest
        ip link set g0 master vwn-open up; G=$(ip -4 -br addr show vwn-open | awk '{print $3}' | cut -d/ -f1)
        ip -n guest addr add ${G%.*}.250/24 dev g1; ip -n guest link set g1 up; ip -n guest route add default via $G; sleep 3
        python3 -m http.server 8011 --bind 0.0.0.0 >/dev/null 2>&1 & S=$!; sleep 1
        try() { ip netns exec guest timeout 5 \"$@\" >/dev/null 2>&1 && echo yes || echo no; }
        ip addr add 203.0.113.7/32 dev lo
        echo ssh $(try nc -z -w 2 $G 22) http $(try nc -z -w 2 $G 8011) other $(try nc -z -w 2 203.0.113.7 8011) dns $(try nc -z -w 2 $G 53)
        nft delete table inet virtwarden; echo unwalled $(try nc -z -w 2 $G 8011)
        ip addr del 203.0.113.7/32 dev lo; kill $S; ip netns del guest";
    let ran = host.root(script);
    host.root("ip netns del guest; ip addr del 203.0.113.7/32 dev lo");
    told("a guest", "knocks at the host", ran.out.trim());
    let expected = "ssh no http no other no dns yes\nunwalled yes\n";
    if ran.out == expected { Ok(()) } else { Err(format!("expected {expected}, got {}", ran.shown())) }
}
