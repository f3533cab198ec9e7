// SPDX-License-Identifier: Apache-2.0
//! Where VMs are made on somebody's behalf: through the gate, which judges and records each step as his own.

use std::fmt;
use std::sync::Arc;

use virtwarden_core::control::{Failure, Mode};
use virtwarden_core::object::Vm;
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::writer::Writer;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::element::Element;

use crate::control::failure::{denied, failed, unavailable};
use crate::gate::Gate;
use crate::gate::errand::Errand;
use crate::gate::upstream::{Upstream, UpstreamError};

const DOMAIN_DEFINE_XML: u32 = 11;
const STORAGE_POOL_LOOKUP_BY_NAME: u32 = 84;
const STORAGE_VOL_CREATE_XML: u32 = 93;
const STORAGE_VOL_DELETE: u32 = 94;
/// Where disks of new VMs are made.
pub(super) const POOL: &str = "default";
/// libvirt's own bound for a string.
const TEXT: u32 = 4 << 20;

/// A disk that a new VM gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Its name in the pool.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Where the VM's definition expects its file.
    pub path: String,
}

/// What makes VMs.
pub trait Workshop: Send + Sync + fmt::Debug {
    /// Makes the disk, then the VM. What was done until a failure is undone.
    ///
    /// # Errors
    /// The caller may not, or it failed.
    fn make(
        &self,
        caller: &Subject,
        newcomer: &Vm,
        parts: (&Element, Option<&Disk>),
        mode: Mode,
    ) -> Result<(), Failure>;
}

impl Workshop for Arc<Gate> {
    fn make(
        &self,
        caller: &Subject,
        newcomer: &Vm,
        (definition, disk): (&Element, Option<&Disk>),
        mode: Mode,
    ) -> Result<(), Failure> {
        let errand = Errand { newcomer: newcomer.clone(), mode };
        let mut link = self.pass(caller, errand).map_err(told)?;
        let volume = disk.map(|disk| volume(&mut link, disk, mode)).transpose()?.flatten();
        let mut arguments = Writer::with_capacity(4096);
        arguments.text(&definition.to_string());
        let defined = link.call(DOMAIN_DEFINE_XML, arguments).map(drop).map_err(told);
        match (defined, volume) {
            (Err(failure), Some(volume)) => Err(discarded(&mut link, &volume, failure)),
            (defined, _) => defined,
        }
    }
}

/// A volume as libvirt names it: pool, name, key.
type Volume = (String, String, String);

/// Makes the disk; none where it is only judged.
fn volume(link: &mut Upstream, disk: &Disk, mode: Mode) -> Result<Option<Volume>, Failure> {
    let mut question = Writer::with_capacity(32);
    question.text(POOL);
    let pool = link.call(STORAGE_POOL_LOOKUP_BY_NAME, question).map_err(no_pool)?;
    let mut arguments = Writer::with_capacity(512);
    arguments.raw(&pool);
    arguments.text(&described(disk).to_string());
    arguments.u32(0);
    let answer = link.call(STORAGE_VOL_CREATE_XML, arguments).map_err(told)?;
    if mode == Mode::DryRun {
        return Ok(None);
    }
    let made = named(&answer).map_err(|error| told(error.into()))?;
    if made.2 == disk.path {
        return Ok(Some(made));
    }
    let elsewhere = format!(
        "pool `{POOL}` keeps its volumes elsewhere (`{}`) than the template looks for them (`{}`); use a pool on that \
         directory, or a template of your own in /etc/virtwarden/templates",
        made.2, disk.path
    );
    Err(discarded(link, &made, failed(elsewhere)))
}

fn described(disk: &Disk) -> Element {
    let text = |name: &str, text: &str| Element::new(name).saying(text);
    Element::new("volume")
        .holding(text("name", &disk.name))
        .holding(text("capacity", &disk.size.to_string()).with("unit", "bytes"))
        .holding(Element::new("target").holding(Element::new("format").with("type", "qcow2")))
}

fn named(answer: &[u8]) -> Result<Volume, XdrError> {
    let mut reader = Reader::new(answer);
    let mut text = || Ok::<_, XdrError>(String::from_utf8_lossy(reader.opaque(TEXT)?).into_owned());
    Ok((text()?, text()?, text()?))
}

/// A disk without its VM is nobody's.
fn discarded(link: &mut Upstream, (pool, name, key): &Volume, failure: Failure) -> Failure {
    let mut arguments = Writer::with_capacity(256);
    [pool, name, key].into_iter().for_each(|part| arguments.text(part));
    arguments.u32(0);
    match link.call(STORAGE_VOL_DELETE, arguments) {
        Ok(_) => failure,
        Err(error) => Failure {
            message: format!("{}; and its disk `{key}` is left: {error}", failure.message),
            ..failure
        },
    }
}

fn no_pool(error: UpstreamError) -> Failure {
    match error {
        UpstreamError::Refused(why) => failed(format!(
            "there is no pool `{POOL}` for its disk ({why}); an Administrator makes one: `virsh pool-define-as {POOL} dir \
             --target /var/lib/libvirt/images && virsh pool-start {POOL} && virsh pool-autostart {POOL}`"
        )),
        other @ (UpstreamError::Denied(_)
        | UpstreamError::Unreachable(_)
        | UpstreamError::Wire(_)
        | UpstreamError::Late
        | UpstreamError::Nonsense(_)) => told(other),
    }
}

/// The gate's answer in the words of the control socket.
fn told(error: UpstreamError) -> Failure {
    match error {
        UpstreamError::Denied(why) => denied(why),
        UpstreamError::Refused(why) => failed(why),
        UpstreamError::Unreachable(_)
        | UpstreamError::Wire(_)
        | UpstreamError::Late
        | UpstreamError::Nonsense(_) => unavailable(error.to_string()),
    }
}
