// SPDX-License-Identifier: Apache-2.0
//! Who gets what from whom.

use std::sync::Arc;

use virtwarden_core::media::{Asker, Id};
use virtwarden_core::object::{Sensitivity, Uuid, Vm};
use virtwarden_core::policy::{Policy, Source};
use virtwarden_core::xml::definition::Definition;

use super::tree::{Plug, STICK, Tree};
use crate::media::{Cleared, Connected, Having, Media, Refused, Standing, Wanted};
use crate::registry::Registry;

const RED: Uuid = Uuid([1; 16]);
const BLUE: Uuid = Uuid([2; 16]);
const RULES: &str = r#"
[role.user]
column = "user"
[information-domain.red]
[information-domain.blue]
[media]
usb-storage = { rule = "grant", granted = ["red"], access = "read-write" }
usb = { rule = "ask-user", access = "read-write" }
optical = { rule = "eject-first" }
"#;

struct Scene {
    tree: Tree,
    policy: Policy,
    registry: Arc<Registry>,
    media: Media,
}

impl Scene {
    fn new() -> Self {
        let tree = Tree::new();
        let registry = Arc::new(Registry::open(&tree.path("registry.json")).unwrap());
        let media = Media::open(&tree.path("media.json"), tree.kernel(), registry.clone()).unwrap();
        let policy = Policy::load(&[Source { name: "10-site.toml", text: RULES }]).unwrap();
        let scene = Self { tree, policy, registry, media };
        scene.tree.plug(STICK);
        scene.tree.drive_for_discs();
        scene.enroll(RED, "redvm", "red");
        scene.enroll(BLUE, "bluevm", "blue");
        scene
    }

    fn enroll(&self, uuid: Uuid, name: &str, domain: &str) {
        self.registry.apply(&self.registry.plan_information_domain(uuid, name, Some(domain))).unwrap();
    }

    fn vm(&self, uuid: Uuid) -> Vm {
        Vm { uuid, name: "a VM".into(), assignment: self.registry.vm(uuid) }
    }

    fn judge(
        &self,
        vm: Uuid,
        asker: Asker,
        wanted: &Wanted<'_>,
        vms: &Vec<Having>,
    ) -> Result<Cleared, String> {
        let judged = self.media.judge(&self.policy, &self.vm(vm), asker, wanted, vms);
        judged.map_err(|refused| refused.to_string())
    }
}

const ANY_STICK: Wanted<'static> = Wanted::Typed("E0D55EA5741E");
const DISC: Wanted<'static> = Wanted::Block("/dev/sr0");

fn nobody() -> Vec<Having> {
    Vec::new()
}

/// A VM with devices, as libvirt describes it while it runs.
fn having(uuid: Uuid, name: &str, devices: &str) -> Having {
    let text = format!(
        "<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid><memory>1</memory><os><type>hvm</type></os>\
         <devices>{devices}</devices></domain>"
    );
    Having::of(&Definition::parse(text).unwrap()).unwrap()
}

const HAS_STICK: &str = "<hostdev mode='subsystem' type='usb' managed='yes'><source>\
    <vendor id='0x0951'/><product id='0x1666'/><address bus='1' device='4'/></source></hostdev>";
const HAS_DISC: &str = "<disk type='block' device='cdrom'><driver name='qemu' type='raw'/>\
    <source dev='/dev/cdrom'/><target dev='sda' bus='sata'/><readonly/></disk>";

/// libvirt does not answer.
struct Silent;

impl Connected for Silent {
    fn running(&self) -> Result<Vec<Having>, String> {
        Err("libvirtd does not answer".into())
    }

    fn vm(&self, _: Uuid) -> Result<Option<Having>, String> {
        Err("libvirtd does not answer".into())
    }
}

#[test]
fn a_stick_goes_to_whom_it_is_granted_or_by_an_administrators_hand() {
    let scene = Scene::new();
    let cleared = scene.judge(RED, Asker::User, &ANY_STICK, &nobody()).unwrap();
    assert_eq!(cleared.medium.id, Id("usb:0951:1666:E0D55EA5741E".into()));
    drop(cleared);
    let refused = scene.judge(BLUE, Asker::User, &ANY_STICK, &nobody()).unwrap_err();
    assert!(refused.contains("not granted to information domain `blue`"), "{refused}");
    assert!(scene.judge(BLUE, Asker::Administrator, &ANY_STICK, &nobody()).is_ok());
}

