// SPDX-License-Identifier: Apache-2.0
//! A host that is broken on purpose, from outside the product: `virtwarden evaluate --plan` fails on exactly the cells that
//! no longer hold, with a reason that names the cause, and passes again once it is mended.
//!
//! What does not disturb each other is broken together. Each must be found in its own cells and nowhere else.

#[path = "mutations/table.rs"]
mod table;

use std::collections::BTreeSet;

use serde_json::Value;
use table::{Mutation, WAVES};
use virtwarden_core::table3::Function;
use virtwarden_tests::host::{Host, Ran};
use virtwarden_tests::narrator::{chapter, told};
use virtwarden_tests::scene::{alice, check};

/// Row and column, as a person says it: `user 5`.
type Cells = BTreeSet<String>;

/// Root in alice's login session, as an Administrator runs it.
const EVALUATE: &str = "echo alice-password | sudo -S -p '' virtwarden evaluate --plan --json";

/// What settings must be before they can be undermined.
const SET: &str = "virtwarden setting set password-policy minimum-length=12 classes=1 &&
    virtwarden setting set time-servers servers=192.0.2.2 &&
    virtwarden setting set tls-cryptography suite=profile &&
    virtwarden setting set certificate-validity action=refuse &&
    virtwarden banner set --file /tmp/mutations-banner.txt";
