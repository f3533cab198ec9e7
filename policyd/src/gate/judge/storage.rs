// SPDX-License-Identifier: Apache-2.0
//! Pools and volumes: a pool turns a place of the host into disks, a volume's content is a VM's or a device's.

use virtwarden_core::media::library;
use virtwarden_core::object::{Object, Uuid};
use virtwarden_core::policy::request::Right;
use virtwarden_core::rpc::handle::{Handle, HandleKind};
use virtwarden_core::rpc::rule::{Judge, Rule};
use virtwarden_core::rpc::value::Value;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::storage::{PoolDefinition, VolumeDefinition, pool_changes, volume_changes};

use super::{need, needs, rights, row, spelled, summary};
use crate::gate::call::{Call, Forward};
use crate::gate::connection::Connection;
use crate::gate::fault::{Fault, code};

const STORAGE_POOL_LOOKUP_BY_NAME: u32 = 84;
const STORAGE_POOL_GET_XML_DESC: u32 = 88;

impl Connection {
    /// STORAGE_POOL_DEFINE_XML and STORAGE_POOL_CREATE_XML: Administer, and 7 or 8 by its kind.
    pub(super) fn judge_pool(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let read = PoolDefinition::parse(call.required("xml")?);
        let proposed = read.map_err(|error| self.unreadable(call, &error))?;
        let object = Object::Pool(proposed.name().to_owned());
        let changes = pool_changes(None, &proposed);
        let wanted = [Right::Administer].into_iter().chain(rights(&changes));
        let replaced = vec![("xml", spelled(proposed.root()))];
        Ok(Forward { detail: summary(&changes), replaced, ..Forward::from(needs(wanted, &object)) })
    }

    /// STORAGE_POOL_REFRESH: whoever may connect media may look again which there are.
    pub(super) fn judge_refresh(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (pool, replaced) = self.object_of_named(call)?;
        let Object::Pool(name) = &pool else { return Err(no_pool()) };
        let function =
            if library::is_pool(name) { Function::ConnectRemovable } else { Function::ConfigureVms };
        Ok(Forward { replaced, ..Forward::from(needs([row(function)], &pool)) })
    }

    /// STORAGE_VOL_CREATE_XML and STORAGE_VOL_CREATE_XML_FROM: 3, what the volume builds on, and for a
    /// clone the other volume, whose content comes along.
    pub(super) fn judge_volume(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (pool, mut replaced) = self.object_of_named(call)?;
        let Object::Pool(pool) = pool else { return Err(no_pool()) };
        let read = VolumeDefinition::parse(call.required("xml")?);
        let volume = read.map_err(|error| self.unreadable(call, &error))?;
        let object = Object::Volume { pool: pool.clone(), name: volume.name().to_owned() };
        let changes = volume_changes(&volume);
        let mut needed = needs(rights(&changes), &object);
        if let Some(Handle::Volume { pool, name }) = call.arguments.handle_in("clonevol") {
            let source = Object::Volume { pool: pool.to_owned(), name: name.to_owned() };
            needed.extend(needs([row(Function::ConfigureVms), row(Function::ConfigureSharing)], &source));
        }
        if let Some(Handle::Volume { pool, name }) = call.arguments.handle_in("clonevol") {
            self.insist_on_no_sensitive_disk(call, (pool, name), &needed)?;
        }
        if self.may(call, &needed) && self.is_physical(&pool)? {
            needed.push(need(row(Function::ConfigureDevices), &object));
        }
        replaced.push(("xml", spelled(volume.root())));
        Ok(Forward { detail: summary(&changes), replaced, ..Forward::from(needed) })
    }

    /// STORAGE_VOL_UPLOAD and STORAGE_VOL_DOWNLOAD: 3 for writing, 3 and 8 for taking the content away.
    pub(super) fn judge_transfer(&mut self, call: &Call<'_>) -> Result<Forward, Fault> {
        let (object, replaced) = self.object_of_named(call)?;
        let Object::Volume { pool, name } = &object else { return Err(no_pool()) };
        let mut needed = needs([row(Function::ConfigureVms)], &object);
        if call.procedure.rule == Rule::Judged(Judge::Download) {
            needed.push(need(row(Function::ConfigureSharing), &object));
            self.insist_on_no_sensitive_disk(call, (pool, name), &needed)?;
        }
        if self.may(call, &needed) && self.is_physical(pool)? {
            needed.push(need(row(Function::ConfigureDevices), &object));
        }
        Ok(Forward { replaced, ..Forward::from(needed) })
    }

    /// Whether a pool's volumes are devices. What we do not understand is taken for one.
    fn is_physical(&mut self, pool: &str) -> Result<bool, Fault> {
        let answer = self.ask(STORAGE_POOL_LOOKUP_BY_NAME, &[Value::Text(pool.to_owned().into())])?;
        let values = answer.values()?;
        let found = values.first().and_then(|value| Handle::from_value(HandleKind::Pool, value));
        let Some(Handle::Pool(found)) = found else { return Err(no_pool()) };
        let text = self.pool_xml(found.name, found.uuid)?;
        Ok(PoolDefinition::parse(text).map_or(true, |pool| pool.is_physical()))
    }

    fn pool_xml(&mut self, name: &str, uuid: Uuid) -> Result<String, Fault> {
        let handle = Value::Record(vec![Value::Text(name.to_owned().into()), Value::Uuid(uuid)]);
        self.ask(STORAGE_POOL_GET_XML_DESC, &[handle, Value::Unsigned(0)])?.text("xml")
    }
}

fn no_pool() -> Fault {
    Fault::Failed(code::INVALID, "the call names no pool".to_owned())
}
