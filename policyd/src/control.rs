// SPDX-License-Identifier: Apache-2.0
//! The control socket: what the command and libvirt's hook ask, judged and answered.
//!
//! Mediated: every request of every client, by the kernel's word on who it is. Trusted: the account
//! database, libvirtd, the registry and the trail. A request that is not understood, not permitted
//! or not recordable is refused, and the client is told which.

mod archive;
mod assignments;
mod audit;
mod beyond;
mod candidates;
mod clients;
mod conclude;
mod confirmation;
mod conversation;
mod demand;
mod fabric;
mod failure;
mod hook;
mod hypervisor;
mod identity;
mod libvirt;
mod lockouts;
mod media;
mod networks;
mod orders;
mod people;
mod policy;
mod policy_trial;
mod review;
mod roles;
mod screen;
mod server;
mod sessions;
mod settings;
mod sharing;
mod shelf;
mod simulate;
mod status;
mod updates;
mod vms;

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use virtwarden_core::control::{Failure, Reply, Request};
use virtwarden_core::object::Object;
use virtwarden_core::policy::decision::Decision;
use virtwarden_core::policy::request::{self, Need};
use virtwarden_core::setting::SettingName;
use virtwarden_core::subject::Subject;

pub use self::archive::{Archive, Flow, Part, Reader, Record, State};
pub use self::clients::{Clients, Limits};
use self::demand::{Demand, Scope, demand};
pub use self::fabric::{Fabric, Present};
pub use self::hypervisor::{Defined, Hypervisor, Seen};
pub use self::libvirt::Libvirt;
pub use self::media::{Cleared, Desk, HostMedia, Keeper, Plugs, Reach, Shape};
pub use self::policy::digest;
pub use self::server::{admit, serve};
pub use self::shelf::Shelf;
pub use self::vms::{Disk, Workshop};
use crate::accounts::Accounts;
use crate::former::Former;
use crate::login::Logins;
use crate::monitor::{self, Attempt, IN_ITS_TURN, Monitor, Refusal};
use crate::policies::InForce;
use crate::settings::Settings;

/// Told of a policy that has come into force, so that the trail's seals carry it.
pub type Announce = Arc<dyn Fn(&InForce) + Send + Sync>;

/// Everything that requests are answered from.
pub struct Control {
    /// Decides and records.
    pub monitor: Arc<Monitor>,
    /// Who is who on this host.
    pub accounts: Arc<Accounts>,
    /// Which VMs there are.
    pub hypervisor: Box<dyn Hypervisor>,
    /// What makes VMs on somebody's behalf.
    pub workshop: Box<dyn Workshop>,
    /// Where templates of VMs are.
    pub templates: &'static [&'static str],
    /// Which networks there are.
    pub fabric: Box<dyn Fabric>,
    /// Who logs in, and who is locked out.
    pub logins: Arc<Logins>,
    /// The typed settings.
    pub settings: Arc<Settings>,
    /// Removable media.
    pub desk: Desk,
    /// What time it is, where a change keeps its time.
    pub clock: fn() -> SystemTime,
    /// The policies that were in force before.
    pub former: Former,
    /// The trail, to read.
    pub archive: Box<dyn Archive>,
    /// Told of each policy that has come into force.
    pub announce: Announce,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("monitor", &self.monitor).finish_non_exhaustive()
    }
}

/// An announced change that root carries out; its end is still to be told on the connection.
type Pending = Option<Box<roles::Announced>>;

/// Whoever takes a stream of records.
trait Listener {
    /// Takes one reply and says whether to go on.
    fn take(&mut self, reply: Reply) -> Flow;

    /// Whether anybody still listens.
    fn wait(&mut self) -> Flow;
}

