// SPDX-License-Identifier: Apache-2.0
//! The evaluation that does it: two people who exist for its time perform, or attempt, every function in login sessions
//! of their own, on VMs that nobody misses.

mod authority;
mod deed;
mod deeds;
mod directory;
mod files;
mod interrupt;
mod machines;
mod made;
mod names;
mod people;
mod perform;
mod program;
mod receiver;
mod remains;
mod scenarios;
mod scene;
mod settings;
mod sshd;
mod stage;
mod state;
mod update;
mod watch;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};
use virtwarden_core::policy::Policy;
use virtwarden_core::table3::{Column, Function};

use self::deed::Deed;
use self::interrupt::Interrupt;
use self::made::Made;
use self::remains::Remains;
use self::scenarios::Hand;
use self::settings::Completion;
use self::stage::Stage;
use self::watch::Watch;
use crate::evaluate::report::{Cell, Claim, Door, Scenario, Step, Verdict};
use crate::exit::Failed;

const LOCK: &str = "/run/virtwarden-evaluate.lock";

/// What becomes of what the evaluation made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Afterwards {
    /// It is taken back.
    TakeBack,
    /// It stays for somebody who wants to look; a later run takes it back.
    Keep,
}

/// What a live evaluation needs to know.
pub(super) struct Wish<'w> {
    /// Where policyd listens.
    pub(super) socket: &'w Path,
    /// Only these rows; all if empty.
    pub(super) rows: &'w [Function],
    /// What becomes of what it made.
    pub(super) afterwards: Afterwards,
    /// Where it says what it is doing.
    pub(super) say: &'w dyn Fn(&str),
}

/// What came of it beside the cells.
pub(super) struct Played {
    /// Tests of the base profile.
    pub(super) scenarios: Vec<Scenario>,
    /// What could not be taken back.
    pub(super) leftovers: Vec<String>,
}

/// Plays it and adds to each cell what was done for it.
pub(super) fn play(wish: &Wish<'_>, policy: &Policy, cells: &mut [Cell]) -> Result<Played, Failed> {
    let _alone = lock()?;
    let mut leftovers = clear(wish);
    let before = Remains::now();
    let interrupt = Interrupt::hold_back()?;
    let mark = mark();
    let mut made = Made::begin(&mark, wish.socket)?;
    let played = Watch::begin(wish.socket).and_then(|watch| {
        let stage = scene::set(policy, &mut made, &mark, &interrupt, wish.say)?;
        deeds(wish, &stage, &watch, &mut made, cells)?;
        if !wish.rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut hand = Hand { stage: &stage, watch: &watch, made: &mut made, policy, socket: wish.socket };
        scenarios::play(&mut hand, wish.say)
    });
    match wish.afterwards {
        Afterwards::Keep => made.keep().iter().for_each(|kept| (wish.say)(kept)),
        Afterwards::TakeBack => {
            (wish.say)("taking everything back");
            leftovers.extend(made.take_all_back());
            leftovers.extend(before.compare(&Remains::now()));
        }
    }
    match played {
        Ok(scenarios) => Ok(Played { scenarios, leftovers }),
        Err(failed) if leftovers.is_empty() => Err(failed),
        Err(failed) => {
            Err(Failed { message: format!("{}\n{}", failed.message, leftovers.join("\n")), ..failed })
        }
    }
}

/// One evaluation at a time.
fn lock() -> Result<Flock<File>, Failed> {
    let trouble = |error: std::io::Error| Failed::error(format!("cannot open `{LOCK}`: {error}"));
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(LOCK);
    Flock::lock(opened.map_err(trouble)?, FlockArg::LockExclusiveNonblock)
        .map_err(|_| Failed::error("somebody else evaluates this host now; wait for him"))
}

/// Takes back what runs left that were killed.
fn clear(wish: &Wish<'_>) -> Vec<String> {
    let mut left = Vec::new();
    for mut earlier in Made::of_earlier_runs(wish.socket) {
        (wish.say)("taking back what an earlier evaluation left");
        left.extend(earlier.take_all_back());
    }
    left
}