#[test]
fn what_another_has_is_not_given_away_not_even_by_an_administrator() {
    let scene = Scene::new();
    let vms = vec![having(BLUE, "bluevm", HAS_STICK)];
    for asker in [Asker::User, Asker::Administrator, Asker::Confirmed] {
        let refused = scene.judge(RED, asker, &ANY_STICK, &vms).unwrap_err();
        assert!(refused.contains("information domain `blue` has it"), "{refused}");
        assert!(!refused.contains("bluevm"), "{refused}");
    }
    for devices in [
        "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0951'/><product id='0x1666'/></source></hostdev>",
        "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='4'/></source></hostdev>",
    ] {
        let vms = vec![having(BLUE, "bluevm", devices)];
        assert!(scene.judge(RED, Asker::User, &ANY_STICK, &vms).is_err(), "{devices}");
    }
    let other = HAS_STICK.replace("device='4'", "device='7'");
    let vms = vec![having(BLUE, "bluevm", &other)];
    assert!(scene.judge(RED, Asker::User, &ANY_STICK, &vms).is_ok(), "what was in that place is no more");
}

#[test]
fn two_vms_of_one_information_domain_have_it_one_after_the_other() {
    let scene = Scene::new();
    let third = Uuid([3; 16]);
    scene.enroll(third, "redvm2", "red");
    let vms = vec![having(RED, "redvm", HAS_STICK)];
    let refused = scene.judge(third, Asker::Administrator, &ANY_STICK, &vms).unwrap_err();
    assert!(refused.contains("another VM has it"), "{refused}");
    assert!(scene.judge(RED, Asker::User, &ANY_STICK, &vms).is_ok(), "it is that one");
}

