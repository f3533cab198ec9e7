// SPDX-License-Identifier: Apache-2.0
//! `vm create`: a VM from a template, made as whoever asks would make it himself. Rows 3 and 4 of Table 3.

use std::sync::Arc;
use std::time::Instant;

use virtwarden_core::control::{Failure, Mode, Reply, Request, VmBelonging, VmWish};
use virtwarden_core::object::{Assignment, Sensitivity, Uuid, Vm};
use virtwarden_core::policy::quota::Allowance;
use virtwarden_core::setting::DefaultVm;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::template::{Values, fill, placeholders};

use super::workshop::Disk;
use crate::control::conclude::{conclude, prefix};
use crate::control::failure::{failed, usage};
use crate::control::identity::fresh_uuid;
use crate::control::{Control, people};
use crate::templates;

/// Where the shipped templates look for disks.
const IMAGES: &str = "/var/lib/libvirt/images";
/// The longest name of a VM that is made here: it becomes the name of a file.
const NAME: usize = 200;

/// A VM that is about to be made.
#[derive(Debug)]
struct Draft {
    vm: Vm,
    template: String,
    definition: Element,
    disk: Option<Disk>,
    differences: Vec<String>,
}

impl Control {
    /// Makes a VM from a template. It belongs to whom it shall belong before it is there.
    pub(in crate::control) fn vm_create(
        &self,
        subject: &Subject,
        request: &Request,
        (wish, belonging): (&VmWish, Option<&VmBelonging>),
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, &format!("{}VM `{}`", prefix(mode), wish.name))?;
        let made = self.draft_vm(subject, wish, belonging).and_then(|draft| {
            match mode {
                Mode::DryRun => self.make_vm(subject, &draft, mode)?,
                Mode::Apply => self.settle_vm(subject, &draft)?,
            }
            Ok(draft.differences)
        });
        conclude(attempt, made, mode)
    }

    fn draft_vm(
        &self,
        subject: &Subject,
        wish: &VmWish,
        belonging: Option<&VmBelonging>,
    ) -> Result<Draft, Failure> {
        is_plain(&wish.name)?;
        let none = VmBelonging::default();
        let belonging = belonging.unwrap_or(&none);
        self.is_defined(belonging.information_domain.as_deref())?;
        let name = self.template_of(wish)?;
        let template = templates::read(self.templates, &name).map_err(failed)?;
        let assignment = self.belongs(subject, belonging, &name)?;
        let uuid = fresh_uuid()?;
        let disk = wish.disk.map(|size| disk(wish, size));
        let definition = written(&template, &name, (wish, &self.settings.default_vm()), uuid)?;
        let differences = differences(wish, &name, belonging);
        let vm = Vm { uuid, name: wish.name.clone(), assignment: Some(Arc::new(assignment)) };
        Ok(Draft { vm, template: name, definition, disk, differences })
    }

    /// The template that is asked for, else the default.
    fn template_of(&self, wish: &VmWish) -> Result<String, Failure> {
        wish.template.clone().or_else(|| self.default_template()).ok_or_else(|| {
            usage("no template is the default; name one with --template, see `virtwarden vm templates`")
        })
    }

    /// What an Administrator has set, else what the policy says.
    pub(super) fn default_template(&self) -> Option<String> {
        let set = self.settings.default_vm().template.map(String::from);
        set.or_else(|| self.monitor.policy().policy.vm().template.clone())
    }

    /// Whose it will be. Who makes VMs under a quota has those that he makes.
    fn belongs(
        &self,
        subject: &Subject,
        belonging: &VmBelonging,
        template: &str,
    ) -> Result<Assignment, Failure> {
        let named = belonging.user.as_deref().map(people::account).transpose()?;
        let own = match self.monitor.policy().policy.quota(subject) {
            Allowance::Within(_) => Some(subject.account.clone()),
            Allowance::Nothing | Allowance::Unlimited => None,
        };
        Ok(Assignment {
            users: named.into_iter().chain(own).collect(),
            information_domain: belonging.information_domain.clone(),
            sensitivity: sensitivity(template),
            ..Assignment::default()
        })
    }

    /// The registry knows it before it is there; if it does not come to be, neither does that stay.
    fn settle_vm(&self, subject: &Subject, draft: &Draft) -> Result<(), Failure> {
        self.enter(draft)?;
        // libvirtd may tell of it before it answers: it is no stranger then.
        self.monitor.made(draft.vm.uuid, Instant::now());
        self.make_vm(subject, draft, Mode::Apply).inspect_err(|_| {
            let _gone_for_this_run = self.monitor.registry().forget(draft.vm.uuid);
        })?;
        // A libvirtd that came up meanwhile, and did not have it yet, has made the registry forget it.
        self.enter(draft)
    }

    fn enter(&self, draft: &Draft) -> Result<(), Failure> {
        let registry = self.monitor.registry();
        let belongs = draft.vm.assignment.as_deref().cloned().unwrap_or_default();
        let plan = registry.plan_new(draft.vm.uuid, &draft.vm.name, belongs);
        if plan.differences().is_empty() {
            return Ok(());
        }
        registry.apply(&plan).map_err(|error| failed(error.to_string()))
    }

    fn make_vm(&self, subject: &Subject, draft: &Draft, mode: Mode) -> Result<(), Failure> {
        let made = self.workshop.make(subject, &draft.vm, (&draft.definition, draft.disk.as_ref()), mode);
        made.map_err(|failure| Failure {
            message: format!("{} (from template `{}`)", failure.message, draft.template),
            ..failure
        })
    }
}

