// SPDX-License-Identifier: Apache-2.0
//! An audit server for the time of an evaluation: TLS on the loopback interface, by an authority that nobody else knows. It is
//! a part of this process, so that it ends with it.

mod certificates;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use openssl::error::ErrorStack;
use openssl::ssl::SslAcceptor;

use self::certificates::certificates;
use super::stage::file;
use crate::exit::Failed;

/// The name in its certificate; no name server knows it.
pub(super) const NAME: &str = "vweval.invalid";
/// So much is kept of what arrives, of its end.
const KEPT: usize = 4 * 1024 * 1024;
/// For how long something is waited for after anything else has arrived: what had waited for a server comes first.
const PATIENCE: Duration = Duration::from_secs(40);
/// For how long at all.
const LONGEST: Duration = Duration::from_secs(90);
const TICK: Duration = Duration::from_millis(50);

/// What listens, and what has arrived.
pub(super) struct Receiver {
    /// Where it listens.
    pub(super) port: u16,
    arrived: Arc<Mutex<Arrived>>,
}

impl Receiver {
    /// Listens; whoever is to send here finds the authority's certificate in this file.
    pub(super) fn listen(authority: &Path) -> Result<Self, Failed> {
        let broken = |error: ErrorStack| Failed::error(format!("cannot make certificates: {error}"));
        let made = certificates(NAME).map_err(broken)?;
        file(authority, &made.authority, 0o644)?;
        let acceptor = made.acceptor().map_err(broken)?;
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| {
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        });
        let (listener, port) =
            bound.map_err(|error| Failed::error(format!("nobody can listen on the loopback: {error}")))?;
        let arrived = Arc::default();
        let into = Arc::clone(&arrived);
        thread::spawn(move || {
            // Whoever connects and says nothing keeps nobody else waiting.
            for stream in listener.incoming().flatten() {
                let (acceptor, into) = (acceptor.clone(), Arc::clone(&into));
                thread::spawn(move || take(&acceptor, stream, &into));
            }
        });
        Ok(Self { port, arrived })
    }

    /// Whether all of these words arrive.
    pub(super) fn hears(&self, words: &[&str]) -> Heard {
        let begun = Instant::now();
        let (mut newest, mut known) = (begun, 0);
        loop {
            let (text, total) = {
                let arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
                (String::from_utf8_lossy(&arrived.end).into_owned(), arrived.total)
            };
            if words.iter().all(|word| text.contains(word)) {
                return Heard::Yes;
            }
            if total > known {
                (newest, known) = (Instant::now(), total);
            }
            if newest.elapsed() > PATIENCE {
                return Heard::No;
            }
            if begun.elapsed() > LONGEST {
                return Heard::NotYet;
            }
            thread::sleep(TICK);
        }
    }
}

/// What has arrived.
#[derive(Default)]
struct Arrived {
    /// The end of it.
    end: Vec<u8>,
    /// How much it was altogether.
    total: usize,
}

impl Arrived {
    fn add(&mut self, piece: &[u8]) {
        self.total = self.total.saturating_add(piece.len());
        self.end.extend_from_slice(piece);
        let over = self.end.len().saturating_sub(KEPT);
        self.end.drain(..over);
    }
}

/// Whether something arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It did.
    Yes,
    /// It did not, nor anything else any more.
    No,
    /// So much else had waited that nobody can tell.
    NotYet,
}

/// One sender, to its end.
fn take(acceptor: &SslAcceptor, stream: TcpStream, into: &Mutex<Arrived>) {
    let Ok(mut stream) = acceptor.accept(stream) else { return };
    let mut piece = [0; 4096];
    while let Ok(length) = stream.read(&mut piece) {
        if length == 0 {
            return;
        }
        let read = piece.get(..length).unwrap_or_default();
        into.lock().unwrap_or_else(PoisonError::into_inner).add(read);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};

    use super::*;

    #[test]
    fn who_knows_the_authority_is_heard_and_sure_of_the_name() {
        let place = tempfile::tempdir().unwrap();
        let authority = place.path().join("ca.pem");
        let receiver = Receiver::listen(&authority).unwrap();
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_ca_file(&authority).unwrap();
        connector.set_verify(SslVerifyMode::PEER);
        let connector = connector.build();
        let reach = || TcpStream::connect((Ipv4Addr::LOCALHOST, receiver.port)).unwrap();
        assert!(connector.connect("other.invalid", reach()).is_err());
        let mut stream = connector.connect(NAME, reach()).unwrap();
        stream.write_all(b"5 hello").unwrap();
        assert_eq!(receiver.hears(&["hello"]), Heard::Yes);
    }
}
