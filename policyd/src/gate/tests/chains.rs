// SPDX-License-Identifier: Apache-2.0
//! What another VM's disk builds upon is written by none, unless that was opened: FDP_VMS_EXT.1.

use std::sync::Arc;

use virtwarden_core::policy::sharing::{Channel, Opening, Party};

use super::libvirtd::*;
use super::*;
use crate::sharing::Declaration;

/// Files that there are: `gold` is what disks build upon, `mid` and `top` are bobvm's, `over` is finance's.
struct Images(tempfile::TempDir);

impl Images {
    fn new() -> Self {
        let images = Self(tempfile::tempdir().unwrap());
        for name in ["gold", "mid", "top", "over", "alone"] {
            std::fs::write(images.path(name), "").unwrap();
        }
        images
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// bobvm runs from `top`, upon `mid`, upon `gold`.
    fn bobs(&self) -> String {
        let [top, mid, gold] = ["top", "mid", "gold"].map(|name| self.path(name));
        format!(
            "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='{top}' index='3'/>
             <backingStore type='file' index='2'><format type='qcow2'/><source file='{mid}'/>
             <backingStore type='file' index='1'><format type='qcow2'/><source file='{gold}'/><backingStore/></backingStore></backingStore>
             <mirror type='file' file='{gold}' job='active-commit' ready='yes'><source file='{gold}'/></mirror>
             <target dev='vda' bus='virtio'/></disk>"
        )
    }

    fn disk(&self, name: &str, format: &str) -> String {
        let file = self.path(name);
        format!(
            "<disk type='file' device='disk'><driver name='qemu' type='{format}'/><source file='{file}'/><target dev='vda'/></disk>"
        )
    }

    /// What libvirtd tells of a snapshot of bobvm from before it wrote to `top`.
    fn snapshot(&self, kind: &str) -> String {
        let (over, before) = (self.path("top"), self.disk("gold", "qcow2"));
        let vm = definition(BOBS, &format!("<devices>{before}</devices>"));
        format!(
            "<domainsnapshot><name>s</name><state>shutoff</state><disks><disk name='vda' snapshot='{kind}'><source file='{over}'/></disk></disks>{vm}</domainsnapshot>"
        )
    }

    /// finance does not run. `pool` are the images that pools know, with what they build upon. bobvm has a snapshot
    /// of this kind, and one outside its disk that was made later.
    fn libvirtd(&self, finances: String, snapshot: &str, pool: &[(&str, Option<&str>)]) -> Script {
        let (bobs, snapshot, later) = (self.bobs(), self.snapshot(snapshot), self.snapshot("external"));
        let pool: Vec<_> =
            pool.iter().map(|(name, below)| (self.path(name), below.map(|b| self.path(b)))).collect();
        let holds =
            |heard: &Heard, what: &str| heard.payload.windows(what.len()).any(|w| w == what.as_bytes());
        Arc::new(move |heard| {
            let is_bobs = heard.payload.windows(16).any(|w| w == BOBS.0);
            let known = || pool.iter().find(|(path, _)| holds(heard, path));
            match heard.name {
                "DOMAIN_IS_ACTIVE" => Some(vec![good(heard, &[Value::Int(i32::from(is_bobs))])]),
                "DOMAIN_GET_XML_DESC" => {
                    let (uuid, devices) = if is_bobs { (BOBS, &bobs) } else { (FINANCE, &finances) };
                    let devices = format!("<devices>{devices}</devices>");
                    Some(vec![good(heard, &[text(&definition(uuid, &devices))])])
                }
                "DOMAIN_SNAPSHOT_GET_XML_DESC" => {
                    Some(vec![good(heard, &[text(if holds(heard, "later") { &later } else { &snapshot })])])
                }
                "DOMAIN_SNAPSHOT_LIST_ALL_CHILDREN" => {
                    Some(vec![good(heard, &[Value::List(vec![snapshot_called("later")]), Value::Int(1)])])
                }
                "DOMAIN_SNAPSHOT_CREATE_XML" => Some(vec![good(heard, &[snapshot_called("s")])]),
                "STORAGE_VOL_LOOKUP_BY_PATH" => known().map(|(path, _)| {
                    vec![good(heard, &[Value::Record(vec![text("store"), text(path), text(path)])])]
                }),
                "STORAGE_VOL_GET_XML_DESC" => known().map(|(_, below)| {
                    let below =
                        below.as_ref().map(|b| format!("<backingStore><path>{b}</path></backingStore>"));
                    vec![good(heard, &[text(&format!("<volume>{}</volume>", below.unwrap_or_default()))])]
                }),
                name if WRITES.contains(&name) => Some(vec![good(heard, &[])]),
                _ => None,
            }
        })
    }
}

fn snapshot_called(name: &str) -> Value<'static> {
    Value::Record(vec![text(name), vm(BOBS)])
}

