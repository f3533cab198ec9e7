// SPDX-License-Identifier: Apache-2.0

use std::time::Duration;

use virtwarden_login::locked::{Locked, Until};
use virtwarden_login::{
    Answer, Change, Claim, Class, Factors, LONGEST_ACCOUNT, LONGEST_EXPOSED, LONGEST_FIELD, Proof, Question,
    Refusal, Span, Ticket,
};

use super::*;
use crate::login::{Notes, Tone};
use crate::monitor::{Asker, Locks, PATIENCE, Silence};
use crate::script::{Script, Step, alice, alice_afar, script};

const GO: Answer = Answer::Go { banner: None };
const AWAY: &str = "virtwarden-policyd cannot be reached: no such file";
const LATE: &str = "virtwarden-policyd did not answer in time";
const REMOTE: &str =
    "virtwarden-policyd does not answer: password logins over the network are refused until it does";

const LINES: [(Call, &str); 9] = [
    (Call::Authenticate, "begin"),
    (Call::Authenticate, "failed"),
    (Call::Authenticate, "passed"),
    (Call::Admit, ""),
    (Call::Open, ""),
    (Call::Close, ""),
    (Call::Change(Round::Preliminary), "wanted"),
    (Call::Change(Round::Update), "wanted"),
    (Call::Change(Round::Update), "done"),
];

fn run_as(scene: &mut Script, call: Call, line: &str, privilege: Privilege) -> Code {
    let words: Vec<Vec<u8>> = line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
    serve(call, &words, privilege, &mut scene.login, &scene.monitor)
}

fn run(scene: &mut Script, call: Call, line: &str) -> Code {
    run_as(scene, call, line, Privilege::Root)
}

fn begin(claim: &Claim) -> Question {
    Question::Authenticate(Phase::Begin, claim.clone())
}

fn passed(claim: &Claim) -> Question {
    Question::Authenticate(Phase::Passed, claim.clone())
}

fn ask(question: Question, answer: Answer) -> Step {
    Step::Ask(question, PATIENCE, Ok(answer))
}

fn away(question: Question) -> [Step; 2] {
    let why = Silence::Away("no such file".to_owned());
    [Step::Ask(question, PATIENCE, Err(why)), Step::Log(AWAY.to_owned())]
}

fn late(question: Question) -> [Step; 2] {
    [Step::Ask(question, PATIENCE, Err(Silence::Late)), Step::Log(LATE.to_owned())]
}

fn error(text: &str) -> Step {
    Step::Tell(Tone::Error, text.to_owned())
}

fn locked(until: Until) -> Step {
    Step::Locks(Locks::Known(vec![Locked { account: b"alice".to_vec(), class: Class::Local, until }]))
}

#[test]
fn a_login_with_a_right_password_goes_through_and_its_session_is_known() {
    let claim = alice();
    let factors = Factors { proof: Proof::Seen, exposed: Vec::new() };
    let mut scene = script(
        &claim,
        [
            ask(begin(&claim), Answer::Go { banner: Some("Authorised use only".to_owned()) }),
            Step::Warn("Authorised use only".to_owned()),
            ask(passed(&claim), GO),
            ask(Question::Admit(claim.clone(), Proof::Seen), GO),
            ask(Question::Open(claim.clone(), factors), Answer::Opened(Ticket(7))),
            ask(Question::Close(Ticket(7)), GO),
        ],
    );
    for (call, line) in [
        (Call::Authenticate, "begin"),
        (Call::Authenticate, "passed"),
        (Call::SetCredentials, "begin"),
        (Call::Admit, ""),
        (Call::Open, ""),
        (Call::Close, ""),
        (Call::Close, ""),
    ] {
        assert_eq!(run(&mut scene, call, line), Code::Ignore, "{call:?} {line}");
    }
    assert_eq!(scene.login.notes.ticket, None);
}

#[test]
fn a_key_login_has_no_proof_but_what_ssh_exposes() {
    let claim = alice_afar();
    let exposed = b"publickey ssh-ed25519 AAAA\n".to_vec();
    let factors = Factors { proof: Proof::Absent, exposed: exposed.clone() };
    let mut scene = script(
        &claim,
        [
            ask(Question::Admit(claim.clone(), Proof::Absent), GO),
            ask(Question::Open(claim.clone(), factors), Answer::Opened(Ticket(1))),
        ],
    );
    scene.login.exposed = exposed;
    assert_eq!(run(&mut scene, Call::Admit, ""), Code::Ignore);
    assert_eq!(run(&mut scene, Call::Open, ""), Code::Ignore);
}

