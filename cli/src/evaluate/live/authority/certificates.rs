// SPDX-License-Identifier: Apache-2.0
//! Certificates for a day: an authority that nobody else knows, and a server of its own.

use std::net::Ipv4Addr;

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// An authority, in PEM, and a server that it vouches for.
pub(super) struct Certificates {
    pub(super) authority: String,
    server: X509,
    key: PKey<Private>,
}

impl Certificates {
    /// Whoever takes connections as that server.
    pub(super) fn acceptor(&self) -> Result<SslAcceptor, ErrorStack> {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
        acceptor.set_private_key(&self.key)?;
        acceptor.set_certificate(&self.server)?;
        Ok(acceptor.build())
    }
}

/// An authority, and what it says of the server of this name at this address.
pub(super) fn certificates(server_name: &str, address: Ipv4Addr) -> Result<Certificates, ErrorStack> {
    let (authority_key, key) = (key()?, key()?);
    let mut authority = certificate("vweval authority", &authority_key, 1)?;
    authority.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    authority.append_extension(KeyUsage::new().critical().key_cert_sign().build()?)?;
    let name = called("vweval authority")?;
    authority.set_issuer_name(&name)?;
    authority.sign(&authority_key, MessageDigest::sha256())?;
    let authority = authority.build();
    let mut server = certificate(server_name, &key, 2)?;
    server.set_issuer_name(authority.subject_name())?;
    server.append_extension(BasicConstraints::new().build()?)?;
    server.append_extension(ExtendedKeyUsage::new().server_auth().build()?)?;
    let names = SubjectAlternativeName::new()
        .dns(server_name)
        .ip(&address.to_string())
        .build(&server.x509v3_context(Some(&authority), None))?;
    server.append_extension(names)?;
    server.sign(&authority_key, MessageDigest::sha256())?;
    let authority = String::from_utf8_lossy(&authority.to_pem()?).into_owned();
    Ok(Certificates { authority, server: server.build(), key })
}

fn key() -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    PKey::from_ec_key(EcKey::generate(&group)?)
}

fn called(name: &str) -> Result<X509Name, ErrorStack> {
    let mut builder = X509NameBuilder::new()?;
    builder.append_entry_by_text("CN", name)?;
    Ok(builder.build())
}

/// For a day, of a version that can say what it is for.
fn certificate(name: &str, key: &PKey<Private>, serial: u32) -> Result<X509Builder, ErrorStack> {
    let mut builder = X509::builder()?;
    let name = called(name)?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_pubkey(key)?;
    let number = BigNum::from_u32(serial)?.to_asn1_integer()?;
    builder.set_serial_number(&number)?;
    let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(1)?);
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    Ok(builder)
}