/// Tells the names of this run from those of others.
fn mark() -> String {
    format!("{:x}", (crate::time::now() / 1000) % 0x0100_0000)
}

fn deeds(
    wish: &Wish<'_>,
    stage: &Stage<'_>,
    watch: &Watch,
    made: &mut Made,
    cells: &mut [Cell],
) -> Result<(), Failed> {
    for deed in deeds::all().filter(|deed| is_wished(deed, wish.rows)) {
        (wish.say)(&format!("row {}: {} {}", numbers(deed.rows), deed.who.word(), deed.what));
        for door in deed.doors {
            let step = one(wish, stage, watch, made, deed, *door)?;
            if stage.interrupt.has_arrived() {
                return Err(Failed::error("interrupted; everything is taken back"));
            }
            enter(deed, &step, cells);
        }
    }
    if wish.rows.is_empty() || wish.rows.contains(&Function::UpdateSystem) {
        (wish.say)("row 1: root installs a package that was verified, and not one that was not");
        let steps = update::perform(stage, watch, made)?;
        let concerned = |cell: &&mut Cell| {
            (cell.function, cell.column) == (Function::UpdateSystem, Column::Administrator)
        };
        cells.iter_mut().filter(concerned).for_each(|cell| cell.steps.extend(steps.clone()));
    }
    cells.iter_mut().for_each(judge);
    Ok(())
}

fn one(
    wish: &Wish<'_>,
    stage: &Stage<'_>,
    watch: &Watch,
    made: &mut Made,
    deed: &Deed,
    door: Door,
) -> Result<Step, Failed> {
    let Some(name) = deed.sets else {
        return Ok(perform::perform(stage, watch, deed, door, deed.command));
    };
    let Completion { dry, back, noted } = settings::prepare(name, made, wish.socket)?;
    let command = deed.command.replace("{dry}", dry).replace("{back}", &back);
    let mut step = perform::perform(stage, watch, deed, door, &command);
    if let Some(Err(why)) = noted.map(|noted| made.take_back(&noted)) {
        step.verdict = Verdict::fail(format!("it could not be taken back: {why}"));
    }
    Ok(step)
}

fn is_wished(deed: &Deed, rows: &[Function]) -> bool {
    rows.is_empty() || rows.iter().any(|row| deed.rows.contains(&row.number()))
}

fn numbers(rows: &[u8]) -> String {
    rows.iter().map(u8::to_string).collect::<Vec<_>>().join(", ")
}

fn enter(deed: &Deed, step: &Step, cells: &mut [Cell]) {
    let concerned = cells
        .iter_mut()
        .filter(|cell| cell.column == deed.who && deed.rows.contains(&cell.function.number()));
    concerned.for_each(|cell| cell.steps.push(step.clone()));
}

/// What policy and host look like is not enough here: a cell passes by what was done for it.
fn judge(cell: &mut Cell) {
    if matches!(cell.verdict, Verdict::Fail { .. }) || cell.claim == Claim::NotClaimed {
        return;
    }
    let played = |step: &&Step| !matches!(step.door, Door::Policy | Door::Host);
    let played: Vec<Step> = cell.steps.iter().filter(played).cloned().collect();
    cell.verdict = match (played.is_empty(), &cell.verdict) {
        (false, _) => Verdict::of(&played),
        (true, Verdict::NotExercised { .. }) => return,
        (true, Verdict::Pass | Verdict::Fail { .. }) => Verdict::not_exercised(unplayed(cell)),
    };
}

/// Why nothing was done for a cell.
fn unplayed(cell: &Cell) -> String {
    match cell.column {
        Column::Administrator => format!("no step performs {} yet", cell.function.slug()),
        Column::User => format!("no step attempts {} yet", cell.function.slug()),
    }
}
