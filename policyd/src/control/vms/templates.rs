// SPDX-License-Identifier: Apache-2.0
//! `vm templates`: what new VMs can be made from.

use virtwarden_core::control::{Failure, Reply, Request, TemplateRow};
use virtwarden_core::record::Outcome;
use virtwarden_core::subject::Subject;
use virtwarden_core::xml::template::placeholders;

use crate::control::Control;
use crate::templates;

impl Control {
    /// The templates, with what is wrong with any.
    pub(in crate::control) fn vm_templates(
        &self,
        subject: &Subject,
        request: &Request,
    ) -> Result<Reply, Failure> {
        let attempt = self.begin(subject, request, "")?;
        let default = self.default_template();
        let rows = templates::list(self.templates).into_iter().map(|(name, file)| {
            let read = templates::read(self.templates, &name);
            TemplateRow {
                default: default.as_deref() == Some(&name),
                file: file.display().to_string(),
                placeholders: read.iter().flat_map(placeholders).collect(),
                trouble: read.err(),
                name,
            }
        });
        let rows = rows.collect();
        attempt.finish(Outcome::Success, "");
        Ok(Reply::Templates(rows))
    }
}
