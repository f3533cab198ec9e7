// SPDX-License-Identifier: Apache-2.0
//! libvirtd's networks, asked over a link of policyd's own.

use virtwarden_core::object::Uuid;
use virtwarden_core::policy::networks::Network;
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::xml::network::NetworkDefinition;
use virtwarden_core::xml::reach::Reach;

use crate::gate::upstream::{Upstream, UpstreamError};

const CONNECT_LIST_ALL_NETWORKS: u32 = 283;
const NETWORK_GET_XML_DESC: u32 = 43;
/// `VIR_CONNECT_LIST_NETWORKS_ACTIVE`.
const ACTIVE: u32 = 2;
/// As it is while it is up, and as it is stored (`VIR_NETWORK_XML_INACTIVE`).
const FORMS: [u32; 2] = [0, 1];
/// The most networks that libvirt lists.
const MOST: u32 = 16_384;
/// libvirt's own bound for a string.
const TEXT: u32 = 4 << 20;
/// The least that a network takes in a list: an empty name, a UUID.
const LEAST: usize = 4 + 16;

/// Every network.
///
/// # Errors
/// libvirtd does not answer, or has a network that is not understood.
pub fn networks(link: &mut Upstream) -> Result<Vec<Network>, UpstreamError> {
    let mut networks = Vec::new();
    for (name, uuid) in list(link, 0)? {
        let mut reaches: Vec<Reach> = Vec::new();
        for definition in definitions(link, &name, uuid)? {
            let reach = Reach::of(&definition);
            if !reaches.contains(&reach) {
                reaches.push(reach);
            }
        }
        networks.push(Network { name, uuid: Some(uuid), assigned: None, reaches });
    }
    Ok(networks)
}

/// Those that are up.
///
/// # Errors
/// libvirtd does not answer.
pub fn active(link: &mut Upstream) -> Result<Vec<Uuid>, UpstreamError> {
    Ok(list(link, ACTIVE)?.into_iter().map(|(_, uuid)| uuid).collect())
}

fn list(link: &mut Upstream, flags: u32) -> Result<Vec<(String, Uuid)>, UpstreamError> {
    let mut arguments = Writer::with_capacity(8);
    arguments.boolean(true);
    arguments.u32(flags);
    Ok(handles(&link.call(CONNECT_LIST_ALL_NETWORKS, arguments)?)?)
}

fn handles(answer: &[u8]) -> Result<Vec<(String, Uuid)>, XdrError> {
    let mut reader = Reader::new(answer);
    let handle = |reader: &mut Reader<'_>| {
        let name = String::from_utf8_lossy(reader.opaque(TEXT)?).into_owned();
        Ok((name, Uuid(reader.array()?)))
    };
    (0..reader.count(MOST, LEAST)?).map(|_| handle(&mut reader)).collect()
}

/// How it is while it is up and how it is stored; none of one that is gone meanwhile.
fn definitions(link: &mut Upstream, name: &str, uuid: Uuid) -> Result<Vec<NetworkDefinition>, UpstreamError> {
    let mut definitions = Vec::new();
    for form in FORMS {
        let mut arguments = Writer::with_capacity(64);
        arguments.text(name);
        arguments.raw(&uuid.0);
        arguments.u32(form);
        let answer = match link.call(NETWORK_GET_XML_DESC, arguments) {
            Err(UpstreamError::Refused(_)) => continue,
            answer => answer?,
        };
        let text = Reader::new(&answer).opaque(TEXT)?.to_vec();
        let definition = NetworkDefinition::parse(text);
        let understood = definition.map_err(|_| UpstreamError::Nonsense("the question what a network is"))?;
        definitions.push(understood);
    }
    Ok(definitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_lies_about_its_length_is_refused() {
        let mut writer = Writer::with_capacity(64);
        writer.count(1);
        writer.text("red");
        writer.raw(&[7; 16]);
        let whole = writer.finish();
        assert_eq!(handles(&whole), Ok(vec![("red".to_owned(), Uuid([7; 16]))]));
        for length in 0..whole.len() {
            assert!(handles(&whole[..length]).is_err(), "{length}");
        }
    }
}
