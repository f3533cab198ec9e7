// SPDX-License-Identifier: Apache-2.0
//! Media that come, go and change hands while nobody asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use virtwarden_core::media::{Asker, Id};
use virtwarden_core::object::Uuid;
use virtwarden_core::record::{Event, Kind, Outcome};
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::{Element, Node};

use super::tree::{Plug, STICK, Tree};
use crate::media::hands::{Act, Hands};
use crate::media::keeper::{Keeper, State};
use crate::media::{Connected, Having, Media, Standing, Wanted};
use crate::monitor::{Ledger, Monitor};
use crate::networks::Book;
use crate::policies::Policies;
use crate::registry::Registry;
use crate::sessions::Sessions;

const RED: Uuid = Uuid([1; 16]);
const RULES: &str = r#"
[role.user]
column = "user"
[information-domain.red]
[information-domain.blue]
[media]
library = []
usb-storage = { rule = "grant", granted = ["red"], access = "read-write" }
optical = { rule = "eject-first" }
"#;
const NAME: &str = "usb:0951:1666:E0D55EA5741E";
const HAS_STICK: &str = "<hostdev mode='subsystem' type='usb' managed='yes'><source>\
    <vendor id='0x0951'/><product id='0x1666'/><address bus='1' device='4'/></source></hostdev>";
const HAS_DISC: &str = "<disk type='block' device='cdrom'><driver name='qemu' type='raw'/>\
    <source dev='/dev/sr0'/><target dev='sda' bus='sata' tray='open'/><readonly/><alias name='sata0-0-0'/></disk>";

/// Running VMs, with what libvirt would do to them.
#[derive(Debug, Default)]
struct Vms(Mutex<BTreeMap<Uuid, Element>>);

impl Vms {
    fn run(&self, uuid: Uuid, name: &str, devices: &str) {
        let text = format!(
            "<domain type='kvm'><name>{name}</name><uuid>{uuid}</uuid><memory>1</memory><os><type>hvm</type></os>\
             <devices>{devices}</devices></domain>"
        );
        self.0.lock().unwrap().insert(uuid, Definition::parse(text).unwrap().root().clone());
    }

    fn devices(&self, uuid: Uuid) -> usize {
        self.definition(uuid).unwrap().unwrap().devices().count()
    }
}

impl Hands for Vms {
    fn definition(&self, vm: Uuid) -> Result<Option<Definition>, String> {
        Ok(self.0.lock().unwrap().get(&vm).cloned().map(|root| Definition::new(root).unwrap()))
    }

    fn act(&self, act: Act, (vm, _): (Uuid, &str), device: &Element) -> Result<(), String> {
        let mut vms = self.0.lock().unwrap();
        let root = vms.get_mut(&vm).ok_or("it does not run")?;
        let is_devices = |node: &&mut Node| matches!(node, Node::Element(e) if e.is("devices"));
        let Some(Node::Element(devices)) = root.children.iter_mut().find(is_devices) else { panic!() };
        let target = |e: &Element| e.child("target").and_then(|t| t.attribute("dev")).map(str::to_owned);
        let same = |node: &Node| matches!(node, Node::Element(e) if e == device || (act == Act::Update && target(e) == target(device)));
        let before = devices.children.len();
        devices.children.retain(|node| !same(node));
        match act {
            Act::Detach if devices.children.len() == before => return Err("no such device".to_owned()),
            Act::Detach => {}
            Act::Attach | Act::Update => devices.children.push(Node::Element(device.clone())),
        }
        Ok(())
    }
}

impl Connected for Vms {
    fn running(&self) -> Result<Vec<Having>, String> {
        let vms = self.0.lock().unwrap().clone();
        Ok(vms.into_values().map(|root| Having::of(&Definition::new(root).unwrap()).unwrap()).collect())
    }

    fn vm(&self, uuid: Uuid) -> Result<Option<Having>, String> {
        Ok(self.running()?.into_iter().find(|having| having.uuid == uuid))
    }
}

#[derive(Debug, Default)]
struct Notebook(Mutex<Vec<Event>>, Mutex<Option<String>>);

