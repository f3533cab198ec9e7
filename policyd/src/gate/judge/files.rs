// SPDX-License-Identifier: Apache-2.0
//! What libvirtd knows of files: where volumes are, and what images build upon.

use virtwarden_core::policy::sharing::Channel;
use virtwarden_core::rpc::value::Value;
use virtwarden_core::xml::strict;
use virtwarden_core::xml::uses::{Access, Medium, Use};

use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

const STORAGE_POOL_LOOKUP_BY_NAME: u32 = 84;
const STORAGE_VOL_LOOKUP_BY_NAME: u32 = 95;
const STORAGE_VOL_LOOKUP_BY_PATH: u32 = 97;
const STORAGE_VOL_GET_XML_DESC: u32 = 99;
const STORAGE_VOL_GET_PATH: u32 = 100;
/// No chain that somebody works with is longer.
const LONGEST_CHAIN: usize = 64;

/// What an image builds upon.
pub(super) struct Below {
    /// The files, from above.
    pub(super) files: Vec<Use>,
    /// How far they lead.
    pub(super) end: End,
}

/// How far a chain was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// To its end.
    Reached,
    /// To something that no pool knows, or that is no file here.
    Lost,
}

/// What a file builds upon.
enum Next {
    On(String),
    Nothing,
    Unknown,
}

impl Connection {
    /// Volumes by their files, as far as libvirtd knows them.
    pub(super) fn located(&mut self, uses: Vec<Use>) -> Result<Vec<Use>, Fault> {
        let mut located = Vec::new();
        for usage in uses {
            let path = match &usage.medium {
                Some(Medium::Volume { pool, name }) => self.volume_path(pool, name)?,
                Some(Medium::Path(_) | Medium::Name(_)) | None => None,
            };
            located.push(match path {
                Some(path) => Use { medium: Some(Medium::Path(path)), ..usage },
                None => usage,
            });
        }
        Ok(located)
    }

    /// The same, with all that their images build upon.
    pub(super) fn located_with_chains(&mut self, uses: Vec<Use>) -> Result<Vec<Use>, Fault> {
        let mut all = self.located(uses)?;
        for usage in all.clone() {
            all.extend(self.below(&usage)?.files);
        }
        Ok(all)
    }

    /// The files that a disk's image builds upon, as far as libvirtd's pools know them: whoever attaches an
    /// image need not say.
    pub(super) fn below(&mut self, usage: &Use) -> Result<Below, Fault> {
        let mut files = Vec::new();
        let mut here = match (&usage.medium, usage.channel) {
            (Some(Medium::Path(path)), Channel::Disk) => path.clone(),
            // A volume of a pool that is not active, or a disk on the network: nobody here can look into it.
            (Some(Medium::Volume { .. } | Medium::Name(_)), Channel::Disk) => {
                return Ok(Below { files, end: End::Lost });
            }
            (Some(_) | None, _) => return Ok(Below { files, end: End::Reached }),
        };
        while files.len() < LONGEST_CHAIN {
            here = match self.backing_of(&here)? {
                Next::On(path) => path,
                Next::Nothing => return Ok(Below { files, end: End::Reached }),
                Next::Unknown => break,
            };
            files.push(Use {
                what: format!("{}, by way of `{here}`", usage.what),
                medium: Some(Medium::Path(here.clone())),
                access: Access::Reads,
                ..usage.clone()
            });
        }
        Ok(Below { files, end: End::Lost })
    }

    fn backing_of(&mut self, path: &str) -> Result<Next, Fault> {
        let path = [Value::Text(path.to_owned().into())];
        let Some(volume) = self.found(STORAGE_VOL_LOOKUP_BY_PATH, &path)? else { return Ok(Next::Unknown) };
        let Some(text) = self.found(STORAGE_VOL_GET_XML_DESC, &[volume, Value::Unsigned(0)])? else {
            return Ok(Next::Unknown);
        };
        let Ok(volume) = strict::parse(text.as_text().unwrap_or_default()) else { return Ok(Next::Unknown) };
        let below = volume.at(&["backingStore", "path"]).map(|path| path.text().trim().to_owned());
        Ok(below.map_or(Next::Nothing, Next::On))
    }

    fn volume_path(&mut self, pool: &str, name: &str) -> Result<Option<String>, Fault> {
        let pool = [Value::Text(pool.to_owned().into())];
        let Some(pool) = self.found(STORAGE_POOL_LOOKUP_BY_NAME, &pool)? else { return Ok(None) };
        let volume = [pool, Value::Text(name.to_owned().into())];
        let Some(volume) = self.found(STORAGE_VOL_LOOKUP_BY_NAME, &volume)? else { return Ok(None) };
        let path = self.found(STORAGE_VOL_GET_PATH, &[volume])?;
        Ok(path.and_then(|path| path.as_text().map(str::to_owned)))
    }

    /// The first field of an answer; none if there is no such thing.
    fn found(&mut self, number: u32, question: &[Value<'_>]) -> Result<Option<Value<'static>>, Fault> {
        let answer = match self.ask(number, question) {
            Err(Fault::Theirs(_)) => return Ok(None),
            answer => answer?,
        };
        let values = answer.values()?;
        Ok(values.first().cloned().map(crate::gate::listed::owned))
    }
}
