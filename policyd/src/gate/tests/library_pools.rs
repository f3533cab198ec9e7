// SPDX-License-Identifier: Apache-2.0
//! Clients see the media library of the policy in force, as storage pools.

use std::collections::BTreeMap;

use virtwarden_core::xml::storage::PoolDefinition;

use super::libvirtd::*;
use super::*;
use crate::census::Census;

type Pools = Arc<Mutex<BTreeMap<String, String>>>;

/// A libvirtd without VMs that makes and ends pools.
fn with(pools: &Pools) -> Script {
    let pools = pools.clone();
    let handle = |name: &str| Value::Record(vec![text(name), Value::Uuid(Uuid([7; 16]))]);
    Arc::new(move |heard| {
        let mut pools = pools.lock().unwrap();
        let payload = String::from_utf8_lossy(&heard.payload).into_owned();
        // As XDR says it: the length, then the text.
        let length = u32::from_be_bytes(heard.payload.get(..4).unwrap_or(&[0; 4]).try_into().unwrap());
        let said = payload.get(4..4 + length as usize).unwrap_or_default().to_owned();
        match heard.name {
            "CONNECT_DOMAIN_EVENT_CALLBACK_REGISTER_ANY"
            | "CONNECT_NETWORK_EVENT_REGISTER_ANY"
            | "CONNECT_STORAGE_POOL_EVENT_REGISTER_ANY" => Some(vec![good(heard, &[Value::Int(1)])]),
            "CONNECT_LIST_ALL_NETWORKS" | "CONNECT_LIST_ALL_DOMAINS" => {
                Some(vec![good(heard, &[Value::List(vec![]), Value::Unsigned(0)])])
            }
            "STORAGE_POOL_LOOKUP_BY_NAME" => {
                pools.contains_key(&said).then(|| vec![good(heard, &[handle(&said)])])
            }
            "STORAGE_POOL_LOOKUP_BY_TARGET_PATH" => {
                let name = pools.iter().find(|(_, path)| **path == said)?.0;
                Some(vec![good(heard, &[handle(name)])])
            }
            "STORAGE_POOL_GET_XML_DESC" => {
                let path = pools.get(&said)?;
                let xml = format!(
                    "<pool type='dir'><name>{said}</name><target><path>{path}</path></target></pool>"
                );
                Some(vec![good(heard, &[text(&xml)])])
            }
            "STORAGE_POOL_DESTROY" => pools.remove(&said).map(|_| vec![good(heard, &[])]),
            "STORAGE_POOL_CREATE_XML" => {
                let made = PoolDefinition::parse(&said).unwrap();
                let name = made.name().to_owned();
                assert!(pools.insert(name.clone(), made.target().unwrap()).is_none(), "{name} is taken");
                Some(vec![good(heard, &[handle(&name)])])
            }
            _ => None,
        }
    })
}

fn library(directories: &[&str]) -> String {
    format!("{ADMINISTRATOR}[media]\nlibrary = {directories:?}\n")
}

fn wait_for(pools: &Pools, wanted: &[(&str, &str)]) {
    let wanted: BTreeMap<_, _> = wanted.iter().map(|(n, p)| ((*n).to_owned(), (*p).to_owned())).collect();
    let until = Instant::now() + Duration::from_secs(5);
    while *pools.lock().unwrap() != wanted && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(*pools.lock().unwrap(), wanted);
}

#[test]
fn a_new_policy_brings_the_pools_of_its_library_and_takes_those_of_the_former() {
    let pools = Pools::default();
    pools.lock().unwrap().insert("theirs".to_owned(), "/usr/bin".to_owned());
    let theirs = ("theirs", "/usr/bin");
    let (first, second) = ("virtwarden-media", "virtwarden-media-2");
    let scene = Scene::scripted(&library(&["/usr/share"]), with(&pools));
    let pid_file = scene.directory.path().join("pid");
    std::fs::write(&pid_file, std::process::id().to_string()).unwrap();
    let socket = scene.libvirtd.path.clone();
    let place = Place { socket: socket.clone(), read_only_socket: socket, pid_file, ..Place::default() };
    let census = Arc::new(Census::new(scene.gate.monitor.clone(), place).unwrap());
    let running = census.clone();
    let thread = std::thread::spawn(move || running.run());
    let reload = |directories: &[&str]| {
        scene.reload(&library(directories));
        census.follow_policy();
    };

    wait_for(&pools, &[theirs, (first, "/usr/share")]);
    reload(&["/usr/lib", "/usr/share"]);
    wait_for(&pools, &[theirs, (first, "/usr/share"), (second, "/usr/lib")]);
    reload(&["/usr/lib", "/usr/bin"]);
    wait_for(&pools, &[theirs, (second, "/usr/lib")]);
    reload(&["/etc"]);
    wait_for(&pools, &[theirs, (first, "/etc")]);
    reload(&[]);
    wait_for(&pools, &[theirs]);

    census.stop();
    thread.join().unwrap();
    let events = scene.notebook.events.lock().unwrap();
    let told: Vec<_> = events.iter().filter(|(event, _)| event.operation == "media library").collect();
    assert_eq!(told.len(), 6, "each is on record: {told:?}");
}
