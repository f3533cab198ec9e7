// SPDX-License-Identifier: Apache-2.0
//! Clients that send and do not read: neither the gate's memory nor anybody else's turn is theirs.

use std::sync::Arc;

use virtwarden_core::rpc::frame::{Header, PING};

use super::libvirtd::*;
use super::*;
use crate::gate::turns::Matter;
use crate::gate::wake::Wake;

/// Sends frames until the gate takes no more; how many bytes it took.
fn taken(client: &mut Client, header: Header, payload: &[u8], most: usize) -> usize {
    client.socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut sent = 0;
    let mut serial = 1000;
    while sent < most {
        serial += 1;
        let frame = frame::Frame { header: Header { serial, ..header }, descriptors: 0, payload };
        match client.socket.write(&frame.encode().unwrap()) {
            Ok(count) => sent += count,
            Err(_) => break,
        }
    }
    sent
}

#[test]
fn who_reads_no_answers_is_not_listened_to_for_ever() {
    let most = 16 * 1024 * 1024;
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    assert!(taken(&mut client, Header::keepalive(PING), &[], most) < most / 2, "pings");

    let mut client = scene.open_client();
    let undefine = call_header(by_name("DOMAIN_UNDEFINE").unwrap().number, 1);
    let mut writer = Writer::with_capacity(64);
    encode_fields(by_name("DOMAIN_UNDEFINE").unwrap().arguments, &[vm(BOBS)], &mut writer).unwrap();
    assert!(taken(&mut client, undefine, &writer.finish(), most) < most / 2, "refused calls");
}

#[test]
fn waiting_calls_are_bounded_in_bytes_too() {
    let script: Script = Arc::new(|heard| (heard.name == "DOMAIN_SUSPEND").then(Vec::new));
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    for _ in 0..4 {
        client.send("DOMAIN_SUSPEND", &[vm(BOBS)]);
    }
    let most = 64 * 1024 * 1024;
    let lookup = call_header(by_name("DOMAIN_LOOKUP_BY_NAME").unwrap().number, 1);
    let mut writer = Writer::with_capacity(64);
    writer.text(&"x".repeat(1024 * 1024));
    assert!(taken(&mut client, lookup, &writer.finish(), most) < most / 4);
}

#[test]
fn who_reads_nothing_keeps_no_turn() {
    let script: Script = Arc::new(|heard| {
        (heard.name == "DOMAIN_CREATE").then(|| {
            std::thread::sleep(Duration::from_secs(1));
            vec![good(heard, &[])]
        })
    });
    let scene = Scene::scripted(USER, script);
    let mut client = scene.open_client();
    client.send("DOMAIN_CREATE", &[vm(BOBS)]);
    while !scene.libvirtd.heard().contains(&"DOMAIN_CREATE") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let bell = Arc::new(Wake::new().unwrap());
    assert!(scene.gate.turns.take(Matter::Vm(BOBS), &bell).is_none(), "the start holds the turn");
    taken(&mut client, Header::keepalive(PING), &[], 16 * 1024 * 1024);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(scene.gate.turns.take(Matter::Vm(BOBS), &bell).is_some());
}