impl Ledger for Notebook {
    fn attempt(&self, event: Event) -> Result<u64, String> {
        if let Some(why) = self.1.lock().unwrap().clone() {
            return Err(why);
        }
        self.note(event);
        Ok(7)
    }
    fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
    fn deny(&self, event: Event) {
        self.note(event);
    }
}

struct Scene {
    tree: Tree,
    vms: Arc<Vms>,
    notebook: Arc<Notebook>,
    monitor: Arc<Monitor>,
    keeper: Keeper,
}

impl Scene {
    fn new() -> Self {
        let tree = Tree::new();
        tree.write("policy.d/10-site.toml", RULES);
        let registry = Arc::new(Registry::open(&tree.path("registry.json")).unwrap());
        registry.apply(&registry.plan_information_domain(RED, "redvm", Some("red"))).unwrap();
        tree.plug(STICK);
        let (vms, notebook) = (Arc::<Vms>::default(), Arc::<Notebook>::default());
        let (monitor, keeper) = Self::begin(&tree, registry, &vms, &notebook);
        Self { tree, vms, notebook, monitor, keeper }
    }

    fn begin(
        tree: &Tree,
        registry: Arc<Registry>,
        vms: &Arc<Vms>,
        notebook: &Arc<Notebook>,
    ) -> (Arc<Monitor>, Keeper) {
        let policies = Policies::open(vec![tree.path("policy.d")]).unwrap();
        let media = Media::open(&tree.path("media.json"), tree.kernel(), registry.clone()).unwrap();
        let networks = Arc::new(Book::open(&tree.path("networks.json")).unwrap());
        let monitor =
            Monitor::new(policies, registry, networks, notebook.clone(), Arc::new(Sessions::default()));
        let monitor = Arc::new(monitor.seeing(Arc::new(media)));
        let keeper = Keeper::new(monitor.clone(), vms.clone());
        (monitor, keeper)
    }

    /// policyd dies and starts again.
    fn restart(&mut self) {
        let registry = self.monitor.registry().clone();
        (self.monitor, self.keeper) = Self::begin(&self.tree, registry, &self.vms, &self.notebook);
    }

    fn look(&self) {
        self.keeper.look_around(&*self.vms);
    }

    /// What the trail has heard since it was last asked.
    fn told(&self) -> Vec<(String, Kind, Outcome)> {
        let events = std::mem::take(&mut *self.notebook.0.lock().unwrap());
        events.into_iter().map(|event| (event.operation, event.kind, event.outcome)).collect()
    }

    fn rule(&self, rules: &str) {
        self.tree.write("policy.d/10-site.toml", rules);
        self.monitor.policies().reload().unwrap();
    }

    /// A User connects the stick.
    fn connect(&self) {
        let policy = self.monitor.policy();
        let vm = self.monitor.known_vm(RED, "redvm");
        let media = self.monitor.media();
        let wanted = Wanted::Typed("E0D55EA5741E");
        let cleared = media.judge(&policy.policy, &vm, Asker::User, &wanted, &*self.vms).unwrap();
        self.vms.run(RED, "redvm", HAS_STICK);
        media.given(cleared, &vm, "bob").unwrap();
        self.look();
        self.told();
    }

    fn standing(&self) -> Standing {
        self.monitor.media().history().into_iter().find(|entry| entry.id.0 == NAME).unwrap().standing
    }
}

fn seen(operation: &str) -> (String, Kind, Outcome) {
    (operation.to_owned(), Kind::Observation, Outcome::Success)
}

fn done(operation: &str) -> [(String, Kind, Outcome); 2] {
    [
        (operation.to_owned(), Kind::Attempt, Outcome::Pending),
        (operation.to_owned(), Kind::Outcome, Outcome::Success),
    ]
}

#[test]
fn what_is_plugged_in_and_pulled_out_is_on_record_once_restarts_or_not() {
    let mut scene = Scene::new();
    scene.keeper.notice();
    assert_eq!(scene.told(), [seen("media seen")]);
    scene.restart();
    scene.keeper.notice();
    assert_eq!(scene.told(), []);
    scene.tree.unplug("1-2");
    scene.tree.plug(Plug { port: "1-3", serial: Some("OTHER"), number: 7, ..STICK });
    scene.restart();
    scene.keeper.notice();
    assert_eq!(scene.told(), [seen("media seen"), seen("media gone")], "while policyd was away");
    scene.tree.drive_for_discs();
    scene.keeper.notice();
    scene.tree.write("udev/b11:0", "E:ID_CDROM_MEDIA=1\nE:ID_FS_UUID=2027\n");
    scene.keeper.notice();
    assert_eq!(scene.told(), [seen("media seen"), seen("media seen")], "another disc in the drive");
}