const UNSET: &str = "virtwarden setting unset password-policy; virtwarden setting unset time-servers; virtwarden setting unset tls-cryptography; virtwarden banner unset";
/// strongSwan, which the base has to hand, and how it goes: what is written for it last.
const STRONGSWAN: &str = "command -v swanctl > /dev/null ||
    DEBIAN_FRONTEND=noninteractive dpkg -i /usr/local/lib/testhost/packages/ipsec/*.deb > /dev/null 2>&1;
    systemctl stop virtwarden-settingsd.service 2> /dev/null; command -v swanctl";
const NO_STRONGSWAN: &str = "systemctl stop strongswan; DEBIAN_FRONTEND=noninteractive dpkg --purge $(
    for deb in /usr/local/lib/testhost/packages/ipsec/*.deb; do dpkg-deb -f $deb Package; done) > /dev/null 2>&1;
    ! command -v swanctl";
const NOTHING_FOR_IT: &str = "virtwarden setting set certificate-validity action=refuse; virtwarden setting unset certificate-validity";
const DICTIONARY: &str = "c=/etc/security/pwquality.conf; test -e /var/cache/cracklib/cracklib_dict.pwd ||
    grep -q '^dictcheck = 0' $c || echo 'dictcheck = 0' >> $c; systemctl reset-failed chrony; systemctl start chrony";

/// One evaluation, and how it ended.
struct Evaluation {
    code: i32,
    report: Value,
}

impl Evaluation {
    fn of(host: &Host) -> Result<Self, String> {
        let Ran { code, out, err } = host.login("alice", EVALUATE);
        // sudo shows the banner first.
        let json = out.find('{').and_then(|start| out.get(start..)).unwrap_or_default();
        let report =
            serde_json::from_str(json).map_err(|error| format!("exit code {code}: {error}: {err}"))?;
        Ok(Self { code, report })
    }

    fn cells(&self) -> impl Iterator<Item = &Value> {
        self.report.get("cells").and_then(Value::as_array).into_iter().flatten()
    }

    /// The cells that fail.
    fn failed(&self) -> Cells {
        self.cells().filter(|cell| fails(cell)).map(name).collect()
    }

    /// The cells in which a step fails and says this.
    fn blamed(&self, says: &str) -> Cells {
        let blames = |cell: &&Value| {
            let steps = cell.get("steps").and_then(Value::as_array).into_iter().flatten();
            steps.into_iter().any(|step| fails(step) && step.to_string().contains(says))
                || why(cell).contains(says)
        };
        self.cells().filter(blames).map(name).collect()
    }

    /// The cells that somebody looked at: what nothing carries cannot fail.
    fn exercised(&self) -> Cells {
        self.cells().filter(|cell| cell.pointer("/verdict/not-exercised").is_none()).map(name).collect()
    }

    /// The cells that were exercised and in which Users are refused.
    fn refused(&self) -> Cells {
        let refused = |cell: &&Value| {
            cell["column"] == "user"
                && cell["claim"] == "refused"
                && cell["verdict"].get("not-exercised").is_none()
        };
        self.cells().filter(refused).map(name).collect()
    }
}

fn fails(thing: &Value) -> bool {
    thing.pointer("/verdict/fail").is_some()
}

fn why(thing: &Value) -> &str {
    text(thing, "/verdict/fail/why")
}

fn text<'v>(thing: &'v Value, place: &str) -> &'v str {
    thing.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn name(cell: &Value) -> String {
    let slug = text(cell, "/function");
    let row = Function::from_slug(slug).map_or(0, Function::number);
    format!("{} {row}", text(cell, "/column"))
}

#[test]
#[ignore = "needs a test host: make stories"]
fn whatever_is_broken_is_found_in_its_own_cells_and_nowhere_else() -> Result<(), String> {
    let host = Host::of_this_run()?;
    check("dictionary", &host.root(DICTIONARY))?;
    check("banner", &host.write("/tmp/mutations-banner.txt", "Authorised people only."))?;
    check("strongSwan", &host.root(STRONGSWAN))?;
    check("settings", &alice(&host, SET))?;
    let played = WAVES.iter().try_for_each(|wave| play(&host, wave));
    check("settings", &alice(&host, UNSET))?;
    check("no strongSwan", &host.root(NO_STRONGSWAN))?;
    check("settings", &alice(&host, NOTHING_FOR_IT))?;
    check("no strongSwan", &host.root("rm -rf /etc/swanctl"))?;
    played
}

/// Green, broken, red in the right cells, mended, green again.
fn play(host: &Host, wave: &[Mutation]) -> Result<(), String> {
    chapter("broken on purpose, together");
    let green = Evaluation::of(host)?;
    must_be_green("before", &green)?;
    let broken = check("break", &host.root(&one_script(wave.iter().map(|one| (one.name, one.breaks())))));
    let red = broken.and_then(|()| Evaluation::of(host));
    let mended = host.root(&one_script(wave.iter().rev().map(|one| (one.name, one.mends()))));
    look(wave, &green, &red?)?;
    check("mend", &mended)?;
    must_be_green("after mending", &Evaluation::of(host)?)
}

/// All of them, each by itself, in one go; those that fail are named at the end.
fn one_script(steps: impl Iterator<Item = (&'static str, String)>) -> String {
    let step = |(name, script): (&str, String)| {
        format!("sh -c '{}' || failed=\"$failed; {name}\"\n", script.replace('\'', "'\\''"))
    };
    format!(
        "failed=\n{}test -z \"$failed\" || {{ echo \"$failed\"; exit 1; }}",
        steps.map(step).collect::<String>()
    )
}

fn must_be_green(when: &str, evaluation: &Evaluation) -> Result<(), String> {
    if evaluation.code == 0 && evaluation.failed().is_empty() {
        return Ok(());
    }
    let failed =
        evaluation.cells().filter(|cell| fails(cell)).map(|cell| format!("{}: {}", name(cell), why(cell)));
    Err(format!("{when}: exit code {}: {:#?}", evaluation.code, failed.collect::<Vec<_>>()))
}

fn look(wave: &[Mutation], green: &Evaluation, red: &Evaluation) -> Result<(), String> {
    let mut wrong = Vec::new();
    let mut expected = Cells::new();
    for mutation in wave {
        let cells: Cells =
            mutation.cells(&green.refused()).intersection(&green.exercised()).cloned().collect();
        let blamed = red.blamed(mutation.says);
        if blamed == cells {
            told("found", mutation.name, &format!("in {} cells", cells.len()));
        } else {
            wrong.push(format!("{}: `{}` in {blamed:?}, not in {cells:?}", mutation.name, mutation.says));
        }
        expected.extend(cells);
    }
    if red.failed() != expected {
        wrong.push(format!("together: failed {:?}, expected {expected:?}", red.failed()));
    }
    if red.code != 1 {
        wrong.push(format!("exit code {}", red.code));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