#[test]
fn a_wrong_password_is_told_to_policyd_and_stays_wrong_whatever_it_answers() {
    let claim = alice();
    let question = || Question::Authenticate(Phase::Failed, claim.clone());
    let span = Some(Span::Seconds(540));
    let rows: [(Vec<Step>, &str); 5] = [
        (vec![ask(question(), GO)], "go"),
        (vec![ask(question(), Answer::Opened(Ticket(1)))], "opened"),
        (vec![ask(question(), Answer::Refuse(Refusal::Locked(None))), Step::Delay], "locked"),
        (
            vec![
                ask(question(), Answer::Refuse(Refusal::Locked(span))),
                error("this account is locked for another 9 minutes"),
                Step::Delay,
            ],
            "locked for a while",
        ),
        (away(question()).into(), "away"),
    ];
    for (steps, name) in rows {
        let mut scene = script(&claim, steps);
        assert_eq!(run(&mut scene, Call::Authenticate, "failed"), Code::AuthErr, "{name}");
        assert_eq!(scene.login.notes.proof, Proof::Absent, "{name}");
    }
}

#[test]
fn a_locked_account_is_told_before_it_is_asked_for_a_password() {
    let claim = alice_afar();
    let refusal = Answer::Refuse(Refusal::Locked(Some(Span::Open)));
    let told = error("this account is locked until an Administrator unlocks it");
    let mut scene = script(&claim, [ask(begin(&claim), refusal), told, Step::Delay]);
    assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::AuthErr);
}

#[test]
fn a_right_password_that_comes_after_the_lock_is_refused_like_a_wrong_one() {
    let claim = alice_afar();
    let refusal = Answer::Refuse(Refusal::Locked(Some(Span::Open)));
    let mut scene = script(&claim, [ask(passed(&claim), refusal), Step::Delay]);
    assert_eq!(run(&mut scene, Call::Authenticate, "passed"), Code::AuthErr);
    assert_eq!(scene.login.notes.proof, Proof::Absent);
}

#[test]
fn without_policyd_a_password_over_the_network_is_refused() {
    let claim = alice_afar();
    for (line, question) in [("begin", begin(&claim)), ("passed", passed(&claim))] {
        for silent in [away(question.clone()), late(question)] {
            let mut scene = script(&claim, silent.into_iter().chain([error(REMOTE), Step::Delay]));
            assert_eq!(run(&mut scene, Call::Authenticate, line), Code::AuthErr, "{line}");
            assert_eq!(scene.login.notes.proof, Proof::Absent, "{line}");
        }
    }
}

#[test]
fn without_policyd_a_password_at_the_machine_counts_unless_the_account_is_locked() {
    let claim = alice();
    let nobody = || Step::Locks(Locks::Known(Vec::new()));
    let damaged = || Step::Locks(Locks::Damaged("bad".to_owned()));
    let unable = || Step::Locks(Locks::Unable("too many open files".to_owned()));
    let by_system = || Step::Asker(Asker::System);
    let by_person = || Step::Asker(Asker::Person);
    let console = "it is not known who is locked; log in on the console";
    let damage = || Step::Log("it is not known who is locked: bad".to_owned());
    let limits = "virtwarden-policyd cannot be asked from this process; check its limits on descriptors";
    let busy = "virtwarden-policyd does not answer in time; try again, or log in on the console";
    let for_another = "this account is locked for another 9 minutes";
    let until_unlocked = "this account is locked until an Administrator unlocks it";
    let rows: Vec<(Vec<Step>, Option<&str>)> = vec![
        ([away(begin(&claim)).into(), vec![nobody()]].concat_steps(), None),
        ([away(begin(&claim)).into(), vec![locked(Until::Time(1000))]].concat_steps(), None),
        ([away(begin(&claim)).into(), vec![locked(Until::Time(1540))]].concat_steps(), Some(for_another)),
        ([away(begin(&claim)).into(), vec![locked(Until::Unlocked)]].concat_steps(), Some(until_unlocked)),
        ([away(begin(&claim)).into(), vec![damaged(), by_system(), damage()]].concat_steps(), None),
        ([away(begin(&claim)).into(), vec![damaged(), by_person(), damage()]].concat_steps(), Some(console)),
        ([away(begin(&claim)).into(), vec![unable()]].concat_steps(), Some(limits)),
        ([late(begin(&claim)).into(), vec![by_system(), nobody()]].concat_steps(), None),
        ([late(begin(&claim)).into(), vec![by_person()]].concat_steps(), Some(busy)),
    ];
    for (mut steps, told) in rows {
        steps.extend(told.map(error));
        steps.extend(told.map(|_| Step::Delay));
        let mut scene = script(&claim, steps);
        let expected = if told.is_some() { Code::AuthErr } else { Code::Ignore };
        assert_eq!(run(&mut scene, Call::Authenticate, "begin"), expected, "{told:?}");
    }
}