#[test]
fn a_record_names_the_medium_the_vm_and_what_it_looked_like() {
    let scene = Scene::new();
    scene.look();
    let event = scene.notebook.0.lock().unwrap()[0].clone();
    assert_eq!(event.targets[0].name.as_deref(), Some(NAME));
    assert!(event.detail.contains("at port 1-2, interfaces 08:06:50"), "{}", event.detail);
    scene.vms.run(RED, "redvm", HAS_STICK);
    scene.look();
    let event = scene.notebook.0.lock().unwrap().last().cloned().unwrap();
    assert_eq!((event.operation.as_str(), event.targets[1].uuid), ("media connect", Some(RED)));
    assert_eq!(event.functions.iter().map(|function| function.number()).collect::<Vec<_>>(), [21]);
}

#[test]
fn what_a_vm_has_though_policyd_died_before_it_knew_is_known_after_a_look() {
    let mut scene = Scene::new();
    scene.vms.run(RED, "redvm", HAS_STICK);
    scene.restart();
    scene.look();
    assert_eq!(scene.told(), [seen("media seen"), seen("media connect")]);
    assert_eq!(scene.standing(), Standing::Has);
    scene.restart();
    scene.look();
    assert_eq!(scene.told(), []);
}

#[test]
fn a_vm_that_stops_gives_its_stick_back() {
    let scene = Scene::new();
    scene.connect();
    scene.vms.0.lock().unwrap().clear();
    scene.look();
    assert_eq!((scene.told(), scene.standing()), (vec![seen("media disconnect")], Standing::Had));
    scene.look();
    assert_eq!(scene.told(), []);
}

#[test]
fn a_stick_that_was_pulled_goes_back_to_the_vm_that_had_it() {
    let mut scene = Scene::new();
    scene.connect();
    scene.tree.unplug("1-2");
    scene.look();
    let told = [vec![seen("media gone")], done("media disconnect").to_vec()].concat();
    assert_eq!((scene.told(), scene.standing(), scene.vms.devices(RED)), (told, Standing::Pulled, 0));
    scene.restart();
    scene.tree.plug(Plug { port: "1-5", number: 9, ..STICK });
    scene.look();
    let told = [vec![seen("media seen")], done("media connect").to_vec()].concat();
    assert_eq!((scene.told(), scene.standing(), scene.vms.devices(RED)), (told, Standing::Has, 1));
    let definition = scene.vms.definition(RED).unwrap().unwrap();
    let address = definition.devices().next().unwrap().at(&["source", "address"]).unwrap();
    assert_eq!((address.attribute("bus"), address.attribute("device")), (Some("1"), Some("9")));
    assert_eq!(scene.monitor.media().history()[0].by, "bob");
    scene.look();
    assert_eq!(scene.told(), []);
}