impl Control {
    /// Answers one request. Streams go to the listener first; the last reply is the result.
    fn answer(
        &self,
        subject: &Subject,
        request: &Request,
        pending: &mut Pending,
        now: Instant,
        listener: &mut dyn Listener,
    ) -> Result<Reply, Failure> {
        match request {
            Request::Status => Ok(Reply::Status(self.status(subject))),
            Request::Table => Ok(Reply::Table(self.table())),
            Request::Whoami => Ok(Reply::Whoami(self.whoami(subject))),
            Request::VmList => self.vm_list(subject, listener),
            Request::VmShow { vm } => self.vm_show(subject, request, vm),
            Request::VmTemplates => self.vm_templates(subject, request),
            Request::VmCreate { wish, belonging, mode } => {
                self.vm_create(subject, request, (wish, belonging.as_ref()), *mode)
            }
            Request::VmAssign { vm, users, groups, mode } => {
                self.vm_assign(subject, request, vm, (users, groups), *mode)
            }
            Request::VmUnassign { vm, users, groups, mode } => {
                self.vm_unassign(subject, request, vm, (users, groups), *mode)
            }
            Request::VmDomain { vm, information_domain, mode } => {
                self.vm_domain(subject, request, vm, information_domain.as_deref(), *mode)
            }
            Request::VmSensitive { vm, sensitivity, mode } => {
                self.vm_sensitive(subject, request, vm, *sensitivity, *mode)
            }
            Request::NetworkList => self.network_list(subject),
            Request::NetworkShow { network } => self.network_show(subject, request, network),
            Request::NetworkAssign { network, information_domain, mode } => {
                self.network_assign(subject, request, network, Some(information_domain), *mode)
            }
            Request::NetworkUnassign { network, mode } => {
                self.network_assign(subject, request, network, None, *mode)
            }
            Request::NetworkCreate { network, information_domain, way_out, ports, mode } => {
                let wish = networks::Wish { network, information_domain, way_out: *way_out, ports: *ports };
                self.network_create(subject, request, &wish, *mode)
            }
            Request::NetworkDelete { network, mode } => self.network_delete(subject, request, network, *mode),
            Request::RoleReview => self.role_review(subject, request, now, listener),
            Request::RoleList => self.role_list(subject, request),
            Request::RoleChange { role, user, membership, mode } => self.role_change(
                subject,
                request,
                roles::Wish { role, user, membership: *membership, mode: *mode },
                pending,
            ),
            Request::RoleDone { outcome, detail } => roles::done(pending, *outcome, detail),
            Request::PolicyShow => self.policy_show(subject, request),
            Request::PolicyReload { mode } => self.policy_reload(subject, request, *mode),
            Request::PolicyTry { seconds } => self.policy_try(subject, request, *seconds),
            Request::PolicyConfirm => self.policy_confirm(subject, request),
            Request::PolicyDiff { files } => self.policy_diff(subject, request, files),
            Request::PolicySimulate { files, since } => {
                self.policy_simulate(subject, request, (files, *since), now)
            }
            Request::PolicyFormer => self.policy_former(subject, request),
            Request::PolicyRecall { number } => self.policy_recall(subject, request, *number),
            Request::PolicyExplain { user, right, object } => {
                self.policy_explain(subject, request, user, *right, object, now)
            }
            Request::AuditList { filter } => self.audit_list(subject, request, filter, listener),
            Request::AuditFollow { filter } => self.audit_follow(subject, request, filter, listener),
            Request::AuditVerify => self.audit_verify(subject, request),
            Request::AuditExport { range } => self.audit_export(subject, request, range, listener),
            Request::AuditKeys => self.audit_keys(subject, request),
            Request::AuditDelete { before, mode } => self.audit_delete(subject, request, *before, *mode),
            Request::SessionList => Ok(self.session_list(subject)),
            Request::SessionShow { session } => self.session_show(subject, *session),
            Request::SessionEnd { session, mode } => {
                self.session_end(subject, request, *session, *mode, (self.clock)())
            }
            Request::SessionElevate => self.session_elevate(subject, (self.clock)()),
            Request::SessionLower => self.session_lower(subject),
            Request::BannerAccept => self.banner_accept(subject),
            Request::LockoutList => self.lockout_list(subject, request),
            Request::LockoutShow { account } => self.lockout_show(subject, request, account),
            Request::LockoutUnlock { account, class, mode } => {
                self.lockout_unlock(subject, request, account, *class, *mode)
            }
            Request::SettingList => self.setting_rows(subject, request, &SettingName::ALL),
            Request::SettingShow { name } => self.setting_rows(subject, request, &[*name]),
            Request::SettingSet { setting, reason, mode } => {
                self.followed(self.setting_set(subject, request, setting, (reason, *mode)))
            }
            Request::SettingUnset { name, reason, mode } => {
                self.followed(self.setting_unset(subject, request, *name, (reason, *mode)))
            }
            Request::ScreenShow => Ok(self.screen_show(subject)),
            Request::ScreenOwn { wish, mode } => self.screen_own(subject, request, *wish, *mode),
            Request::Sharing(asked) => self.sharing(subject, request, asked),
            Request::MediaList { medium, vm } => {
                self.media_list(subject, request, (medium.as_deref(), vm.as_deref()))
            }
            Request::MediaInsert { vm, medium, drive, mode } => {
                self.media_insert(subject, request, (vm, medium, drive.as_deref()), *mode)
            }
            Request::MediaEject { vm, drive, mode } => {
                self.media_eject(subject, request, (vm, drive.as_deref()), *mode)
            }
            Request::MediaConnect { vm, medium, mode } => {
                self.media_connect(subject, request, (vm, medium), *mode)
            }
            Request::MediaDisconnect { vm, medium, mode } => {
                self.media_disconnect(subject, request, (vm, medium), *mode)
            }
            Request::MediaPending => Ok(self.media_pending(subject)),
            Request::MediaWatch => Ok(self.media_watch(subject, listener)),
            Request::MediaConfirm { number } => self.media_confirm(subject, request, *number),
            Request::DeviceClasses => self.device_classes(subject, request),
            Request::SettingConfirm { name } => self.setting_confirm(subject, request, *name),
            Request::Update { act: _, what, mode } => self.update(subject, request, (what, *mode), pending),
            Request::UpdateDone { outcome, detail } => updates::done(pending, *outcome, detail),
            Request::Hook(call) => self.hook(subject, call),
        }
    }

