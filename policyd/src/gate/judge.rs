// SPDX-License-Identifier: Apache-2.0
//! What a call needs that its name alone does not tell: judged by its arguments and by what they change.
//!
//! Whatever a judge reads as XML goes to libvirtd as we write it, so that what was judged is what libvirtd
//! reads. Whoever changes a VM's definition holds its turn from the look at it until libvirtd's answer.

mod belonging;
mod bounds;
mod common;
mod definition;
mod device;
mod disk;
mod disks;
mod emulator;
mod few;
mod files;
mod forget;
mod host_device;
mod image;
pub mod media;
mod medium;
mod metadata;
mod migration;
mod network;
mod networks;
mod place;
mod present;
mod quota;
mod saved;
mod screen;
mod sensitive;
mod snapshot;
mod start;
mod storage;

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::rpc::rule::Judge;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::Change;
use virtwarden_core::xml::element::Element;
use virtwarden_core::xml::plug::Act;

use super::call::{Call, Forward};
use super::connection::Connection;
use super::fault::{Fault, code};

impl Connection {
    /// Judges a call by what it carries, and never demands less than the table says it must.
    pub(super) fn judge(&mut self, call: &Call<'_>, judge: Judge) -> Result<Forward, Fault> {
        self.judge_content(call, judge).map(|forward| at_least(judge, forward))
    }

    fn judge_content(&mut self, call: &Call<'_>, judge: Judge) -> Result<Forward, Fault> {
        match judge {
            Judge::Start => self.judge_start(call),
            Judge::CreateVm => self.judge_create(call),
            Judge::DefineVm => self.judge_define(call),
            Judge::AttachDevice => self.judge_device(call, Act::Attach),
            Judge::DetachDevice => self.judge_device(call, Act::Detach),
            Judge::DetachAlias => self.judge_alias(call),
            Judge::UpdateDevice => self.judge_device(call, Act::Update),
            Judge::Save => self.judge_save(call),
            Judge::Restore => self.judge_restore(call),
            Judge::SaveImageXml => self.judge_save_image_xml(call),
            Judge::SaveImageDefine => self.judge_save_image_define(call),
            Judge::ManagedSaveDefine => self.judge_managed_save_define(call),
            Judge::SnapshotCreate => self.judge_snapshot(call),
            Judge::SnapshotDelete => self.judge_snapshot_delete(call),
            Judge::SnapshotRevert => self.judge_revert(call),
            Judge::CheckpointCreate => self.judge_checkpoint(call),
            Judge::Backup => self.judge_backup(call),
            Judge::CoreDump => self.judge_core_dump(call),
            Judge::BlockCommit => self.judge_commit(call),
            Judge::BlockJobAbort => self.judge_job_abort(call),
            Judge::BlockRebase => self.judge_rebase(call),
            Judge::BlockCopy => self.judge_copy(call),
            Judge::SetMetadata => self.judge_metadata(call),
            Judge::FdAssociate => self.judge_descriptors(call),
            Judge::OpenChannel => self.judge_channel(call),
            Judge::OpenGraphics => self.judge_graphics(call),
            Judge::MigrateOut => self.judge_migration_out(call),
            Judge::MigrateIn => self.judge_migration_in(call),
            Judge::ToNative => self.judge_native(call),
            Judge::Capabilities => self.judge_capabilities(call),
            Judge::HostDevice => self.judge_host_device(call),
            Judge::CreateNetwork | Judge::DefineNetwork => self.judge_network(call),
            Judge::StartNetwork => self.judge_network_start(call),
            Judge::UpdateNetwork => self.judge_network_update(call),
            Judge::NetworkMetadata => self.judge_network_metadata(call),
            Judge::CreatePool | Judge::DefinePool => self.judge_pool(call),
            Judge::RefreshPool => self.judge_refresh(call),
            Judge::CreateVolume | Judge::CloneVolume => self.judge_volume(call),
            Judge::Upload | Judge::Download => self.judge_transfer(call),
        }
    }
}

/// Adds what the table says a call needs whatever it carries, should its judging function ever forget it.
fn at_least(judge: Judge, mut forward: Forward) -> Forward {
    let object = forward.needs.first().map_or(Object::Host, |need| need.object.clone());
    for right in judge.least() {
        if !forward.needs.iter().any(|need| need.right == *right) {
            forward.needs.push(need(*right, &object));
        }
    }
    forward
}

/// A function of Table 3 as a right.
const fn row(function: Function) -> Right {
    Right::Function(function)
}

/// A need on an object.
fn need(right: Right, object: &Object) -> Need {
    Need { right, object: object.clone() }
}

/// Needs of several rights on one object.
fn needs(rights: impl IntoIterator<Item = Right>, object: &Object) -> Vec<Need> {
    rights.into_iter().map(|right| need(right, object)).collect()
}

/// The rights that changes need, each once.
fn rights(changes: &[Change]) -> Vec<Right> {
    let mut rights: Vec<_> = changes.iter().map(|change| change.right).collect();
    rights.sort_unstable();
    rights.dedup();
    rights
}

/// What changes, in words for the record.
fn summary(changes: &[Change]) -> String {
    let mut lines: Vec<_> = changes.iter().map(|change| change.summary.as_str()).collect();
    lines.dedup();
    lines.join("; ")
}

/// Our own spelling of XML, as an argument.
fn spelled(element: &Element) -> Value<'static> {
    Value::Text(element.to_string().into())
}

/// The rights that set bits of `flags` add.
fn flagged(flags: u32, table: &[(u32, Right)]) -> Vec<Right> {
    table.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, right)| *right).collect()
}

impl Call<'_> {
    /// The low word of `flags`; 0 for calls that have none.
    fn flag_bits(&self) -> u32 {
        u32::try_from(self.arguments.flags() & u64::from(u32::MAX)).unwrap_or(u32::MAX)
    }

    /// A text that the call must have.
    fn required(&self, argument: &str) -> Result<&str, Fault> {
        let missing = || Fault::Failed(code::INVALID, format!("argument `{argument}` is missing"));
        self.arguments.text(argument).ok_or_else(missing)
    }

    /// A text among the typed parameters. One that comes twice is none at all: who knows which one counts.
    fn parameter(&self, name: &str) -> Result<Option<&str>, Fault> {
        let mut found = self.arguments.parameters().filter(|(known, _)| *known == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(Fault::Failed(code::INVALID, format!("parameter `{name}` comes twice")));
        }
        Ok(first.and_then(|(_, value)| value.as_text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_judgement_demands_less_than_the_table() {
        for judge in Judge::ALL {
            let forward = at_least(*judge, Forward::from(vec![need(Right::View, &Object::Host)]));
            let demanded: Vec<_> = forward.needs.iter().map(|need| need.right).collect();
            assert!(judge.least().iter().all(|right| demanded.contains(right)), "{judge:?}");
        }
        let start = at_least(Judge::Start, Forward::from(vec![need(row(Function::Start), &Object::Host)]));
        assert_eq!(start.needs.len(), 1, "what is demanded already is not demanded twice");
    }
}
