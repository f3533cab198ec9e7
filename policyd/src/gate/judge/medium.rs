// SPDX-License-Identifier: Apache-2.0
//! A medium in a drive: the right to insert is not enough, the medium itself must be a permitted one.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::{Need, Right};
use virtwarden_core::xml::change::{Change, Medium, Source};

use super::{media, need};
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

impl Connection {
    /// What the media among the changes need as well. A medium that is in no library is for who may
    /// administer the VM; everybody else is told why not.
    pub(super) fn media_needs(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let mut needs = Vec::new();
        for (change, medium) in changes.iter().filter_map(|change| Some((change, change.medium.as_ref()?))) {
            let Err(why) = self.check_medium(medium) else { continue };
            let administer = need(Right::Administer, object);
            if !self.may(call, std::slice::from_ref(&administer)) {
                return Err(self.forbidden(call, &why, vec![need(change.right, object)]));
            }
            needs.push(administer);
        }
        Ok(needs)
    }

    fn check_medium(&self, medium: &Medium) -> Result<(), String> {
        match &medium.source {
            Source::Empty => Ok(()),
            Source::File { path, format } if format == "raw" => {
                let policy = self.gate.monitor.policy();
                media::check(path, policy.policy.media()).map_err(|error| error.to_string())
            }
            Source::File { path, format } => Err(format!(
                "`{path}` as `{format}` could lead to other files, only `raw` media are permitted"
            )),
            Source::Other(what) => Err(format!("{what} is not a file in a media library")),
        }
    }
}