/// What a refusal says, and what makes it so.
type Use = (&'static str, fn(&Tree));

#[test]
fn what_the_host_uses_is_not_handed_over() {
    let uses: [Use; 5] = [
        ("mounted at `/media/stick`", |tree| tree.mount((8, 17), "/dev/sdb1", "/media/stick")),
        ("mounted at `/media/stick`", |tree| tree.mount((0, 51), "/dev/sdb1", "/media/stick")),
        ("is swap space", |tree| tree.write("proc/swaps", "Filename\n/dev/sdb1 partition 1 0 -2\n")),
        ("is part of `dm-0`", |tree| {
            let holders =
                "sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb";
            tree.write(&format!("{holders}/sdb1/holders/dm-0"), "");
        }),
        ("a program has claimed it", |tree| tree.drive("1-2", "usbfs")),
    ];
    for (why, use_it) in uses {
        let scene = Scene::new();
        scene.tree.disk_of("1-2", "sdb", 16);
        assert!(scene.judge(RED, Asker::User, &ANY_STICK, &nobody()).is_ok());
        use_it(&scene.tree);
        for asker in [Asker::User, Asker::Administrator] {
            let refused = scene.judge(RED, asker, &ANY_STICK, &nobody()).unwrap_err();
            assert!(refused.contains("the host has it") && refused.contains(why), "{why}: {refused}");
        }
    }
}

#[test]
fn who_cannot_be_told_to_have_it_keeps_it() {
    let scene = Scene::new();
    let judge = |vms: &dyn Connected| {
        scene.media.judge(&scene.policy, &scene.vm(RED), Asker::Administrator, &ANY_STICK, vms).map(drop)
    };
    let Err(Refused::Denied(reason)) = judge(&Silent) else { panic!() };
    assert!(reason.contains("cannot tell who has it: libvirtd does not answer"), "{reason}");
    std::fs::remove_file(scene.tree.path("proc/1/mountinfo")).unwrap();
    assert!(matches!(judge(&nobody()), Err(Refused::Denied(_))));
    scene.tree.write("proc/1/mountinfo", "nonsense\n");
    assert!(matches!(judge(&nobody()), Err(Refused::Denied(_))));
    let blind = Media::blind(scene.registry.clone());
    let judged = blind.judge(&scene.policy, &scene.vm(RED), Asker::User, &ANY_STICK, &nobody());
    assert!(matches!(judged, Err(Refused::Unclear(_))));
}

#[test]
fn a_medium_on_its_way_to_one_vm_goes_to_no_other() {
    let scene = Scene::new();
    let cleared = scene.judge(RED, Asker::User, &ANY_STICK, &nobody()).unwrap();
    let refused = scene.judge(BLUE, Asker::Administrator, &ANY_STICK, &nobody()).unwrap_err();
    assert!(refused.contains("at this moment"), "{refused}");
    drop(cleared);
    assert!(scene.judge(BLUE, Asker::Administrator, &ANY_STICK, &nobody()).is_ok());
}

#[test]
fn a_user_confirms_what_the_rule_leaves_to_him() {
    let scene = Scene::new();
    scene.tree.plug(Plug {
        port: "1-3",
        serial: Some("CARD"),
        number: 5,
        interfaces: &[(11, 0, 0)],
        ..STICK
    });
    let wanted = Wanted::Typed("CARD");
    let vm = scene.vm(BLUE);
    let asked = scene.media.judge(&scene.policy, &vm, Asker::User, &wanted, &nobody());
    assert!(matches!(asked, Err(Refused::Ask { .. })));
    assert!(scene.judge(BLUE, Asker::Confirmed, &wanted, &nobody()).is_ok());
}

#[test]
fn a_disc_in_the_drive_of_a_vm_that_was_stopped_is_ejected_first() {
    let scene = Scene::new();
    let cleared = scene.judge(RED, Asker::User, &DISC, &nobody()).unwrap();
    scene.media.given(cleared, &scene.vm(RED), "bob").unwrap();
    let stopped = Stopped(having(RED, "redvm", HAS_DISC));
    let judge = |vms: &dyn Connected| {
        scene.media.judge(&scene.policy, &scene.vm(BLUE), Asker::User, &DISC, vms).map(drop)
    };
    assert!(matches!(judge(&stopped), Err(Refused::Denied(_))));
    assert!(matches!(judge(&vec![having(RED, "redvm", HAS_DISC)]), Err(Refused::Denied(_))));
    assert!(judge(&Stopped(having(RED, "redvm", ""))).is_ok(), "it was ejected past the gate");
    scene.media.taken(&Id("optical:@sr0".into())).unwrap();
    assert!(judge(&stopped).is_ok());
}

/// A VM that is there and does not run.
struct Stopped(Having);

impl Connected for Stopped {
    fn running(&self) -> Result<Vec<Having>, String> {
        Ok(Vec::new())
    }

    fn vm(&self, uuid: Uuid) -> Result<Option<Having>, String> {
        Ok(Some(self.0.clone()).filter(|having| having.uuid == uuid))
    }
}

#[test]
fn who_had_it_last_is_known_after_a_restart_and_a_damaged_file_is_put_aside() {
    let scene = Scene::new();
    let cleared = scene.judge(RED, Asker::User, &ANY_STICK, &nobody()).unwrap();
    let id = cleared.medium.id.clone();
    scene.media.given(cleared, &scene.vm(RED), "bob").unwrap();
    let open =
        || Media::open(&scene.tree.path("media.json"), scene.tree.kernel(), scene.registry.clone()).unwrap();
    let history = open().history();
    assert_eq!((history[0].vm, history[0].by.as_str(), history[0].standing), (RED, "bob", Standing::Has));
    scene.media.taken(&id).unwrap();
    let seen = open().present(&[], &nobody()).unwrap();
    assert_eq!(seen[0].last.as_ref().unwrap().to_string(), "information domain `red`");
    assert_eq!(open().history()[0].standing, Standing::Had);
    scene.tree.write("media.json", "{");
    assert!(open().condition().warning().is_some_and(|warning| warning.contains("damaged-1")));
    assert_eq!(open().history(), []);
}

#[test]
fn a_sensitive_vm_gets_no_medium_on_anybodys_word() {
    let scene = Scene::new();
    let judge = |asker| scene.judge(RED, asker, &ANY_STICK, &nobody()).map(|cleared| cleared.medium.name);
    assert!(judge(Asker::Administrator).is_ok());
    scene.registry.apply(&scene.registry.plan_sensitivity(RED, "redvm", Sensitivity::Sensitive)).unwrap();
    for asker in [Asker::Administrator, Asker::User, Asker::Confirmed] {
        let refused = judge(asker).unwrap_err();
        assert!(refused.contains("the VM is sensitive"), "{refused}");
    }
}
