// SPDX-License-Identifier: Apache-2.0
//! Servers for the time of an evaluation: TLS on the loopback interface, by an authority that nobody else knows. They are a
//! part of this process, so that they end with it.

mod certificates;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;

use openssl::error::ErrorStack;
use openssl::ssl::SslAcceptor;

use self::certificates::certificates;
use super::files::file;
use crate::exit::Failed;

/// The name in its servers' certificate; no name server knows it.
pub(super) const NAME: &str = "vweval.invalid";
/// Their address, which is in it as well.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// One who is connected.
pub(super) trait Peer: Read + Write {}

impl<P: Read + Write> Peer for P {}

/// The authority, and what proves its servers.
pub(super) struct Authority {
    acceptor: SslAcceptor,
}

impl Authority {
    /// Makes one; whoever is to trust its servers finds its certificate in this file.
    pub(super) fn make(at: &Path) -> Result<Self, Failed> {
        let broken = |error: ErrorStack| Failed::error(format!("cannot make certificates: {error}"));
        let made = certificates(NAME, ADDRESS).map_err(broken)?;
        file(at, &made.authority, 0o644)?;
        Ok(Self { acceptor: made.acceptor().map_err(broken)? })
    }

    /// Listens, and gives each one who connects to `serve`, in a thread of his own: whoever says nothing keeps nobody
    /// else waiting. Gives the port.
    pub(super) fn listen(
        &self,
        serve: impl Fn(&mut dyn Peer) + Clone + Send + 'static,
    ) -> Result<u16, Failed> {
        let bound = TcpListener::bind((ADDRESS, 0)).and_then(|listener| {
            let port = listener.local_addr()?.port();
            Ok((listener, port))
        });
        let (listener, port) =
            bound.map_err(|error| Failed::error(format!("nobody can listen on the loopback: {error}")))?;
        let acceptor = self.acceptor.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (acceptor, serve) = (acceptor.clone(), serve.clone());
                thread::spawn(move || acceptor.accept(stream).map(|mut peer| serve(&mut peer)).ok());
            }
        });
        Ok(port)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::TcpStream;

    use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};

    use super::*;

    /// Connects as one who knows the authority and expects this name.
    pub(in crate::evaluate::live) fn connect(
        authority: &Path,
        name: &str,
        port: u16,
    ) -> Option<SslStream<TcpStream>> {
        let mut connector = SslConnector::builder(SslMethod::tls_client()).unwrap();
        connector.set_ca_file(authority).unwrap();
        connector.set_verify(SslVerifyMode::PEER);
        let stream = TcpStream::connect((ADDRESS, port)).unwrap();
        connector.build().connect(name, stream).ok()
    }

    #[test]
    fn who_knows_the_authority_is_sure_of_name_and_address() {
        let place = tempfile::tempdir().unwrap();
        let at = place.path().join("ca.pem");
        let authority = Authority::make(&at).unwrap();
        let port = authority.listen(|peer| drop(peer.write_all(b"hello"))).unwrap();
        assert!(connect(&at, "other.invalid", port).is_none());
        for name in [NAME, "127.0.0.1"] {
            let mut heard = [0; 5];
            connect(&at, name, port).unwrap().read_exact(&mut heard).unwrap();
            assert_eq!(&heard, b"hello");
        }
    }
}