#[test]
fn a_service_that_a_person_drives_is_his() {
    let claim = Claim { service: b"virtwarden".to_vec(), ..alice() };
    let busy = "virtwarden-policyd does not answer in time; try again, or log in on the console";
    let mut scene = script(&claim, late(begin(&claim)).into_iter().chain([error(busy), Step::Delay]));
    assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::AuthErr);
}

/// Vectors of steps cannot be cloned, so `concat` does not fit.
trait ConcatSteps {
    fn concat_steps(self) -> Vec<Step>;
}

impl<const N: usize> ConcatSteps for [Vec<Step>; N] {
    fn concat_steps(self) -> Vec<Step> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn who_may_have_set_the_limits_gets_nothing_from_them() {
    let claim = alice();
    let cannot = |question| {
        let why = Silence::Unable("too many open files".to_owned());
        let text = "virtwarden-policyd cannot be asked from this process: too many open files";
        [Step::Ask(question, PATIENCE, Err(why)), Step::Log(text.to_owned())]
    };
    let told = error("virtwarden-policyd cannot be asked from this process; check its limits on descriptors");
    let steps = cannot(begin(&claim)).into_iter().chain([told, Step::Delay]);
    let mut scene = script(&claim, steps);
    assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::AuthErr);

    let mut scene = script(&claim, cannot(Question::Admit(claim.clone(), Proof::Absent)));
    assert_eq!(run(&mut scene, Call::Admit, ""), Code::PermDenied);
}

#[test]
fn without_policyd_a_key_login_goes_on_but_is_told_that_nobody_is_administrator() {
    let claim = alice_afar();
    let told = error("virtwarden-policyd does not know this session: nobody is an Administrator in it");
    let steps = away(Question::Admit(claim.clone(), Proof::Absent))
        .into_iter()
        .chain(away(Question::Open(claim.clone(), Factors::default())))
        .chain([told]);
    let mut scene = script(&claim, steps);
    assert_eq!(run(&mut scene, Call::Admit, ""), Code::Ignore);
    assert_eq!(run(&mut scene, Call::Open, ""), Code::Ignore);
    assert_eq!(run(&mut scene, Call::Close, ""), Code::Ignore);
}

#[test]
fn an_answer_to_another_question_is_none() {
    let claim = alice_afar();
    let log = || Step::Log("virtwarden-policyd answered nonsense: an answer to another question".to_owned());
    let opened = Answer::Opened(Ticket(1));
    let mut scene = script(&claim, [ask(begin(&claim), opened.clone()), log(), error(REMOTE), Step::Delay]);
    assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::AuthErr);

    let mut scene = script(&claim, [ask(Question::Admit(claim.clone(), Proof::Absent), opened), log()]);
    assert_eq!(run(&mut scene, Call::Admit, ""), Code::Ignore);
}

#[test]
fn a_refusal_holds_at_every_place() {
    let claim = alice();
    let no = || Answer::Refuse(Refusal::Because("not you".to_owned()));
    let open = Question::Open(claim.clone(), Factors::default());
    let wanted = Question::Credential(Change::Wanted, claim.clone());
    let rows = [
        (Call::Admit, "", Question::Admit(claim.clone(), Proof::Absent), Code::PermDenied),
        (Call::Open, "", open, Code::SessionErr),
        (Call::Change(Round::Preliminary), "wanted", wanted, Code::AuthtokErr),
    ];
    for (call, line, question, expected) in rows {
        let mut scene = script(&claim, [ask(question, no()), error("not you")]);
        assert_eq!(run(&mut scene, call, line), expected, "{call:?}");
    }
}

#[test]
fn a_name_that_no_account_can_have_is_recorded_and_refused() {
    let mut claim = alice();
    claim.account = vec![0xff; 65536];
    let cut = Claim { account: vec![0xff; LONGEST_FIELD], ..alice() };
    let mut scene = script(&claim, [ask(begin(&cut), GO), Step::Delay]);
    assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::AuthErr);
    let mut scene = script(&claim, [ask(passed(&cut), GO), Step::Delay]);
    assert_eq!(run(&mut scene, Call::Authenticate, "passed"), Code::AuthErr);
    assert_eq!(run(&mut scene, Call::Admit, ""), Code::PermDenied);

    claim.account = vec![b'a'; LONGEST_ACCOUNT];
    let mut scene = script(&claim, [ask(begin(&claim), GO)]);
    assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::Ignore);
}

