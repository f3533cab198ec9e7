// SPDX-License-Identifier: Apache-2.0
//! The media library as a storage pool: which directories become one, and what a User may do with it.

use std::os::unix::fs::PermissionsExt;

use super::libvirtd::*;
use super::past::{count, with};
use super::*;

const LIBRARY: Uuid = Uuid([4; 16]);
const STORE: Uuid = Uuid([5; 16]);

fn pool(uuid: Uuid, name: &str) -> Value<'static> {
    Value::Record(vec![text(name), Value::Uuid(uuid)])
}

#[test]
fn whoever_connects_media_looks_again_into_the_library_and_into_no_other_pool() {
    let script: Script = Arc::new(|heard| {
        let is_library = heard.payload.windows(16).any(|w| w == LIBRARY.0);
        match heard.name {
            "STORAGE_POOL_LOOKUP_BY_UUID" if is_library => {
                Some(vec![good(heard, &[pool(LIBRARY, "virtwarden-media")])])
            }
            "STORAGE_POOL_LOOKUP_BY_UUID" => Some(vec![good(heard, &[pool(STORE, "store")])]),
            "STORAGE_POOL_REFRESH" => Some(vec![good(heard, &[])]),
            _ => None,
        }
    });
    let policy = USER.replace("vms = \"assigned\"", "vms = \"assigned\"\npools = [\"store\"]");
    // The last says that it is the library, and is not.
    for (uuid, name, expected) in [
        (LIBRARY, "virtwarden-media", Status::Ok),
        (STORE, "store", Status::Error),
        (STORE, "virtwarden-media", Status::Error),
    ] {
        let scene = Scene::scripted(&policy, script.clone());
        let arguments = [pool(uuid, name), Value::Unsigned(0)];
        let (status, answer) = scene.open_client().call("STORAGE_POOL_REFRESH", &arguments);
        assert_eq!(status, expected, "{name}: {}", words(&answer));
        let refused = expected == Status::Error;
        assert_eq!(words(&answer).contains("(Table 3, 3)"), refused, "{}", words(&answer));
        assert_eq!(scene.libvirtd.heard().contains(&"STORAGE_POOL_REFRESH"), !refused);
        let records = scene.records("STORAGE_POOL_REFRESH");
        assert_eq!(records.iter().any(|(kind, _)| *kind == Kind::Denial), refused, "{records:?}");
    }
}

#[test]
fn a_directory_that_others_may_write_is_not_shown() {
    let open = tempfile::tempdir().unwrap();
    std::fs::set_permissions(open.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let open = open.path().to_str().unwrap();
    let script: Script = Arc::new(|heard| match heard.name {
        "STORAGE_POOL_CREATE_XML" => Some(vec![good(heard, &[pool(LIBRARY, "virtwarden-media-2")])]),
        _ => with(&[BOBS], 1, vec![])(heard),
    });
    let policy = format!("{ADMINISTRATOR}[media]\nlibrary = [\"{open}\", \"/etc\"]\n");
    let scene = Scene::scripted(&policy, script);
    let made = || scene.records("media library");
    count(&scene, |_| !made().is_empty());
    let calls = scene.libvirtd.calls();
    let created = calls.iter().filter(|heard| heard.name == "STORAGE_POOL_CREATE_XML");
    let definitions: Vec<_> = created.map(|heard| String::from_utf8_lossy(&heard.payload)).collect();
    assert_eq!((definitions.len(), made().len()), (1, 1), "{definitions:?}");
    assert!(definitions[0].contains("<name>virtwarden-media-2</name>"), "{definitions:?}");
    assert!(definitions[0].contains("<path>/etc</path>"), "{definitions:?}");
}
