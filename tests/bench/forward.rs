// SPDX-License-Identifier: Apache-2.0
//! A plain byte-forwarding proxy: what any process in the middle costs, without looking at anything.

use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

/// Serves until killed.
pub(crate) fn serve(listen: &str, socket: &str) -> io::Result<()> {
    let _absent = std::fs::remove_file(listen);
    let listener = UnixListener::bind(listen)?;
    std::fs::set_permissions(listen, std::fs::Permissions::from_mode(0o666))?;
    for client in listener.incoming() {
        let client = client?;
        let upstream = UnixStream::connect(socket)?;
        let (from, to) = (client.try_clone()?, upstream.try_clone()?);
        thread::spawn(move || pass(from, to));
        thread::spawn(move || pass(upstream, client));
    }
    Ok(())
}

fn pass(mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = vec![0; 65536];
    while let Ok(count) = from.read(&mut buffer) {
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _gone = to.shutdown(std::net::Shutdown::Both);
}
