// SPDX-License-Identifier: Apache-2.0
//! What reaches inside a guest through its agent is the Administrator's: passwords, files, commands. An agent
//! answers here, so that each would work.

use virtwarden_core::record::Outcome;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{self, alice, bob, check};
use virtwarden_tests::trail;

/// The guest that opens its agent's channel. Emulated, because it polls.
const GUEST: &str = "<domain type='qemu'><name>bobvm</name><uuid>UUID</uuid><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/srv/vms/agent.img'/><target dev='vda' bus='virtio'/></disk>
<serial type='unix'><source mode='connect' path='/srv/vms/agent.sock'/></serial>
<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices></domain>";

const HEARD: &str = "/tmp/agent.heard";
const END: &str = "test ! -e /run/agent.pid || kill $(cat /run/agent.pid); rm -f /run/agent.pid";

/// bobvm runs, and its agent answers.
fn answering(host: &Host) -> Result<(), String> {
    scene::set(host)?;
    check("program", &host.write("/usr/local/lib/agent.py", include_str!("../src/agent.py")))?;
    let begin = format!(
        "{END}; cd /srv/vms; python3 /usr/local/lib/agent.py guest agent.img; \
         setsid python3 /usr/local/lib/agent.py answer /srv/vms/agent.sock > {HEARD} 2>&1 < /dev/null & \
         echo $! > /run/agent.pid"
    );
    check("agent", &host.root(&begin))?;
    host.wait("agent", "test -S /srv/vms/agent.sock")?;
    let uuid = alice(host, "virsh domuuid bobvm").out.trim().to_owned();
    check("write", &host.write("/srv/vms/agent.xml", &GUEST.replace("UUID", &uuid)))?;
    // The guest's serial line ends in a process of the host.
    check("open", &alice(host, "virtwarden sharing allow chardev bobvm host --reason story"))?;
    check("define", &alice(host, "virsh define /srv/vms/agent.xml"))?;
    check("start", &bob(host, "virsh start bobvm"))?;
    let connected =
        format!("virsh -c '{}' dumpxml bobvm | grep -q \"guest_agent.0' state='connected'\"", scene::BEHIND);
    host.wait("channel", &connected)
}

fn heard(host: &Host) -> String {
    host.root(&format!("cat {HEARD}")).out
}

/// What it is, and how it is asked for.
const ASKED: &[(&str, &str)] = &[
    ("guest-set-user-password", "virsh set-user-password bobvm root secret"),
    ("guest-get-time", "virsh domtime bobvm"),
    ("guest-network-get-interfaces", "virsh domifaddr bobvm --source agent"),
    (
        "guest-exec",
        "virsh qemu-agent-command bobvm '{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"/bin/sh\"}}'",
    ),
];

#[test]
#[ignore = "needs a test host: make stories"]
fn what_reaches_inside_a_guest_is_the_administrators() -> Result<(), String> {
    let host = Host::of_this_run()?;
    answering(&host)?;
    chapter("a guest agent answers in bob's VM");
    for (command, script) in ASKED {
        let (before, since) = (heard(&host), trail::end(&host));
        is_refused(script, &bob(&host, script))?;
        if heard(&host) != before {
            return Err(format!("`{script}` of bob's reached the agent: {}", heard(&host)));
        }
        trail::until(&host, since, |told| {
            let denied = told.iter().any(|line| line.is_of("bob") && line.event.outcome == Outcome::Denied);
            if denied { Ok(()) } else { Err(format!("`{script}`: no denial in {told:?}")) }
        })?;
        told("bob", script, "refused; the agent heard nothing");
        // What she is answered need not make sense to virsh: the agent heard it.
        let hers = alice(&host, script);
        if !heard(&host).contains(command) {
            return Err(format!("`{script}` of alice's did not reach the agent: {}", hers.shown()));
        }
        told("alice", script, "the agent heard it");
    }
    let set = alice(&host, "virsh set-user-password bobvm root secret");
    check("alice", &set)?;
    host.root(END);
    Ok(())
}

fn is_refused(script: &str, ran: &Ran) -> Result<(), String> {
    if ran.succeeded() || !ran.shown().contains("access denied") {
        return Err(format!("`{script}` of bob's: {}", ran.shown()));
    }
    Ok(())
}
