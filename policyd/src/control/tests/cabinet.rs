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
use crate::control::{Cleared, Found, Having, Holder, Keeper, Plugs, Reach, Refused, Shape};

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

    /// What is in bobvm's drive.
    pub(super) fn fill(&self, path: &str) {
        self.0.lock().unwrap().content = Some(path.to_owned());
    }
}

impl Keeper for Cabinet {
    fn present(&self, _policy: &Policy, _vms: &[Having]) -> Result<Vec<Found>, String> {
        let holder = |medium: &Medium| match self.has(medium) {
            None => Holder::Nobody,
            Some(BOBVM) => Holder::Vm(BOBVM, "bobvm".to_owned()),
            Some(other) => Holder::Vm(other, "finance".to_owned()),
        };
        let found = |medium: Medium| Found { holder: holder(&medium), medium, last: Some(Party::Host) };
        Ok(media().into_iter().map(found).collect())
    }

    fn find(&self, _policy: &Policy, typed: &str) -> Result<Medium, String> {
        let mut fitting = media().into_iter().filter(|medium| medium.name == typed || medium.id.0 == typed);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(format!("there is no medium `{typed}`")),
            (Some(one), Some(other)) => Err(format!("`{typed}` could be `{}` or `{}`", one.id, other.id)),
        }
    }

    fn judge(
        &self,
        policy: &Policy,
        vm: &Vm,
        asker: Asker,
        medium: &Medium,
        _vms: &[Having],
    ) -> Result<Cleared, Refused> {
        let holder = self.has(medium).map(Party::Vm);
        let receiver = Party::of(vm);
        let transfer = Transfer { medium, holder: holder.as_ref(), receiver: &receiver, asker };
        match policy.media_rules().transfer(&transfer) {
            Verdict::Allow(clearance) => Ok(Cleared { access: clearance.access, rule: clearance.rule }),
            Verdict::Ask { rule } => Err(Refused::Ask { rule }),
            Verdict::Deny { reason } => Err(Refused::Denied(reason)),
        }
    }

    fn given(&self, medium: &Id, vm: &Vm) -> Result<(), String> {
        self.0.lock().unwrap().given.insert(medium.0.clone(), vm.uuid);
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

    fn everybody(&self, _caller: &Subject) -> Result<Vec<(Uuid, String, Shape)>, String> {
        Ok(Vec::new())
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