const WRITES: [&str; 6] = [
    "DOMAIN_BACKUP_BEGIN",
    "DOMAIN_BLOCK_COMMIT",
    "DOMAIN_BLOCK_COPY",
    "DOMAIN_BLOCK_REBASE",
    "DOMAIN_BLOCK_JOB_ABORT",
    "DOMAIN_SNAPSHOT_DELETE",
];

fn commit(base: Value<'static>, flags: u32) -> Vec<Value<'static>> {
    vec![vm(BOBS), text("vda"), base, Value::Absent, Value::UnsignedHyper(0), Value::Unsigned(flags)]
}

/// Each call that would write what finance builds upon.
fn writes(images: &Images) -> Vec<(&'static str, Vec<Value<'static>>)> {
    let gold = images.path("gold");
    let copy = format!("<disk type='file'><source file='{gold}'/></disk>");
    let overlay = format!(
        "<domainsnapshot><disks><disk name='vda' snapshot='external'><source file='{gold}'/></disk></disks></domainsnapshot>"
    );
    let backup = format!(
        "<domainbackup mode='push'><disks><disk name='vda' type='file'><target file='{gold}'/></disk></disks></domainbackup>"
    );
    vec![
        ("DOMAIN_BLOCK_COMMIT", commit(Value::Absent, 4)),
        ("DOMAIN_BLOCK_COMMIT", commit(text(&gold), 0)),
        ("DOMAIN_BLOCK_COMMIT", commit(text("vda[1]"), 0)),
        ("DOMAIN_BLOCK_JOB_ABORT", vec![vm(BOBS), text("vda"), Value::Unsigned(2)]),
        (
            "DOMAIN_BLOCK_COPY",
            vec![vm(BOBS), text("vda"), text(&copy), Value::List(vec![]), Value::Unsigned(0)],
        ),
        (
            "DOMAIN_BLOCK_REBASE",
            vec![vm(BOBS), text("vda"), text(&gold), Value::UnsignedHyper(0), Value::Unsigned(8)],
        ),
        ("DOMAIN_SNAPSHOT_CREATE_XML", vec![vm(BOBS), text(&overlay), Value::Unsigned(16 | 32)]),
        ("DOMAIN_BACKUP_BEGIN", vec![vm(BOBS), text(&backup), Value::Absent, Value::Unsigned(1)]),
        ("DOMAIN_SNAPSHOT_DELETE", vec![snapshot_called("s"), Value::Unsigned(0)]),
    ]
}

fn played(scene: &Scene, (call, arguments): &(&'static str, Vec<Value<'static>>)) -> (Status, String) {
    let (status, answer) = scene.open_client().call(call, arguments);
    assert_eq!(scene.libvirtd.heard().contains(call), status == Status::Ok, "{call}: {}", words(&answer));
    let denied = scene.records(call).iter().any(|(kind, _)| *kind == Kind::Denial);
    assert_eq!(denied, status == Status::Error, "{call} on record");
    (status, words(&answer))
}

#[test]
fn nothing_is_written_that_another_vm_reads() {
    let images = Images::new();
    let over = images.disk("over", "qcow2");
    let known = [("over", Some("gold")), ("gold", None)];
    for call in writes(&images) {
        let scene = Scene::scripted(ADMINISTRATOR, images.libvirtd(over.clone(), "external", &known));
        let (status, told) = played(&scene, &call);
        assert_eq!(status, Status::Error, "{}", call.0);
        assert!(told.contains("virtwarden sharing allow disk bobvm finance"), "{}: {told}", call.0);

        let between = Opening::new(Channel::Disk, Party::Vm(BOBS), Party::Vm(FINANCE));
        let declaration = Declaration { by: "alice".into(), at: 1, reason: String::new() };
        scene.gate.monitor.sharing().allow(between, declaration).unwrap();
        let (status, answer) = scene.open_client().call(call.0, &call.1);
        assert_eq!(status, Status::Ok, "{}: {}", call.0, words(&answer));
    }
}

#[test]
fn a_user_forgets_no_snapshot_into_what_others_build_upon() {
    let images = Images::new();
    let over = images.disk("over", "qcow2");
    let known = [("over", Some("gold")), ("gold", None)];
    let forget = ("DOMAIN_SNAPSHOT_DELETE", vec![snapshot_called("s"), Value::Unsigned(0)]);
    let scene = Scene::scripted(USER, images.libvirtd(over.clone(), "external", &known));
    let (status, told) = played(&scene, &forget);
    assert_eq!((status, told.contains("with VM `another`")), (Status::Error, true), "{told}");
    // Alone; with those that were made later, or only those; and libvirt's own book of them, which writes no disk.
    for (flags, expected) in [(0, Status::Ok), (1, Status::Error), (4, Status::Error), (1 | 2, Status::Ok)] {
        let scene = Scene::scripted(USER, images.libvirtd(over.clone(), "internal", &known));
        let forget = ("DOMAIN_SNAPSHOT_DELETE", vec![snapshot_called("s"), Value::Unsigned(flags)]);
        assert_eq!(played(&scene, &forget).0, expected, "{flags}");
    }
}

#[test]
fn what_only_the_vm_itself_builds_upon_is_its_own() {
    let images = Images::new();
    let known = [("over", Some("gold")), ("gold", None)];
    let over = images.disk("over", "qcow2");
    for base in [text(&images.path("mid")), text("vda[2]")] {
        let scene = Scene::scripted(ADMINISTRATOR, images.libvirtd(over.clone(), "external", &known));
        let (status, told) = played(&scene, &("DOMAIN_BLOCK_COMMIT", commit(base, 0)));
        assert_eq!(status, Status::Ok, "{told}");
    }
}

/// A disk that is no file of this host, as far as libvirtd tells.
fn elsewhere(kind: &str, format: &str, source: &str) -> String {
    format!(
        "<disk type='{kind}' device='disk'><driver name='qemu' type='{format}'/><source {source}/><target dev='vda'/></disk>"
    )
}

#[test]
fn where_nobody_knows_what_others_build_upon_nothing_is_written() {
    let images = Images::new();
    let rows = [
        (images.disk("over", "qcow2"), Status::Error),
        (images.disk("over", "raw"), Status::Ok),
        (images.disk("gone", "qcow2"), Status::Ok),
        (images.disk("alone", "qcow2"), Status::Ok),
        (elsewhere("volume", "qcow2", "pool='away' volume='over'"), Status::Error),
        (elsewhere("volume", "raw", "pool='away' volume='over'"), Status::Ok),
        (elsewhere("network", "qcow2", "protocol='rbd' name='away/over'"), Status::Error),
    ];
    for (finances, expected) in rows {
        let script = images.libvirtd(finances.clone(), "external", &[("alone", None)]);
        let scene = Scene::scripted(ADMINISTRATOR, script);
        let (status, told) = played(&scene, &("DOMAIN_BLOCK_COMMIT", commit(Value::Absent, 0)));
        assert_eq!(status, expected, "{finances}: {told}");
        assert_eq!(told.contains("is in no storage pool"), expected == Status::Error, "{told}");
    }
}

#[test]
fn what_another_vm_has_is_asked_once_while_nothing_changes() {
    let images = Images::new();
    let known = [("over", Some("gold")), ("gold", None)];
    let scene =
        Scene::scripted(ADMINISTRATOR, images.libvirtd(images.disk("over", "qcow2"), "external", &known));
    let belongings = scene.gate.monitor.belongings().clone();
    belongings.begin_to_hear();
    let asked = || {
        let (status, told) = {
            let (status, answer) = scene.open_client().call("DOMAIN_BLOCK_COMMIT", &commit(Value::Absent, 0));
            (status, words(&answer))
        };
        assert_eq!((status, told.contains("sharing allow disk")), (Status::Error, true), "{told}");
        let of_finance = |heard: &Heard| heard.payload.windows(16).any(|w| w == FINANCE.0);
        scene.libvirtd.calls().iter().filter(|h| h.name == "DOMAIN_GET_XML_DESC" && of_finance(h)).count()
    };
    let first = asked();
    assert_eq!(asked(), first, "it is kept");
    scene.open_client().call("DOMAIN_SUSPEND", &[vm(FINANCE)]);
    assert!(asked() > first, "a call went to it");
    let now = asked();
    belongings.forget_all();
    assert!(asked() > now, "an event came");
    let now = asked();
    belongings.cease_to_hear();
    assert!(asked() > now && asked() > now + 1, "nobody hears what changes");
}
