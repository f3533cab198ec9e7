// SPDX-License-Identifier: Apache-2.0
//! Large streams pass whole: volumes up and down, with holes and without; a console, both ways at once.

use virtwarden_tests::host::Host;
use virtwarden_tests::scene::{self, alice, bob, check};

/// Makes a volume, fills it, fetches it again and compares; `$S` says whether holes pass as holes.
const THERE_AND_BACK: &str = "set -e; trap 'rm -f /tmp/there /tmp/back' EXIT
virsh vol-create-as store big.img 64M
timeout 60 virsh vol-upload --pool store big.img /tmp/there $S
timeout 60 virsh vol-download --pool store big.img /tmp/back $S
cmp /tmp/there /tmp/back; virsh vol-delete --pool store big.img";

#[test]
#[ignore = "needs a test host: make stories"]
fn a_large_volume_comes_back_as_it_went() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let filled = "head -c 64M /dev/urandom > /tmp/there; S=";
    check("filled", &alice(&host, &format!("{filled}; {THERE_AND_BACK}")))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn holes_stay_holes() -> Result<(), String> {
    let host = Host::of_this_run()?;
    scene::set(&host)?;
    let holes = "truncate -s 64M /tmp/there; for at in 1 17 40; do dd if=/dev/urandom of=/tmp/there bs=1M seek=$at count=2 conv=notrunc status=none; done; S=--sparse";
    check("holes", &alice(&host, &format!("{holes}; {THERE_AND_BACK}")))
}

/// The guest that sends back what it hears. Emulated, because its serial port is.
const GUEST: &str = "<domain type='qemu'><name>bobvm</name><uuid>UUID</uuid><memory unit='MiB'>32</memory>
<os><type arch='x86_64' machine='pc'>hvm</type></os><devices>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/srv/vms/echo.img'/><target dev='vda' bus='virtio'/></disk>
<serial type='pty'/><console type='pty'/></devices></domain>";

/// bobvm sends back what it hears, and runs.
fn answering(host: &Host) -> Result<(), String> {
    scene::set(host)?;
    check("program", &host.write("/usr/local/lib/echo.py", include_str!("../src/echo.py")))?;
    check("disk", &host.root("python3 /usr/local/lib/echo.py guest /srv/vms/echo.img"))?;
    let uuid = alice(host, "virsh domuuid bobvm").out.trim().to_owned();
    check("write", &host.write("/srv/vms/echo.xml", &GUEST.replace("UUID", &uuid)))?;
    check("define", &alice(host, "virsh define /srv/vms/echo.xml"))?;
    check("start", &bob(host, "virsh start bobvm"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn a_guest_on_the_console_hears_and_says_each_byte_as_it_is() -> Result<(), String> {
    let host = Host::of_this_run()?;
    answering(&host)?;
    check("console", &bob(&host, "python3 /usr/local/lib/echo.py talk bobvm 32768"))?;
    check("stop", &bob(&host, "virsh destroy bobvm"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn megabytes_pass_the_console_both_ways_at_once() -> Result<(), String> {
    let host = Host::of_this_run()?;
    answering(&host)?;
    let begin = "cd /tmp; setsid python3 /usr/local/lib/echo.py far $(cat /run/libvirt/qemu/bobvm.pid) > far.log 2>&1 < /dev/null & \
                 echo $! > /tmp/far.pid";
    check("far end", &host.root(begin))?;
    let talked = bob(&host, "python3 /usr/local/lib/echo.py talk bobvm 16777216 65536");
    host.root("kill $(cat /tmp/far.pid); kill -CONT $(cat /run/libvirt/qemu/bobvm.pid)");
    check("console", &talked)?;
    check("stop", &bob(&host, "virsh destroy bobvm"))
}