/// What is made from the template of that name is sensitive from its first moment.
fn sensitivity(template: &str) -> Sensitivity {
    if template == Sensitivity::Sensitive.word() { Sensitivity::Sensitive } else { Sensitivity::Ordinary }
}

/// The template, filled in.
fn written(
    template: &Element,
    name: &str,
    (wish, default): (&VmWish, &DefaultVm),
    uuid: Uuid,
) -> Result<Element, Failure> {
    let there = placeholders(template);
    let wishes =
        [("memory", wish.memory.is_some()), ("vcpus", wish.vcpus.is_some()), ("disk", wish.disk.is_some())];
    let wishes = wishes.into_iter().chain([("network", wish.network.is_some())]);
    if let Some((word, _)) = wishes.into_iter().find(|(word, wanted)| *wanted && !there.contains(*word)) {
        return Err(usage(format!(
            "template `{name}` leaves no choice of its {word}: it has no `{{{word}}}`"
        )));
    }
    let mut values = Values::from([
        ("name", wish.name.clone()),
        ("memory", wish.memory.unwrap_or(default.memory).to_string()),
        ("vcpus", wish.vcpus.unwrap_or(default.vcpus).to_string()),
    ]);
    let mut left_out = Vec::new();
    for (word, value) in [("disk", wish.disk.map(|_| file(wish))), ("network", wish.network.clone())] {
        match value {
            Some(value) => drop(values.insert(word, value)),
            None => left_out.push(word),
        }
    }
    let filled = fill(template, &values, &left_out);
    let filled = filled
        .map_err(|word| failed(format!("template `{name}` has `{{{word}}}`, which stands for nothing")))?;
    Ok(filled.with_child(Element::new("uuid").saying(&uuid.to_string())))
}

/// The name of its disk's file.
fn file(wish: &VmWish) -> String {
    format!("{}.qcow2", wish.name)
}

fn disk(wish: &VmWish, size: u64) -> Disk {
    let name = file(wish);
    Disk { path: format!("{IMAGES}/{name}"), name, size }
}

/// One line for each thing that comes to be.
fn differences(wish: &VmWish, template: &str, belonging: &VmBelonging) -> Vec<String> {
    let vm = format!("+VM {} from template {template}", wish.name);
    let disk = wish.disk.map(|size| format!("+disk {} of {} MiB", file(wish), size >> 20));
    let network = wish.network.as_ref().map(|network| format!("+interface on network {network}"));
    let user = belonging.user.as_ref().map(|user| format!("+user {user}"));
    let domain =
        belonging.information_domain.as_ref().map(|domain| format!("information domain none -> {domain}"));
    let kept = (!sensitivity(template).is_ordinary()).then(|| "ordinary -> sensitive".to_owned());
    [vm].into_iter().chain(disk).chain(network).chain(user).chain(domain).chain(kept).collect()
}

/// Nothing that means something on a command line or in a file's name.
fn is_plain(name: &str) -> Result<(), Failure> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if plain && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= NAME {
        return Ok(());
    }
    Err(usage(format!(
        "`{name}` cannot be the name of a VM from a template: use up to {NAME} letters, digits, `-`, `_` and `.`, \
         beginning with a letter or digit"
    )))
}
