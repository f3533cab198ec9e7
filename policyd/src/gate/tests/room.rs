// SPDX-License-Identifier: Apache-2.0
//! When long messages fill the memory set aside for them: who has no room is told, and goes on.

use super::libvirtd::*;
use super::*;
use crate::gate::budget::{Room, Use, Whose};

const MIB: usize = 1024 * 1024;

/// Takes all room that accounts which do not administer can have.
fn fill(scene: &Scene) -> Vec<Room> {
    let uids = std::iter::once(nix::unistd::geteuid().as_raw()).chain(70_000..70_008);
    let purses = uids.map(|uid| scene.gate.budget.purse(Whose::Account(uid)));
    purses.flat_map(|purse| std::iter::from_fn(move || purse.take(Use::Passed, MIB))).collect()
}

fn long_definition() -> String {
    definition(BOBS, &format!("<description>{}</description>", "x".repeat(8192)))
}

/// A libvirtd whose definitions are long.
fn wordy() -> Script {
    Arc::new(|heard| {
        (heard.name == "DOMAIN_GET_XML_DESC").then(|| vec![good(heard, &[text(&long_definition())])])
    })
}

#[test]
fn a_long_call_without_room_is_answered_recorded_and_not_forwarded() {
    let scene = Scene::scripted(USER, wordy());
    let mut client = scene.open_client();
    let held = fill(&scene);
    let define = [text(&long_definition())];
    let (status, answer) = client.call("DOMAIN_DEFINE_XML", &define);
    assert_eq!(status, Status::Error);
    assert!(words(&answer).contains("no room for a message"), "{}", words(&answer));
    assert_eq!(
        scene.records("DOMAIN_DEFINE_XML").iter().map(|row| row.0).collect::<Vec<_>>(),
        [Kind::Denial]
    );
    assert_eq!(client.call("CONNECT_GET_HOSTNAME", &[]).0, Status::Ok, "short ones pass");
    drop(held);
    let (_, answer) = client.call("DOMAIN_DEFINE_XML", &define);
    assert!(!words(&answer).contains("no room"), "{}", words(&answer));
    assert!(!scene.libvirtd.heard().contains(&"DOMAIN_DEFINE_XML"));
}

#[test]
fn a_long_answer_without_room_is_replaced_and_the_next_ones_come() {
    let scene = Scene::scripted(USER, wordy());
    let mut client = scene.open_client();
    let held = fill(&scene);
    let describe = [vm(BOBS), Value::Unsigned(0)];
    let (status, answer) = client.call("DOMAIN_GET_XML_DESC", &describe);
    assert_eq!((status, words(&answer).contains("no room")), (Status::Error, true));
    assert_eq!(client.call("CONNECT_GET_HOSTNAME", &[]).0, Status::Ok);
    drop(held);
    assert_eq!(client.call("DOMAIN_GET_XML_DESC", &describe).0, Status::Ok);
}

#[test]
fn who_administers_finds_room_when_others_have_none() {
    let scene = Scene::scripted(ADMINISTRATOR, wordy());
    let _held = fill(&scene);
    let mut client = scene.open_client();
    assert_eq!(client.call("DOMAIN_GET_XML_DESC", &[vm(BOBS), Value::Unsigned(0)]).0, Status::Ok);
    assert_eq!(client.call("DOMAIN_DEFINE_XML", &[text(&long_definition())]).0, Status::Ok);
}

#[test]
fn all_room_comes_back_when_clients_leave_in_the_middle() {
    let scene = Scene::set(USER);
    let mut client = scene.open_client();
    let mut frame =
        frame::Frame { header: call_header(11, 9), descriptors: 0, payload: &[0; 8192] }.encode().unwrap();
    frame.truncate(4096);
    client.socket.write_all(&frame).unwrap();
    assert_eq!(client.call_after_nothing(), None);
    let until = Instant::now() + Duration::from_secs(5);
    while scene.gate.connections() > 0 && Instant::now() < until {
        std::thread::yield_now();
    }
    assert_eq!(fill(&scene).len(), 768 / 4 * 3 / 2);
}

impl Client {
    /// Hangs up and reads what is left.
    fn call_after_nothing(&mut self) -> Option<(Header, Vec<u8>)> {
        self.socket.shutdown(std::net::Shutdown::Write).unwrap();
        self.receive()
    }
}
