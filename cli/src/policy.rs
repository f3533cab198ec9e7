// SPDX-License-Identifier: Apache-2.0
//! `virtwarden policy`.

mod check;
mod files;
mod guarded;
mod rollback;
mod simulate;

use std::path::Path;
use std::process::ExitCode;

use virtwarden_core::control::{ObjectName, PolicyText, Reply, Request, Verdict};
use virtwarden_core::policy::request::Right;

pub(crate) use self::check::{information_domains, on_disk};
use crate::arguments::{ExplainArguments, PolicyVerb};
use crate::client::{ask, unexpected};
use crate::exit::{Exit, Failed};
use crate::output::{Format, Output, listed};
use crate::time;
use crate::vm::print_change;

/// Does what the verb says.
pub(crate) fn run(verb: &PolicyVerb, socket: &Path, output: &Output) -> Result<ExitCode, Failed> {
    match verb {
        PolicyVerb::Check { directory } => check::check(directory.as_deref(), output)?,
        PolicyVerb::Show => show(socket, output)?,
        PolicyVerb::Diff { files } => {
            let files = files::read(files)?;
            reload(&Request::PolicyDiff { files: files.clone() }, socket, output)?;
            check::remark_hidden(&files, output)?;
        }
        PolicyVerb::Simulate { files, since } => {
            let files = files::read(files)?;
            simulate::simulate(files.clone(), since.first(time::now()), socket, output)?;
            check::remark_hidden(&files, output)?;
        }
        PolicyVerb::Rollback { number: None, .. } => rollback::list(socket, output)?,
        PolicyVerb::Rollback { number: Some(number), change } => {
            rollback::go_back(*number, change.mode(), socket, output)?;
        }
        PolicyVerb::Explain(question) => return explain(question, socket, output),
        PolicyVerb::Reload { revert_after: None, change } => {
            reload(&Request::PolicyReload { mode: change.mode() }, socket, output)?;
            check::remark_hidden(&[], output)?;
        }
        PolicyVerb::Reload { revert_after: Some(seconds), .. } => {
            reload(&Request::PolicyTry { seconds: *seconds }, socket, output)?;
            output
                .remark(&format!("type `virtwarden policy confirm` within {seconds} seconds to keep it"))?;
        }
        PolicyVerb::Confirm => reload(&Request::PolicyConfirm, socket, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Policy(policy) = ask(socket, &Request::PolicyShow)? else { return Err(unexpected()) };
    match output.format() {
        Format::Json => output.json(&policy),
        Format::Table | Format::Rows => print(&policy, output),
    }
}

fn print(policy: &PolicyText, output: &Output) -> Result<(), Failed> {
    policy.files.iter().try_for_each(|file| {
        output.remark(&format!("# {}", file.path))?;
        output.lines(&file.text)
    })
}

fn reload(request: &Request, socket: &Path, output: &Output) -> Result<(), Failed> {
    let Reply::Changed(change) = ask(socket, request)? else {
        return Err(unexpected());
    };
    print_change(&change, output)
}

/// The exit code is the policy's answer, for scripts: 0 allowed, 3 denied.
fn explain(question: &ExplainArguments, socket: &Path, output: &Output) -> Result<ExitCode, Failed> {
    let ExplainArguments { user, right, object } = question.clone();
    let object = match object {
        Some(object) => object,
        None if is_done_to_a_vm(right) => {
            let word = right.word();
            return Err(Failed::usage(format!("`{word}` is done to a VM: say to which, by `vm/NAME`")));
        }
        None => ObjectName::Host,
    };
    let Reply::Explanation(explanation) = ask(socket, &Request::PolicyExplain { user, right, object })?
    else {
        return Err(unexpected());
    };
    let (word, code) = match explanation.verdict {
        Verdict::Allowed => ("allowed", ExitCode::SUCCESS),
        Verdict::Denied => ("denied", ExitCode::from(Exit::Denied as u8)),
    };
    if output.format() == Format::Json {
        output.json(&explanation)?;
        return Ok(code);
    }
    output.line(word)?;
    output.remark(&format!("roles of {}: {}", question.user, listed(&explanation.roles)))?;
    explanation.reasons.iter().try_for_each(|reason| output.remark(reason))?;
    Ok(code)
}

/// Whoever may do this may do it to some VMs: that he may at all answers nobody's question.
const fn is_done_to_a_vm(right: Right) -> bool {
    match right {
        Right::Function(function) => function.operates_a_vm(),
        Right::Operate | Right::Guest => true,
        Right::View | Right::Administer | Right::Review | Right::Raw => false,
    }
}
