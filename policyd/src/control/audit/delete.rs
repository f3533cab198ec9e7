// SPDX-License-Identifier: Apache-2.0
//! `audit delete`: whole old segments, by who may manage the trail. FAU_STG.1: the authorised part goes, and only it.

use virtwarden_core::control::{Before, Failure, Mode, Reply, Request};
use virtwarden_core::object::Object;
use virtwarden_core::subject::Subject;
use virtwarden_core::trail::time::Time;

use super::super::Control;
use super::super::conclude::{conclude, prefix};
use super::super::failure::{failed, unavailable};
use crate::monitor::TO_MAKE_ROOM;

impl Control {
    /// Deletes old segments. A full trail still takes the record of it, for nothing else makes room.
    pub(in super::super) fn audit_delete(
        &self,
        subject: &Subject,
        request: &Request,
        before: Before,
        mode: Mode,
    ) -> Result<Reply, Failure> {
        let detail = format!("{}{}", prefix(mode), words(before));
        let attempt = self.begin_recorded(subject, request, &detail, &[Object::Trail], TO_MAKE_ROOM)?;
        let made = self.delete(subject, before, mode);
        conclude(attempt, made, mode)
    }

    fn delete(&self, subject: &Subject, before: Before, mode: Mode) -> Result<Vec<String>, Failure> {
        self.insist_on_a_whole_trail()?;
        let Some(removable) = self.archive.removable(before).map_err(unavailable)? else {
            return Ok(Vec::new());
        };
        if mode == Mode::Apply {
            let reason = format!("{}, audit delete", subject.person());
            self.archive.remove(&removable, &reason).map_err(unavailable)?;
        }
        Ok(vec![removable.to_string()])
    }

    /// Who deletes what somebody has tampered with deletes the evidence.
    fn insist_on_a_whole_trail(&self) -> Result<(), Failure> {
        let verification = self.archive.verify();
        if verification.code == 0 {
            return Ok(());
        }
        Err(failed(format!(
            "nothing is deleted: the trail is not whole ({}); keep a copy of it as evidence",
            verification.flaw.unwrap_or(verification.verdict)
        )))
    }
}

fn words(before: Before) -> String {
    match before {
        Before::Segment(number) => format!("before segment {number}"),
        Before::Time(time) => format!("before {}", Time::from_micros(time)),
    }
}
