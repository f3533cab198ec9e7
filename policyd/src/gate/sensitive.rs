// SPDX-License-Identifier: Apache-2.0
//! A sensitive VM keeps its data: what would carry it away is refused to everybody, whatever his rights.
//!
//! Here is what a call is by its name. What a definition may have is a rule that binds everybody, in
//! `core::policy::bounds`; media are refused where they are judged; disks, where volumes are.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::rule::Rule;
use virtwarden_core::table3::Function;

use super::call::{Call, Forward};
use super::connection::Connection;
use super::fault::Fault;

/// Calls that copy a VM's disks, memory or screen, reach it past the gate, or would end the marker with the VM.
pub(super) const REFUSED: [&str; 31] = [
    "DOMAIN_AGENT_COMMAND",
    "DOMAIN_BACKUP_BEGIN",
    "DOMAIN_BLOCK_COMMIT",
    "DOMAIN_BLOCK_COPY",
    "DOMAIN_BLOCK_PEEK",
    "DOMAIN_BLOCK_REBASE",
    "DOMAIN_CHECKPOINT_CREATE_XML",
    "DOMAIN_CORE_DUMP",
    "DOMAIN_CORE_DUMP_WITH_FORMAT",
    "DOMAIN_FD_ASSOCIATE",
    "DOMAIN_MEMORY_PEEK",
    "DOMAIN_MIGRATE_BEGIN3",
    "DOMAIN_MIGRATE_BEGIN3_PARAMS",
    "DOMAIN_MIGRATE_CONFIRM3",
    "DOMAIN_MIGRATE_CONFIRM3_PARAMS",
    "DOMAIN_MIGRATE_PERFORM3",
    "DOMAIN_MIGRATE_PERFORM3_PARAMS",
    "DOMAIN_MIGRATE_SET_COMPRESSION_CACHE",
    "DOMAIN_MIGRATE_SET_MAX_DOWNTIME",
    "DOMAIN_MIGRATE_SET_MAX_SPEED",
    "DOMAIN_MIGRATE_START_POST_COPY",
    "DOMAIN_MONITOR_COMMAND",
    "DOMAIN_MONITOR_COMMAND_WITH_FILES",
    "DOMAIN_OPEN_CHANNEL",
    "DOMAIN_SAVE",
    "DOMAIN_SAVE_FLAGS",
    "DOMAIN_SAVE_PARAMS",
    "DOMAIN_SCREENSHOT",
    "DOMAIN_SNAPSHOT_CREATE_XML",
    "DOMAIN_UNDEFINE",
    "DOMAIN_UNDEFINE_FLAGS",
];

/// Why, and how it could be otherwise.
pub(super) const WHY: &str = "the VM is sensitive: nothing may carry its data away; an Administrator may end that with \
                              `virtwarden vm sensitive VM off`";

impl Connection {
    /// Refuses a call that a sensitive VM is kept from, before anything else of it is looked at.
    pub(super) fn insist_on_keeping(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        let named = call.arguments.handle().and_then(|handle| handle.vm().map(|vm| vm.uuid));
        let kept = named.and_then(|uuid| self.gate.monitor.registry().vm(uuid));
        if !REFUSED.contains(&call.procedure.name) || kept.is_none_or(|vm| vm.sensitivity.is_ordinary()) {
            return Ok(());
        }
        let (object, _) = self.object_of_named(call)?;
        let mut rights = call.procedure.rights(&call.arguments);
        if let Rule::Judged(judge) = call.procedure.rule {
            rights.extend(judge.least());
        }
        let needs = rights.into_iter().map(|right| Need { right, object: object.clone() });
        Err(self.forbidden(call, WHY, needs.collect()))
    }

    /// To configure a sensitive VM takes the right to administer besides: whoever may only configure could take a disk
    /// from it and give it to another.
    pub(super) fn with_right_to_administer(mut forward: Forward) -> Forward {
        let configured = forward.needs.iter().filter(|need| configures(need.right)).find_map(|need| {
            let Object::Vm(vm) = &need.object else { return None };
            (!vm.sensitivity().is_ordinary()).then(|| vm.clone())
        });
        let need = configured.map(|vm| Need { right: Right::Administer, object: Object::Vm(vm) });
        forward.needs.extend(need);
        forward
    }
}

fn configures(right: Right) -> bool {
    [
        Function::ConfigureVms,
        Function::ConfigureNetworks,
        Function::ConfigureDevices,
        Function::ConfigureSharing,
    ]
    .into_iter()
    .any(|function| right == Right::Function(function))
}
