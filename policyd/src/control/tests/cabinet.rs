// SPDX-License-Identifier: Apache-2.0
//! Media and VMs' drives without a host: what was plugged is remembered, and libvirt can be made to refuse.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use virtwarden_core::media::{Asker, Id, Kind, Medium, Party, Source, Transfer, UsbDevice, Verdict};
use virtwarden_core::object::{Uuid, Vm};
use virtwarden_core::policy::Policy;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::definition::Definition;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::Act;

use super::scene::{BOBVM, FINANCE};
use crate::control::{Cleared, Keeper, Plugs, Reach, Shape};
use crate::media::{Holder, Refused, Seen, Unclear};

/// A cabinet of media: two images, a stick and its twin.
#[derive(Clone, Debug, Default)]
pub(super) struct Cabinet(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Who was given what.
    given: BTreeMap<String, Uuid>,
    /// What libvirt was told: act, device, reach.
    told: Vec<(Act, String, Reach)>,
    refusal: Option<String>,
    content: Option<String>,
    forgetful: bool,
}

pub(super) fn image(name: &str) -> Medium {
    let path = format!("/srv/media/{name}");
    Medium {
        id: Id(format!("image:{path}")),
        kind: Kind::Image,
        name: name.to_owned(),
        source: Source::Image { path },
    }
}

pub(super) fn stick(serial: &str, device: u16) -> Medium {
    Medium {
        id: Id(format!("usb:0951:1666:{serial}")),
        kind: Kind::UsbStorage,
        name: "Kingston".to_owned(),
        source: Source::Usb(UsbDevice {
            vendor: 0x0951,
            product: 0x1666,
            serial: Some(serial.to_owned()),
            port: format!("1-{device}"),
            bus: 1,
            device,
            interfaces: Vec::new(),
        }),
    }
}

fn media() -> Vec<Medium> {
    vec![image("tools.iso"), image("notes.iso"), stick("A", 4), stick("B", 5)]
}

impl Cabinet {
    /// What libvirt was told to do.
    pub(super) fn told(&self) -> Vec<(Act, String, Reach)> {
        self.0.lock().unwrap().told.clone()
    }

    /// A VM has a medium.
    pub(super) fn lend(&self, medium: &Medium, vm: Uuid) {
        self.0.lock().unwrap().given.insert(medium.id.0.clone(), vm);
    }

    pub(super) fn has(&self, medium: &Medium) -> Option<Uuid> {
        self.0.lock().unwrap().given.get(&medium.id.0).copied()
    }

    /// libvirt refuses from now on.
    pub(super) fn refuse(&self, why: &str) {
        self.0.lock().unwrap().refusal = Some(why.to_owned());
    }

    /// Nothing can be kept from now on.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap().forgetful = true;
    }

    /// What is in bobvm's drive.
    pub(super) fn fill(&self, path: &str) {
        self.0.lock().unwrap().content = Some(path.to_owned());
    }
}

impl Keeper for Cabinet {
    fn present(&self, _policy: &Policy) -> Result<Vec<Seen>, String> {
        let holder = |medium: &Medium| match self.has(medium) {
            None => Holder::Nobody,
            Some(BOBVM) => Holder::Vm { uuid: BOBVM, name: "bobvm".to_owned() },
            Some(uuid) => Holder::Vm { uuid, name: "finance".to_owned() },
        };
        let found = |medium: Medium| Seen { holder: holder(&medium), medium, last: Some(Party::Host) };
        Ok(media().into_iter().map(found).collect())
    }

    fn find(&self, _policy: &Policy, typed: &str) -> Result<Medium, Unclear> {
        let mut fitting = media().into_iter().filter(|medium| medium.name == typed || medium.id.0 == typed);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Unclear::Nothing(typed.to_owned())),
            (Some(one), Some(other)) => {
                Err(Unclear::Several { typed: typed.to_owned(), candidates: vec![one, other] })
            }
        }
    }

    fn judge(&self, policy: &Policy, vm: &Vm, asker: Asker, medium: &Medium) -> Result<Cleared, Refused> {
        let holder = self.has(medium).map(Party::Vm);
        let receiver = Party::of(vm);
        let transfer = Transfer { medium, holder: holder.as_ref(), receiver: &receiver, asker };
        match policy.media_rules().transfer(&transfer) {
            Verdict::Allow(clearance) => Ok(Cleared {
                medium: medium.clone(),
                access: clearance.access,
                rule: clearance.rule,
                clearance: None,
            }),
            Verdict::Ask { rule } => Err(Refused::Ask { medium: Box::new(medium.clone()), rule }),
            Verdict::Deny { reason } => Err(Refused::Denied(reason)),
        }
    }

    fn given(&self, cleared: Cleared, vm: &Vm, _by: &str) -> Result<(), String> {
        let mut state = self.0.lock().unwrap();
        if state.forgetful {
            return Err("the disk is full".to_owned());
        }
        state.given.insert(cleared.medium.id.0, vm.uuid);
        Ok(())
    }

    fn taken(&self, medium: &Id) -> Result<(), String> {
        self.0.lock().unwrap().given.remove(&medium.0);
        Ok(())
    }
}

impl Plugs for Cabinet {
    fn look(&self, _caller: &Subject, (uuid, name): (Uuid, &str)) -> Result<Shape, String> {
        let content = self.0.lock().unwrap().content.clone();
        let source = content.map(|path| format!("<source file='{path}'/>")).unwrap_or_default();
        let definition = Definition::parse(format!(
            "<domain type='kvm'><name>{name}</name><devices><disk type='file' device='cdrom'>{source}\
             <target dev='hdc' bus='ide'/><readonly/></disk></devices></domain>"
        ))
        .unwrap();
        let running = (uuid != FINANCE).then(|| definition.clone());
        Ok(Shape { running, stored: Some(definition) })
    }

    fn change(
        &self,
        _caller: &Subject,
        _vm: &Vm,
        act: Act,
        device: &Element,
        reach: Reach,
    ) -> Result<(), String> {
        let mut state = self.0.lock().unwrap();
        if let Some(why) = &state.refusal {
            return Err(why.clone());
        }
        state.told.push((act, device.to_string(), reach));
        Ok(())
    }
}
