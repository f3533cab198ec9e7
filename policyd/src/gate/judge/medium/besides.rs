// SPDX-License-Identifier: Apache-2.0
//! What changes of media need besides row 21: what turns out to be no medium is judged as what it is.

use virtwarden_core::media::Id;
use virtwarden_core::object::Object;
use virtwarden_core::policy::request::Need;
use virtwarden_core::table3::Function;
use virtwarden_core::xml::change::{Change, Medium, Source, Way};
use virtwarden_core::xml::reference::Reference;

use super::JudgedMedia;
use crate::gate::call::Call;
use crate::gate::connection::Connection;
use crate::gate::fault::Fault;
use crate::gate::judge::{need, needs as all, row};
use crate::media::{Unclear, Wanted};

impl Connection {
    /// What changes of media need besides row 21. What turns out to be no medium needs what it would need if
    /// nobody had taken it for one; who may not put it into a drive is told why not.
    pub(in crate::gate::judge) fn media_needs(
        &self,
        call: &Call<'_>,
        changes: &[Change],
        judged: &JudgedMedia,
        object: &Object,
    ) -> Result<Vec<Need>, Fault> {
        let mut needs = Vec::new();
        if !judged.needs.is_empty() && !self.may(call, &judged.needs) {
            // He may connect nothing, so he is refused anyway.
            return Ok(needs);
        }
        for (change, medium) in changes.iter().filter_map(|change| Some((change, change.medium.as_ref()?))) {
            let Err(objection) = self.check_medium(medium, judged) else { continue };
            let otherwise = all(medium.otherwise.iter().copied(), object);
            let tell = match (medium.way, &objection) {
                (Way::Insert | Way::Eject, _) | (_, Objection::Absent(_)) => true,
                (Way::Connect | Way::Disconnect, Objection::Other(_)) => false,
            };
            if tell && !self.may(call, &otherwise) {
                return Err(self.forbidden(call, objection.text(), vec![need(change.right, object)]));
            }
            needs.extend(otherwise);
        }
        Ok(needs)
    }

    fn check_medium(&self, medium: &Medium, judged: &JudgedMedia) -> Result<(), Objection> {
        let other = |text: String| Err(Objection::Other(text));
        if let Some(unclear) = medium.source.reference().and_then(|there| judged.no_media.get(&there)) {
            return Err(match unclear {
                Unclear::Nothing(_) => Objection::Absent(unclear.to_string()),
                Unclear::NotRemovable(_) | Unclear::Several { .. } | Unclear::Unreadable(_) => {
                    Objection::Other(unclear.to_string())
                }
            });
        }
        let named = medium.source.reference();
        if let Some(there) = named.filter(|there| !judged.cleared.contains_key(there)) {
            return other(format!("{there} has not been judged"));
        }
        match &medium.source {
            Source::File { path, format } | Source::Block { path, format } if format != "raw" => other(
                format!("`{path}` as `{format}` could lead to other files, only `raw` media are permitted"),
            ),
            Source::File { .. } | Source::Block { .. } | Source::Usb(_) => Ok(()),
            Source::Other(what) => other(format!("{what} is not a file in a media library")),
            Source::Empty => match (&medium.leaves, medium.way) {
                (Some(there), Way::Disconnect) if self.identity(there).is_none() => {
                    other(format!("{there} is no removable medium"))
                }
                _ => Ok(()),
            },
        }
    }

    /// Which medium a VM has there; none if it is not one, or is not there any more.
    pub(super) fn identity(&self, reference: &Reference) -> Option<Id> {
        let policy = self.gate.monitor.policy();
        let found = self.gate.monitor.media().find(policy.policy.media(), &Wanted::of(reference)?);
        match (found, reference) {
            (Ok(medium), _) => Some(medium.id),
            // Whatever USB device it was, it was one.
            (Err(_), Reference::Usb(usb)) => Some(Id(format!("usb:{usb}"))),
            (Err(_), _) => None,
        }
    }

    /// Devices that are not there now cannot be judged before they come: that is for who decides on media.
    pub(in crate::gate::judge) fn needs_of_absent(judged: &JudgedMedia, object: &Object) -> Vec<Need> {
        let absent = |(reference, unclear): (&Reference, &Unclear)| {
            matches!((reference, unclear), (Reference::Usb(_), Unclear::Nothing(_)))
        };
        let absent = judged.no_media.iter().any(absent);
        absent.then(|| need(row(Function::MediaPolicy), object)).into_iter().collect()
    }
}

/// Why a change is no change of a medium.
enum Objection {
    /// There is no such thing.
    Absent(String),
    /// It is something else.
    Other(String),
}

impl Objection {
    fn text(&self) -> &str {
        match self {
            Objection::Absent(text) | Objection::Other(text) => text,
        }
    }
}