#[test]
fn a_stick_that_was_pulled_goes_nowhere_if_rules_the_host_or_the_vm_have_changed() {
    let changes: [fn(&Scene); 4] = [
        |scene| scene.rule(&RULES.replace("granted = [\"red\"]", "granted = [\"blue\"]")),
        |scene| scene.tree.mount((8, 16), "/dev/sdb", "/mnt"),
        |scene| scene.vms.0.lock().unwrap().clear(),
        |scene| {
            let registry = scene.monitor.registry();
            registry.apply(&registry.plan_information_domain(RED, "redvm", Some("blue"))).unwrap();
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let scene = Scene::new();
        scene.connect();
        scene.tree.unplug("1-2");
        scene.look();
        scene.told();
        change(&scene);
        scene.tree.plug(Plug { number: 9, ..STICK });
        scene.tree.disk_of("1-2", "sdb", 16);
        scene.look();
        let told = scene.told();
        assert_eq!(scene.standing(), Standing::Had, "{number}");
        assert!(!told.contains(&done("media connect")[0]), "{number}: {told:?}");
        let denied = ("media connect".to_owned(), Kind::Denial, Outcome::Denied);
        assert_eq!(told.contains(&denied), number != 2, "{number}: {told:?}");
        scene.look();
        assert_eq!(scene.told(), [], "{number}: once");
    }
}

#[test]
fn a_stick_that_comes_back_as_something_else_is_judged_as_that() {
    let scene = Scene::new();
    scene.connect();
    scene.tree.unplug("1-2");
    scene.tree.plug(Plug { number: 5, interfaces: &[(8, 6, 0x50), (3, 1, 1)], ..STICK });
    scene.look();
    assert_eq!(
        (scene.vms.devices(RED), scene.standing()),
        (0, Standing::Had),
        "it has become a keyboard, too"
    );
}

#[test]
fn a_new_rule_takes_away_what_it_forbids_and_nothing_else() {
    let scene = Scene::new();
    scene.connect();
    scene.rule(&RULES.replace("[information-domain.blue]", "[information-domain.green]"));
    scene.look();
    assert_eq!((scene.told(), scene.vms.devices(RED)), (vec![], 1));
    scene.rule(&RULES.replace("usb-storage = { rule = \"grant\"", "usb-storage = { rule = \"deny\""));
    scene.look();
    let told = scene.told();
    assert_eq!((told, scene.vms.devices(RED)), (done("media disconnect").to_vec(), 0));
    assert_eq!(scene.standing(), Standing::Had);
    scene.look();
    assert_eq!((scene.told(), scene.vms.devices(RED)), (vec![], 0));
}

#[test]
fn what_cannot_be_recorded_is_not_done_and_tried_again() {
    let scene = Scene::new();
    scene.connect();
    scene.rule(&RULES.replace("usb-storage = { rule = \"grant\"", "usb-storage = { rule = \"deny\""));
    *scene.notebook.1.lock().unwrap() = Some("the store is full".to_owned());
    scene.look();
    assert_eq!((scene.vms.devices(RED), scene.standing()), (1, Standing::Has));
    *scene.notebook.1.lock().unwrap() = None;
    scene.look();
    assert_eq!((scene.vms.devices(RED), scene.standing()), (0, Standing::Had));
}

#[test]
fn what_is_being_connected_at_the_moment_is_left_alone() {
    let scene = Scene::new();
    scene.look();
    scene.told();
    let policy = scene.monitor.policy();
    let vm = scene.monitor.known_vm(RED, "redvm");
    let wanted = Wanted::Typed("E0D55EA5741E");
    let cleared =
        scene.monitor.media().judge(&policy.policy, &vm, Asker::User, &wanted, &*scene.vms).unwrap();
    scene.vms.run(RED, "redvm", HAS_STICK);
    scene.look();
    assert_eq!((scene.told(), scene.monitor.media().history()), (vec![], vec![]));
    drop(cleared);
    scene.look();
    assert_eq!(scene.told(), [seen("media connect")]);
}

#[test]
fn a_disc_that_the_guest_ejects_leaves_the_drive_for_good() {
    let scene = Scene::new();
    scene.tree.drive_for_discs();
    scene.vms.run(RED, "redvm", HAS_DISC);
    scene.look();
    scene.told();
    scene.keeper.tray((RED, "redvm"), "sata0-0-0", State::Open);
    let event = scene.notebook.0.lock().unwrap().last().cloned().unwrap();
    assert_eq!(event.targets[0].name.as_deref(), Some("optical:@sr0"));
    assert_eq!(scene.told(), [seen("media eject")]);
    scene.keeper.opened(RED, "sata0-0-0");
    assert_eq!(scene.told(), done("media eject"));
    let definition = scene.vms.definition(RED).unwrap().unwrap();
    assert!(definition.devices().next().unwrap().child("source").is_none());
    let seen = scene.monitor.media().present(&[], &*scene.vms).unwrap();
    let disc = seen.iter().find(|seen| seen.medium.id == Id("optical:@sr0".into())).unwrap();
    assert_eq!(disc.holder.to_string(), "nobody");
    scene.vms.run(RED, "redvm", &HAS_DISC.replace(" tray='open'", ""));
    scene.keeper.opened(RED, "sata0-0-0");
    assert_eq!(scene.told(), [], "it was closed again, or somebody changed the disc");
}
