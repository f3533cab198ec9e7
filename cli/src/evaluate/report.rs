// SPDX-License-Identifier: Apache-2.0
//! What an evaluation found: every cell of Table 3, what was done for it, and how it ended.
//!
//! Whoever prints or keeps an evaluation has nothing but this. Texts that a person, a guest or a program chose are in
//! it as they came: who shows them makes them harmless first.

use serde::{Deserialize, Serialize};
use virtwarden_core::table3::{Cell as Letter, Column, Function};
use virtwarden_core::trail::time::Time;

/// The version of this form.
pub(crate) const FORMAT: u32 = 1;

/// An evaluation of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Report {
    /// [`FORMAT`].
    pub(crate) format: u32,
    /// What was evaluated.
    pub(crate) product: String,
    /// When it was finished.
    pub(crate) made: Time,
    /// Where.
    pub(crate) host: HostFacts,
    /// How deep it looked.
    pub(crate) depth: Depth,
    /// Where the trail ended then, and which seal vouches for it; none where nobody could tell.
    pub(crate) trail: Option<TrailHead>,
    /// All 27 functions in the order of the table, each for the Administrator, then for the User.
    pub(crate) cells: Vec<Cell>,
    /// Tests of the base profile that belong to no row alone.
    pub(crate) scenarios: Vec<Scenario>,
    /// What the evaluation made and could not remove.
    pub(crate) leftovers: Vec<String>,
}

/// The host and the software on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct HostFacts {
    /// Its name.
    pub(crate) name: String,
    /// Its distribution, in its own words.
    pub(crate) debian: String,
    /// The release of its kernel.
    pub(crate) kernel: String,
    /// libvirt's version, as policyd heard it.
    pub(crate) libvirt: String,
    /// QEMU's version.
    pub(crate) qemu: String,
    /// Virtwarden's.
    pub(crate) virtwarden: String,
}

/// How deep an evaluation looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Depth {
    /// At policy and configuration; changes nothing.
    Plan,
    /// Every function is performed or attempted.
    Live,
}

/// The end of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct TrailHead {
    /// The sequence number of the last line.
    pub(crate) sequence: u64,
    /// Its hash.
    pub(crate) hash: String,
    /// The newest seal; none where nothing is sealed yet.
    pub(crate) sealed_by: Option<Seal>,
}

/// A checkpoint of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Seal {
    /// Everything up to this sequence number is sealed.
    pub(crate) through: u64,
    /// The key that signed, by its fingerprint.
    pub(crate) key: String,
    /// Its signature.
    pub(crate) signature: String,
}

/// One cell of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Cell {
    /// The row.
    pub(crate) function: Function,
    /// The column.
    pub(crate) column: Column,
    /// What the table says.
    pub(crate) table: Letter,
    /// What this host claims.
    pub(crate) claim: Claim,
    /// Whether it is so.
    pub(crate) verdict: Verdict,
    /// What was looked at or done.
    pub(crate) steps: Vec<Step>,
}

/// What a host claims of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Claim {
    /// Whoever holds the role performs the function.
    Performs,
    /// He is refused.
    Refused,
    /// Nothing on this host carries the function, or nobody says anything of it.
    NotClaimed,
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Verdict {
    /// As claimed.
    Pass,
    /// Not as claimed.
    Fail {
        /// What is wrong.
        why: String,
    },
    /// Nobody looked.
    NotExercised {
        /// Why not.
        why: String,
    },
}

/// One thing that was looked at or done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Step {
    /// What, in a sentence.
    pub(crate) what: String,
    /// The account that did it.
    pub(crate) who: String,
    /// By which way.
    pub(crate) door: Door,
    /// The command, as it could be typed; empty where there was none.
    pub(crate) command: String,
    /// How it exited; none if it did not run or was ended.
    pub(crate) exit: Option<i32>,
    /// What it printed, or as much of it as there is room for.
    pub(crate) output: String,
    /// What the attempt could have changed.
    pub(crate) state: State,
    /// What the trail says of it.
    pub(crate) records: Vec<RecordLine>,
    /// Whether this step was as it must be.
    pub(crate) verdict: Verdict,
}

/// The ways by which a function can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Door {
    /// libvirt's socket.
    LibvirtSocket,
    /// libvirt's read-only socket.
    ReadOnlySocket,
    /// A libvirt daemon of the person's own.
    SessionDaemon,
    /// policyd's socket, by the command `virtwarden`.
    ControlSocket,
    /// The host's files.
    File,
    /// A login over ssh.
    Ssh,
    /// The emulator itself.
    Emulator,
    /// libvirt's hook.
    Hook,
    /// The policy's own answer.
    Policy,
    /// The host's programs and units as they are set up.
    Host,
}

/// What an attempt did to what it could have changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum State {
    /// Nothing was compared.
    NotCompared,
    /// Compared before and after: the same.
    Unchanged {
        /// What was compared.
        of: String,
    },
    /// Compared before and after: different.
    Changed {
        /// What was compared.
        of: String,
        /// What is different.
        how: String,
    },
}

/// A line of the trail that belongs to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct RecordLine {
    /// Its place in the trail.
    pub(crate) sequence: u64,
    /// What it says, on one line.
    pub(crate) text: String,
}

