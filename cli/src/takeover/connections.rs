// SPDX-License-Identifier: Apache-2.0
//! Who is connected to libvirt, or listens in its place, right now.

use std::collections::BTreeSet;

use crate::takeover::host::Host;
use crate::takeover::trouble::Trouble;

/// Where everybody looks for libvirt.
pub(crate) const PUBLIC_SOCKETS: &[&str] = &["/run/libvirt/libvirt-sock", "/run/libvirt/libvirt-sock-ro"];

/// Where libvirt's daemons listen on the network, also while systemd holds the socket for them.
const REMOTE_PORTS: &[&str] = &[":16509", ":16514"];

/// One Unix socket, as `ss` prints it.
struct Row<'a> {
    path: &'a str,
    inode: &'a str,
    peer: &'a str,
    users: &'a str,
}

impl<'a> Row<'a> {
    /// `u_str ESTAB 0 0 /run/x 123 * 124 users:(("virsh",pid=9,fd=4))`
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace().skip(4);
        let (path, inode) = (words.next()?, words.next()?);
        let peer = words.nth(1)?;
        Some(Self { path, inode, peer, users: words.next().unwrap_or_default() })
    }

    /// `virsh (process 9)`, for each process that holds it.
    fn holders(&self) -> impl Iterator<Item = String> {
        self.users.split("(\"").skip(1).filter_map(|user| {
            let (name, rest) = user.split_once('"')?;
            let pid = rest.strip_prefix(",pid=")?.split(',').next()?;
            Some(format!("{name} (process {pid})"))
        })
    }
}

/// The programs at the other end of libvirt's public sockets.
pub(crate) fn clients(host: &Host<'_>) -> Result<BTreeSet<String>, Trouble> {
    let text = host.run("ss", &["-xpnH"])?;
    Ok(clients_in(&text))
}

/// The programs that hold libvirt's public sockets open for new clients.
pub(crate) fn listeners(host: &Host<'_>) -> Result<BTreeSet<String>, Trouble> {
    let text = host.run("ss", &["-xlpnH"])?;
    let rows = text.lines().filter_map(Row::parse).filter(|row| PUBLIC_SOCKETS.contains(&row.path));
    Ok(rows.flat_map(|row| row.holders().collect::<Vec<_>>()).collect())
}

/// libvirt's daemons that listen on the network.
pub(crate) fn remote(host: &Host<'_>) -> Result<BTreeSet<String>, Trouble> {
    let text = host.run("ss", &["-ltnpH"])?;
    Ok(text.lines().flat_map(remote_in).collect())
}

/// `LISTEN 0 128 0.0.0.0:16509 0.0.0.0:* users:(("libvirtd",pid=9,fd=4))`
fn remote_in(line: &str) -> Option<String> {
    let address = line.split_whitespace().nth(3)?;
    let name = line.split_once("((\"")?.1.split_once('"')?.0;
    let is_daemon = matches!(name, "libvirtd" | "virtqemud" | "virtproxyd");
    (is_daemon || REMOTE_PORTS.iter().any(|port| address.ends_with(port)))
        .then(|| format!("{name} ({address})"))
}

fn clients_in(text: &str) -> BTreeSet<String> {
    let rows: Vec<Row<'_>> = text.lines().filter_map(Row::parse).collect();
    let served: BTreeSet<&str> =
        rows.iter().filter(|row| PUBLIC_SOCKETS.contains(&row.path)).map(|row| row.peer).collect();
    let far_ends = rows.iter().filter(|row| served.contains(row.inode));
    far_ends.flat_map(|row| row.holders().collect::<Vec<_>>()).collect()
}