    /// What a setting wants of login sessions holds for those that are open, and what it makes of failures for the
    /// locks that the PAM module reads while policyd is away.
    fn followed(&self, reply: Result<Reply, Failure>) -> Result<Reply, Failure> {
        (self.announce)(&self.monitor.policy());
        self.logins.keep_snapshot();
        reply
    }

    /// Decides on a request about the policy or the trail, and records the attempt.
    fn begin(&self, subject: &Subject, request: &Request, detail: &str) -> Result<Attempt, Failure> {
        let object = match demand(request) {
            Demand::Rights(_, Scope::Trail) => Object::Trail,
            Demand::Rights(_, Scope::Policy) => Object::Policy,
            Demand::Rights(_, Scope::Setting(name)) => Object::Setting(name.word().to_owned()),
            Demand::Rights(_, Scope::OwnSetting(name)) => Object::OwnSetting(name.word().to_owned()),
            Demand::Rights(_, Scope::Host | Scope::Vm | Scope::NewVm | Scope::Network | Scope::Channels)
            | Demand::Nothing
            | Demand::Root => Object::Host,
        };
        self.begin_on(subject, request, detail, &object)
    }

    /// Decides on a request about an object, and records the attempt.
    fn begin_on(
        &self,
        subject: &Subject,
        request: &Request,
        detail: &str,
        object: &Object,
    ) -> Result<Attempt, Failure> {
        self.begin_on_all(subject, request, detail, std::slice::from_ref(object))
    }

    /// As [`Control::begin_on`], about several objects: it needs its rights on each.
    fn begin_on_all(
        &self,
        subject: &Subject,
        request: &Request,
        detail: &str,
        objects: &[Object],
    ) -> Result<Attempt, Failure> {
        self.begin_recorded(subject, request, detail, objects, IN_ITS_TURN)
    }

    /// As [`Control::begin_on_all`], recorded in this way.
    fn begin_recorded(
        &self,
        subject: &Subject,
        request: &Request,
        detail: &str,
        objects: &[Object],
        record: monitor::Record,
    ) -> Result<Attempt, Failure> {
        let needs: Vec<_> = objects.iter().flat_map(|object| needs(request, object)).collect();
        let what = (request.operation(), detail);
        let judged = self.monitor.judge_and_record(subject, what, needs.clone(), record);
        if judged.as_ref().is_ok_and(Attempt::is_recorded) {
            self.monitor.sessions().touch(subject.login.as_ref(), (self.clock)());
        }
        judged.map_err(|refusal| self.refused(subject, &needs, refusal))
    }

    /// A refusal as the client reads it.
    fn refused(&self, subject: &Subject, needs: &[Need], refusal: Refusal) -> Failure {
        match refusal {
            Refusal::Hidden { object: Object::Vm(vm), .. } => failure::no_vm(&vm.name),
            Refusal::Hidden { object: Object::Network(name), .. } => failure::no_network(&name),
            Refusal::Hidden { .. } => failure::denied(self.why_not(subject, needs)),
            Refusal::Denied(text) => failure::denied(text),
            Refusal::Unrecorded(_) => failure::unavailable(refusal.to_string()),
        }
    }

    /// That there is a policy and a trail is no secret: whoever may not touch them is told so.
    fn why_not(&self, subject: &Subject, needs: &[Need]) -> String {
        match self.monitor.policy().policy.decide(&request::Request { subject, needs }) {
            Decision::Deny(denial) => denial.message(subject),
            Decision::Allow(_) => "access denied: the policy has just changed, try again".to_owned(),
        }
    }
}

/// The needs of a request on an object.
fn needs(request: &Request, object: &Object) -> Vec<Need> {
    match demand(request) {
        Demand::Rights(rights, _) => {
            rights.iter().map(|right| Need { right: *right, object: object.clone() }).collect()
        }
        Demand::Nothing | Demand::Root => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
