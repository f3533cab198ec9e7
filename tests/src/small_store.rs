// SPDX-License-Identifier: Apache-2.0
//! A trail whose store is soon full: with what it holds, on a small file system beside a file that leaves little room.

use crate::host::Host;
use crate::scene::{alice, check};

/// Sockets come down with policyd, so that nobody starts it on the way.
const SMALL: &str = r#"set -e
systemctl stop virtwarden-policyd.service virtwarden-policyd.socket virtwarden-policyd-ro.socket virtwarden-control.socket
cp -a /var/log/virtwarden /tmp/log; rm -f /tmp/log/audit/spare
mount -t tmpfs -o mode=755,size=200M none /var/log/virtwarden
chown --reference=/tmp/log /var/log/virtwarden; cp -a /tmp/log/audit /var/log/virtwarden/; rm -r /tmp/log
systemctl start virtwarden-policyd.service
free=$(df --output=avail -k /var/log/virtwarden | tail -1)
fallocate -l $((free - 65536 - ROOM))K /var/log/virtwarden/filler"#;

/// Gives the trail its own place back, with what was added.
const LARGE: &str = r#"systemctl stop virtwarden-policyd.service virtwarden-policyd.socket virtwarden-policyd-ro.socket virtwarden-control.socket
rm -f /etc/virtwarden/policy.d/10-audit.toml /var/log/virtwarden/filler
cp -a /var/log/virtwarden /tmp/log; umount /var/log/virtwarden && rm -r /var/log/virtwarden/audit
cp -a /tmp/log/audit /var/log/virtwarden/; rm -r /tmp/log
systemctl start virtwarden-policyd.service"#;

/// Plays something on a store of segments of 1 MiB, with room for so many KiB beside the reserve and what policyd has
/// prepared. The store has its place back afterwards, and the trail verifies before and after that.
///
/// # Errors
/// What was played, or one of the steps around it.
pub fn played_on(
    host: &Host,
    when_full: &str,
    room: u32,
    play: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    let rules =
        format!("[audit]\nsegment-size = \"1 MiB\"\nstore-size = \"1 GiB\"\nfull-store = \"{when_full}\"");
    check("rules", &host.write("/etc/virtwarden/policy.d/10-audit.toml", &rules))?;
    let small = host.root(&SMALL.replace("ROOM", &room.to_string()));
    let played = check("small", &small)
        .and_then(|()| play())
        .and_then(|()| check("verify", &alice(host, "virtwarden audit verify")));
    let large = host.root(LARGE);
    played?;
    check("large", &large)?;
    check("verify", &alice(host, "virtwarden audit verify"))
}

/// Has alice attempt something in one virsh so often; it fails in libvirt, which is fast. `finance` must be there.
pub fn fill(host: &Host, attempts: u32) {
    let fill =
        format!("yes 'suspend finance' | head -n {attempts} | timeout 120 virsh >/dev/null 2>&1; true");
    alice(host, &fill);
}
