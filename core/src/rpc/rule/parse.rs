// SPDX-License-Identifier: Apache-2.0
//! Reads the rule column of `procedures.tsv`.
//!
//! `RULE; flags MASK; if ARGUMENT&MASK RIGHTS; check NAME`, the parts behind the rule being optional.
//! Rights are joined by `+`; a number is a row of Table 3.

use crate::policy::request::Right;
use crate::rpc::handle::HandleKind;
use crate::rpc::rule::{Check, Condition, Form, Judge, Listed, On, Own, Recast, Rule};
use crate::table3::Function;

/// A whole rule column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rpc) struct Column {
    pub(in crate::rpc) rule: Rule,
    pub(in crate::rpc) known_flags: Option<u32>,
    pub(in crate::rpc) conditions: &'static [Condition],
    pub(in crate::rpc) check: Option<Check>,
}

impl Column {
    /// Reads the column. None if any part of it is not understood.
    pub(in crate::rpc) fn parse(text: &'static str) -> Option<Self> {
        let mut parts = text.split("; ");
        let mut column = Self { rule: rule(parts.next()?)?, known_flags: None, conditions: &[], check: None };
        let mut conditions = Vec::new();
        for part in parts {
            match part.split_once(' ')? {
                ("flags", mask) => column.known_flags = Some(mask.parse().ok()?),
                ("if", text) => conditions.push(condition(text)?),
                ("check", text) => column.check = Some(check(text)?),
                _ => return None,
            }
        }
        column.conditions = Vec::leak(conditions);
        Some(column)
    }
}

fn rule(text: &'static str) -> Option<Rule> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match word {
        "own" => Rule::Own(own(rest)?),
        "describe" => Rule::Describe { secret_flags: rest.parse().ok()? },
        "list" => Rule::List(listed(rest)?),
        "recast" => Rule::Recast(recast(rest)?),
        "lookup" => Rule::Lookup(kind(rest)?),
        "judge" => Rule::Judged(Judge::ALL.iter().copied().find(|judge| judge.word() == rest)?),
        "register" => {
            let (object, right) = rest.split_once(' ')?;
            Rule::Register { on: on(object)?, right: self::right(right)? }
        }
        "deregister" if rest.is_empty() => Rule::Deregister,
        "event" => Rule::Event(on(rest)?),
        "closed" if rest.is_empty() => Rule::Closed,
        "refused" if !rest.is_empty() => Rule::Refused(rest),
        object => Rule::Needs { on: on(object)?, rights: rights(rest)? },
    })
}

fn on(word: &str) -> Option<On> {
    match word {
        "host" => Some(On::Host),
        "network" => Some(On::Network),
        other => kind(other).map(HandleKind::object),
    }
}

fn kind(word: &str) -> Option<HandleKind> {
    Some(match word {
        "vm" => HandleKind::Vm,
        "network" => HandleKind::Network,
        "port" => HandleKind::Port,
        "filter" => HandleKind::Filter,
        "binding" => HandleKind::Binding,
        "interface" => HandleKind::Interface,
        "pool" => HandleKind::Pool,
        "volume" => HandleKind::Volume,
        "device" => HandleKind::Device,
        "secret" => HandleKind::Secret,
        _ => return None,
    })
}

fn rights(text: &str) -> Option<&'static [Right]> {
    let rights = text.split('+').map(right).collect::<Option<Vec<_>>>()?;
    Some(Vec::leak(rights))
}

fn right(word: &str) -> Option<Right> {
    Some(match word {
        "view" => Right::View,
        "operate" => Right::Operate,
        "guest" => Right::Guest,
        "admin" => Right::Administer,
        "raw" => Right::Raw,
        row => Right::Function(Function::from_number(row.parse().ok()?)?),
    })
}

fn condition(text: &'static str) -> Option<Condition> {
    let (test, rights) = text.split_once(' ')?;
    let (argument, mask) = test.split_once('&')?;
    Some(Condition { argument, mask: mask.parse().ok()?, rights: self::rights(rights)? })
}

fn check(word: &str) -> Option<Check> {
    match word {
        "cpu" => Some(Check::CpuXml),
        "pages" => Some(Check::Pages),
        _ => None,
    }
}

fn own(word: &str) -> Option<Own> {
    Some(match word {
        "open" => Own::Open,
        "close" => Own::Close,
        "auth-list" => Own::AuthList,
        "sasl-init" => Own::SaslInit,
        "sasl-start" => Own::SaslStart,
        "sasl-step" => Own::SaslStep,
        "polkit" => Own::Polkit,
        "feature" => Own::Feature,
        "uri" => Own::Uri,
        "secure" => Own::Secure,
        "close-callback" => Own::CloseCallback,
        "identity" => Own::Identity,
        _ => return None,
    })
}

fn listed(word: &str) -> Option<Listed> {
    match word {
        "stats" => Some(Listed::Stats),
        "lease" => Some(Listed::Leases),
        other => kind(other).map(Listed::Handles),
    }
}

fn recast(text: &str) -> Option<Recast> {
    let mut words = text.split(' ');
    let (call, flags) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let form = match words.next()? {
        "count" => Form::Count,
        "names" => Form::Names,
        "uuids" => Form::Uuids,
        "ids" => Form::Ids,
        _ => return None,
    };
    words.next().is_none().then_some(Recast { call, flags, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_with_all_its_parts() {
        let column = Column::parse("vm 22+23; flags 31; if flags&2 guest; check pages").unwrap();
        let rights = const { &[Right::Function(Function::Start), Right::Function(Function::Stop)] };
        assert_eq!(column.rule, Rule::Needs { on: On::Vm, rights });
        assert_eq!(column.known_flags, Some(31));
        assert_eq!(column.conditions, [Condition { argument: "flags", mask: 2, rights: &[Right::Guest] }]);
        assert_eq!(column.check, Some(Check::Pages));
    }

    #[test]
    fn what_is_not_understood_is_no_rule() {
        for text in [
            "",
            "vm",
            "vm ",
            "vm 28",
            "vm 0",
            "vm 22+",
            "vm root",
            "moon view",
            "vm view;flags 1",
            "vm view; flags x",
            "vm view; if flags guest",
            "vm view; sometimes",
            "own",
            "own everything",
            "list",
            "recast 1 2",
            "recast 1 2 names more",
            "judge fairly",
            "event",
            "refused",
            "closed now",
            "register vm",
            "vm view; ",
        ] {
            assert_eq!(Column::parse(text), None, "{text}");
        }
    }
}
