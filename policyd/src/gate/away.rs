// SPDX-License-Identifier: Apache-2.0
//! A client for whom there is no room: its first call is answered with the reason, then the link is closed.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use virtwarden_core::rpc::frame::{Frame, LENGTH_BYTES, MessageKind, Status, length};

use super::fault::{Fault, code};

/// How long the client may be silent before it has made its call.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest first call; a greeting is much shorter.
const LONGEST: usize = 4096;
/// Clients that are told at once; more of them are closed without a word, so that they cost nothing.
const AT_ONCE: usize = 32;

/// Who is being told.
#[derive(Debug, Default)]
pub(super) struct Farewells(Arc<AtomicUsize>);

impl Farewells {
    /// Tells a client why it is turned away. What goes wrong here harms the client alone.
    pub(super) fn tell(&self, socket: UnixStream, why: &str) {
        let _counted = Counted(self.0.clone());
        if self.0.fetch_add(1, Ordering::SeqCst) < AT_ONCE {
            let _gone_already = answer(socket, why);
        }
    }
}

struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn answer(mut socket: UnixStream, why: &str) -> std::io::Result<()> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let mut bytes = vec![0; LENGTH_BYTES];
    socket.read_exact(&mut bytes)?;
    let announced = bytes.first_chunk().and_then(|word| length(*word).ok()).filter(|long| *long <= LONGEST);
    let Some(announced) = announced else { return Ok(()) };
    bytes.resize(announced.max(LENGTH_BYTES), 0);
    socket.read_exact(bytes.get_mut(LENGTH_BYTES..).unwrap_or_default())?;
    let Ok(call) = Frame::parse(&bytes) else { return Ok(()) };
    if call.header.kind != MessageKind::Call {
        return Ok(());
    }
    let payload = Fault::Failed(code::BUSY, why.to_owned()).payload();
    let header = call.header.reply(Status::Error);
    match (Frame { header, descriptors: 0, payload: &payload }).encode() {
        Ok(reply) => socket.write_all(&reply),
        Err(_) => Ok(()),
    }
}
