// SPDX-License-Identifier: Apache-2.0
//! A medium in a drive: the right to insert is not enough, the medium itself must be a permitted one.

use virtwarden_core::object::Object;
use virtwarden_core::policy::request::Need;
use virtwarden_core::xml::change::{Change, Medium, Source, Way};
use virtwarden_core::xml::reference::Reference;

use super::{media, need, needs as more};
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;

impl Connection {
    /// What the media among the changes need as well. What turns out to be none needs what it would need if
    /// nobody had taken it for one; who may not put it into a drive is told why not.
    pub(super) fn media_needs(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let mut needs = Vec::new();
        for (change, medium) in changes.iter().filter_map(|change| Some((change, change.medium.as_ref()?))) {
            let Err(why) = self.check_medium(medium) else { continue };
            let otherwise = more(medium.otherwise.iter().copied(), object);
            if matches!(medium.way, Way::Insert | Way::Eject) && !self.may(call, &otherwise) {
                return Err(self.forbidden(call, &why, vec![need(change.right, object)]));
            }
            needs.extend(otherwise);
        }
        Ok(needs)
    }

    fn check_medium(&self, medium: &Medium) -> Result<(), String> {
        match &medium.source {
            Source::Empty => match &medium.leaves {
                Some(there) if medium.way == Way::Disconnect && !matches!(there, Reference::Usb(_)) => {
                    Err(format!("{there} is not a file in a media library"))
                }
                Some(_) | None => Ok(()),
            },
            Source::File { path, format } if format == "raw" => {
                let policy = self.gate.monitor.policy();
                media::check(path, policy.policy.media()).map_err(|error| error.to_string())
            }
            Source::File { path, format } => Err(format!(
                "`{path}` as `{format}` could lead to other files, only `raw` media are permitted"
            )),
            Source::Block { path, .. } => Err(format!("`{path}` is not a file in a media library")),
            Source::Usb(usb) => Err(format!("USB device {usb} is not a file in a media library")),
            Source::Other(what) => Err(format!("{what} is not a file in a media library")),
        }
    }
}