#[test]
fn a_program_that_knows_no_account_gets_nothing() {
    let rows = [
        (Call::Authenticate, "begin", Code::ConvErr, Code::AuthErr),
        (Call::Authenticate, "passed", Code::Success, Code::AuthErr),
        (Call::Authenticate, "begin", Code::ConvAgain, Code::Incomplete),
        (Call::Admit, "", Code::BufErr, Code::PermDenied),
        (Call::Open, "", Code::BufErr, Code::SessionErr),
        (Call::Change(Round::Preliminary), "wanted", Code::BufErr, Code::AuthtokErr),
    ];
    for (call, line, error, expected) in rows {
        let mut scene = script(&alice(), []);
        scene.login.account = Err(error);
        assert_eq!(run(&mut scene, call, line), expected, "{call:?} {error:?}");
    }
}

#[test]
fn a_change_of_credentials_is_asked_for_first_and_told_last() {
    let claim = alice();
    let mut scene = script(
        &claim,
        [
            ask(Question::Credential(Change::Wanted, claim.clone()), GO),
            ask(Question::Credential(Change::Done, claim.clone()), GO),
        ],
    );
    for (round, line) in [
        (Round::Preliminary, "wanted"),
        (Round::Preliminary, "done"),
        (Round::Update, "wanted"),
        (Round::Update, "done"),
    ] {
        assert_eq!(run(&mut scene, Call::Change(round), line), Code::Ignore, "{round:?} {line}");
    }
}

#[test]
fn without_policyd_no_credential_is_changed() {
    let claim = alice();
    let told = "credentials cannot be changed: the change cannot be recorded while virtwarden-policyd does \
                not answer; see `systemctl status virtwarden-policyd`";
    let steps = away(Question::Credential(Change::Wanted, claim.clone())).into_iter().chain([error(told)]);
    let mut scene = script(&claim, steps);
    assert_eq!(run(&mut scene, Call::Change(Round::Preliminary), "wanted"), Code::AuthtokErr);
}

#[test]
fn a_program_without_privilege_gets_nothing_from_the_module_and_loses_nothing() {
    for (call, line) in LINES {
        let mut scene = script(&alice(), []);
        let expected = if line == "failed" { Code::AuthErr } else { Code::Ignore };
        assert_eq!(run_as(&mut scene, call, line, Privilege::None), expected, "{call:?} {line}");
    }
}

#[test]
fn a_line_that_is_not_understood_fails_with_a_word_in_the_log() {
    for privilege in [Privilege::Root, Privilege::None] {
        for (call, _) in LINES {
            let expected = match call {
                Call::Authenticate | Call::SetCredentials => {
                    "an auth line needs one argument: begin, failed or passed"
                }
                Call::Admit | Call::Open | Call::Close => "account and session lines take no argument",
                Call::Change(_) => "a password line needs one argument: wanted or done",
            };
            let mut scene = script(&alice(), [Step::Log(format!("{expected}; got `debug`"))]);
            assert_eq!(run_as(&mut scene, call, "debug", privilege), Code::ServiceErr, "{call:?}");
        }
    }
}

#[test]
fn after_one_long_wait_the_next_are_short() {
    let claim = alice();
    let short = Duration::from_millis(300);
    let rows = [(Duration::from_secs(59), short), (Duration::from_secs(60), PATIENCE)];
    for (later, patience) in rows {
        let ask = Step::Ask(Question::Admit(claim.clone(), Proof::Absent), patience, Ok(GO));
        let steps = late(begin(&claim)).into_iter().chain([
            Step::Asker(Asker::System),
            Step::Locks(Locks::Known(Vec::new())),
            ask,
        ]);
        let mut scene = script(&claim, steps);
        assert_eq!(run(&mut scene, Call::Authenticate, "begin"), Code::Ignore);
        scene.monitor.now += later;
        assert_eq!(run(&mut scene, Call::Admit, ""), Code::Ignore);
    }
}

#[test]
fn what_ssh_exposes_is_cut_at_the_end_of_a_line() {
    let claim = alice_afar();
    let line = [b"publickey ssh-rsa ".as_slice(), &[b'A'; 20_000], b"\n"].concat();
    for (exposed, kept) in [(line.repeat(2), line.clone()), (vec![b'A'; LONGEST_EXPOSED + 1], Vec::new())] {
        let factors = Factors { proof: Proof::Absent, exposed: kept };
        let mut scene = script(&claim, [ask(Question::Open(claim.clone(), factors), GO)]);
        scene.login.exposed = exposed;
        assert_eq!(run(&mut scene, Call::Open, ""), Code::Ignore);
        assert_eq!(scene.login.notes, Notes::default());
    }
}
