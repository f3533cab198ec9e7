// SPDX-License-Identifier: Apache-2.0
//! Servers: by name, with what proves them.

use std::fs::File;
use std::io::Read;

use virtwarden_core::setting::{
    AuditServer, Certificates, DirectoryProtection, DirectoryServer, SearchBase, ServerName, TimeProof,
    TimeServers,
};

use super::{number, unknown};
use crate::arguments::Pair;
use crate::exit::Failed;

/// More than as many certificates as are taken have, with all that may stand between them.
const LONGEST: u64 = 1 << 20;

pub(super) fn audit_server(server: AuditServer, pair: &Pair) -> Result<AuditServer, Failed> {
    match (pair.key.as_str(), pair.value.as_str()) {
        ("address", "none") => Ok(AuditServer::default()),
        ("address", _) => Ok(AuditServer { address: Some(name(pair)?), ..server }),
        ("port", _) => Ok(AuditServer { port: number(pair)?, ..server }),
        ("peer", _) => Ok(AuditServer { peer: Some(name(pair)?), ..server }),
        ("ca", _) => Ok(AuditServer { ca: Some(certificates(pair)?), ..server }),
        _ => Err(unknown(pair, "`address`, `port`, `peer` and `ca`")),
    }
}

pub(super) fn directory_server(server: DirectoryServer, pair: &Pair) -> Result<DirectoryServer, Failed> {
    let wrong = |why: String| Failed::usage(format!("{}=`{}`: {why}", pair.key, pair.value));
    match (pair.key.as_str(), pair.value.as_str()) {
        ("address", "none") => Ok(DirectoryServer::default()),
        ("address", _) => Ok(DirectoryServer { address: Some(name(pair)?), ..server }),
        ("port", _) => Ok(DirectoryServer { port: Some(number(pair)?), ..server }),
        ("base", text) => {
            let base = SearchBase::new(text).map_err(|error| wrong(error.to_string()))?;
            Ok(DirectoryServer { base: Some(base), ..server })
        }
        ("ca", _) => Ok(DirectoryServer { ca: Some(certificates(pair)?), ..server }),
        ("protection", word) => {
            let found = DirectoryProtection::ALL.into_iter().find(|protection| protection.word() == word);
            let protection = found.ok_or_else(|| wrong("expected `ldaps` or `start-tls`".to_owned()))?;
            Ok(DirectoryServer { protection, ..server })
        }
        _ => Err(unknown(pair, "`address`, `base`, `ca`, `port` and `protection`")),
    }
}

pub(super) fn time_servers(time: TimeServers, pair: &Pair) -> Result<TimeServers, Failed> {
    let wrong = |why: String| Failed::usage(format!("{}=`{}`: {why}", pair.key, pair.value));
    match (pair.key.as_str(), pair.value.as_str()) {
        ("servers", "distribution") => Ok(TimeServers { servers: Vec::new(), ..time }),
        ("servers", names) => {
            let servers = names.split(',').map(ServerName::new).collect::<Result<_, _>>();
            Ok(TimeServers { servers: servers.map_err(|error| wrong(error.to_string()))?, ..time })
        }
        ("proof", "nts") => Ok(TimeServers { proof: TimeProof::Nts, ..time }),
        ("proof", "nothing") => Ok(TimeServers { proof: TimeProof::Nothing, ..time }),
        ("proof", _) => Err(wrong("expected `nts` or `nothing`".to_owned())),
        _ => Err(unknown(pair, "`servers` and `proof`")),
    }
}

fn name(pair: &Pair) -> Result<ServerName, Failed> {
    ServerName::new(&pair.value).map_err(|error| Failed::usage(format!("{}: {error}", pair.key)))
}

/// Of a file that the person can read.
fn certificates(pair: &Pair) -> Result<Certificates, Failed> {
    let wrong = |why: String| Failed::usage(format!("{}=`{}`: {why}", pair.key, pair.value));
    let mut text = String::new();
    let opened = File::open(&pair.value).map_err(|error| wrong(error.to_string()))?;
    opened.take(LONGEST).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    Certificates::new(&text).map_err(|error| wrong(error.to_string()))
}
