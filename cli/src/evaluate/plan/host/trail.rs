// SPDX-License-Identifier: Apache-2.0
//! Whether the trail is whole.

use std::path::Path;

use virtwarden_core::control::{Reply, Request};
use virtwarden_core::table3::Function;

use crate::client::{ask, unexpected};
use crate::evaluate::plan::host::Look;
use crate::evaluate::plan::host::reach::Reach;
use crate::exit::Failed;

/// Lets policyd verify it. A trail that was changed is one that somebody reached past every role.
pub(super) fn look(socket: &Path) -> Result<Look, Failed> {
    let Reply::Verification(found) = ask(socket, &Request::AuditVerify)? else { return Err(unexpected()) };
    let wrong =
        (found.code != 0).then(|| format!("the trail is not whole: {}", found.flaw.unwrap_or(found.verdict)));
    let reach = Reach::Both(&[Function::ManageAudit]);
    Ok(Look::new(
        reach,
        "Every record of the trail is as it was written.",
        "virtwarden audit verify",
        wrong.into_iter().collect(),
    ))
}
