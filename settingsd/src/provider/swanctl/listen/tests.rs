// SPDX-License-Identifier: Apache-2.0
//! Who loads connections, and who does not.

use std::io::Read;

use super::*;
use crate::program::{Input, Programs, Ran};

struct NoPrograms;

impl Programs for NoPrograms {
    fn run(&self, _words: &[&str], _input: Input<'_>) -> Result<Ran, String> {
        Err("nothing is run here".to_owned())
    }
}

fn host() -> (tempfile::TempDir, Host) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("run/virtwarden/settingsd")).unwrap();
    let host = Host::below(root.path(), rustix::process::geteuid().as_raw(), Box::new(NoPrograms));
    (root, host)
}

#[test]
fn what_is_loaded_is_heard_and_answered() {
    let (root, host) = host();
    for name in ["one", "other"] {
        let heard = while_running(&host, |uri| {
            let mut client = UnixStream::connect(uri.strip_prefix("unix://").unwrap()).unwrap();
            client.write_all(&vici::request(vici::COMMAND, "get-conns")).unwrap();
            assert_eq!(receive(&mut client).unwrap(), Some(Packet::Answer));
            let length = u8::try_from(name.len()).unwrap();
            let load = [&[vici::COMMAND, 9][..], b"load-conn", &[1, length], name.as_bytes(), &[2]].concat();
            client
                .write_all(&[&u32::try_from(load.len()).unwrap().to_be_bytes()[..], &load].concat())
                .unwrap();
            let mut answer = [0; 19];
            client.read_exact(&mut answer).unwrap();
            assert!(answer.ends_with(b"success\0\x03yes"), "{answer:?}");
            Ok(())
        });
        let names: Vec<_> = heard.unwrap().into_iter().map(|section| section.name).collect();
        assert_eq!(names, [name]);
    }
    assert!(!root.path().join("run/virtwarden/settingsd/vici").exists());
}

#[test]
fn whoever_does_not_come_or_fails_is_not_waited_for() {
    let (_root, host) = host();
    assert_eq!(while_running(&host, |_| Ok(())), Ok(Vec::new()));
    assert_eq!(
        while_running(&host, |_| Err("it did not start".to_owned())),
        Err("it did not start".to_owned())
    );
}
