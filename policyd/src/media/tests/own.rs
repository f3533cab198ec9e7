// SPDX-License-Identifier: Apache-2.0
//! What stays with the host, and what goes along with a controller.

use std::sync::Arc;

use virtwarden_core::xml::reference::{Reference, Usb};

use super::tree::{STICK, Tree};
use crate::media::Media;
use crate::registry::Registry;

fn media(tree: &Tree) -> Media {
    let registry = Arc::new(Registry::open(&tree.path("registry.json")).unwrap());
    Media::open(&tree.path("media.json"), tree.kernel(), registry).unwrap()
}

#[test]
fn the_disk_that_the_host_runs_on_stays_by_whatever_name() {
    let tree = Tree::new();
    tree.plug(STICK);
    tree.disk_of("1-2", "sdb", 16);
    let media = media(&tree);
    let controller = Reference::Pci("0000:00:14.0".into());
    let names =
        [Reference::Block("/dev/sdb".into()), Reference::Block("/dev/sdb1".into()), controller.clone()];
    for name in &names {
        assert_eq!(media.stays(name).unwrap(), None, "{name}");
    }
    tree.write("proc/1/mountinfo", "21 1 8:17 / / rw,relatime - ext4 /dev/sdb1 rw\n");
    for name in names.iter().chain(&[Reference::Scsi("6:0:0:0".into())]) {
        assert!(media.stays(name).unwrap().is_some_and(|why| why.contains("mounted at `/`")), "{name}");
    }
    for other in [
        Reference::Pci("0000:00:1f.2".into()),
        Reference::Image("/lib/a.iso".into()),
        Reference::Usb(Usb::default()),
    ] {
        assert_eq!(media.stays(&other).unwrap(), None, "{other}");
    }
}

#[test]
fn a_link_to_the_disk_is_the_disk() {
    let tree = Tree::new();
    tree.plug(STICK);
    tree.disk_of("1-2", "sdb", 16);
    tree.write("proc/1/mountinfo", "21 1 8:17 / / rw,relatime - ext4 /dev/sdb1 rw\n");
    let (first, second) = (tree.path("first.img"), tree.path("second.img"));
    std::os::unix::fs::symlink("/dev/sdb1", &first).unwrap();
    std::os::unix::fs::symlink("first.img", &second).unwrap();
    let named = Reference::Image(second.to_string_lossy().into_owned());
    assert!(media(&tree).stays(&named).unwrap().is_some());
}

#[test]
fn with_a_controller_goes_what_is_plugged_into_it() {
    let tree = Tree::new();
    tree.plug(STICK);
    tree.disk_of("1-2", "sdb", 16);
    let along = |address: &str| media(&tree).along_with(&Reference::Pci(address.into())).unwrap();
    let ids: Vec<_> = along("0000:00:14.0").into_iter().map(|id| id.0).collect();
    assert_eq!(ids, ["usb:0951:1666:E0D55EA5741E"]);
    assert!(along("0000:00:1f.2").is_empty());
    let disk = media(&tree).along_with(&Reference::Scsi("6:0:0:0".into())).unwrap();
    assert_eq!(disk.len(), 1);
}

#[test]
fn who_cannot_look_says_so() {
    let tree = Tree::new();
    let registry = Arc::new(Registry::open(&tree.path("registry.json")).unwrap());
    let blind = Media::blind(registry);
    assert!(blind.stays(&Reference::Block("/dev/sda".into())).is_err());
    assert!(blind.stays(&Reference::Image("/lib/a.iso".into())).is_ok());
}