/// A test of the base profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Scenario {
    /// Its name: `AFL-1`.
    pub(crate) id: String,
    /// The requirement that it tests: `FIA_AFL_EXT.1`.
    pub(crate) requirement: String,
    /// What it shows, in a sentence.
    pub(crate) title: String,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// What was done.
    pub(crate) steps: Vec<Step>,
}

/// How many ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) pass: usize,
    pub(crate) fail: usize,
    pub(crate) not_exercised: usize,
}

impl Report {
    /// Whether anything is not as claimed.
    pub(crate) fn fails(&self) -> bool {
        self.cell_counts().fail + self.scenario_counts().fail > 0
    }

    /// How the cells ended.
    pub(crate) fn cell_counts(&self) -> Counts {
        Counts::of(self.cells.iter().map(|cell| &cell.verdict))
    }

    /// How the scenarios ended.
    pub(crate) fn scenario_counts(&self) -> Counts {
        Counts::of(self.scenarios.iter().map(|scenario| &scenario.verdict))
    }
}

impl Counts {
    fn of<'v>(verdicts: impl Iterator<Item = &'v Verdict>) -> Self {
        verdicts.fold(Self::default(), |mut counts, verdict| {
            match verdict {
                Verdict::Pass => counts.pass += 1,
                Verdict::Fail { .. } => counts.fail += 1,
                Verdict::NotExercised { .. } => counts.not_exercised += 1,
            }
            counts
        })
    }
}

impl Verdict {
    /// Not as claimed.
    pub(crate) fn fail(why: impl Into<String>) -> Self {
        Self::Fail { why: why.into() }
    }

    /// Nobody looked.
    pub(crate) fn not_exercised(why: impl Into<String>) -> Self {
        Self::NotExercised { why: why.into() }
    }

    /// What all steps come to: one that fails is enough, one that passed is needed.
    pub(crate) fn of(steps: &[Step]) -> Self {
        let fails = steps.iter().find(|step| matches!(step.verdict, Self::Fail { .. }));
        let passes = || steps.iter().find(|step| step.verdict == Self::Pass);
        let deciding = fails.or_else(passes).or_else(|| steps.first());
        deciding.map_or_else(|| Self::not_exercised("nothing was looked at"), |step| step.verdict.clone())
    }

    /// One word for it.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail { .. } => "FAIL",
            Self::NotExercised { .. } => "not exercised",
        }
    }

    /// What is to be said beside the word; empty for a pass.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Fail { why } | Self::NotExercised { why } => why,
        }
    }
}

impl Claim {
    /// What is claimed, in a word or two.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Performs => "performs",
            Self::Refused => "is refused",
            Self::NotClaimed => "not claimed",
        }
    }
}

impl Door {
    /// The way, in words.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::LibvirtSocket => "libvirt socket",
            Self::ReadOnlySocket => "read-only socket",
            Self::SessionDaemon => "session daemon",
            Self::ControlSocket => "control socket",
            Self::File => "file",
            Self::Ssh => "ssh",
            Self::Emulator => "emulator",
            Self::Hook => "hook",
            Self::Policy => "policy",
            Self::Host => "host",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(verdict: Verdict) -> Step {
        Step {
            what: "something".into(),
            who: "root".into(),
            door: Door::Policy,
            command: String::new(),
            exit: None,
            output: String::new(),
            state: State::NotCompared,
            records: Vec::new(),
            verdict,
        }
    }

    #[test]
    fn one_step_that_fails_is_enough_and_one_that_passed_is_needed() {
        let (pass, fail, none) = (Verdict::Pass, Verdict::fail("wrong"), Verdict::not_exercised("no device"));
        let of = |verdicts: &[&Verdict]| {
            Verdict::of(&verdicts.iter().map(|verdict| step((*verdict).clone())).collect::<Vec<_>>())
        };
        assert_eq!(of(&[&pass, &fail, &none]), fail);
        assert_eq!(of(&[&none, &pass]), pass);
        assert_eq!(of(&[&none]), none);
        assert_eq!(of(&[]), Verdict::not_exercised("nothing was looked at"));
    }

    #[test]
    fn a_report_reads_back_as_written_and_a_foreign_field_does_not() {
        let report = Report {
            format: FORMAT,
            product: "Virtwarden".into(),
            made: Time::from_micros(1),
            host: HostFacts::default(),
            depth: Depth::Plan,
            trail: Some(TrailHead { sequence: 1, hash: "00".into(), sealed_by: None }),
            cells: vec![Cell {
                function: Function::Start,
                column: Column::User,
                table: Letter::Optional,
                claim: Claim::Performs,
                verdict: Verdict::not_exercised("later"),
                steps: vec![step(Verdict::Pass)],
            }],
            scenarios: Vec::new(),
            leftovers: Vec::new(),
        };
        let text = serde_json::to_string(&report).unwrap();
        assert!(
            text.contains(r#""sealed-by":null"#) && text.contains(r#"{"not-exercised":{"why":"later"}}"#),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        assert!(
            serde_json::from_str::<Report>(&text.replacen("\"format\"", "\"more\":1,\"format\"", 1)).is_err()
        );
    }
}
