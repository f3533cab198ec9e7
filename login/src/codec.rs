// SPDX-License-Identifier: Apache-2.0
//! Messages to bytes and back: a version, a tag, the parts in order.

use crate::claim::{Claim, LONGEST_FIELD};
use crate::cursor::{Reader, Writer};
use crate::fault::Fault;
use crate::message::{
    Answer, Change, Factors, LONGEST_EXPOSED, LONGEST_REASON, LONGEST_TEXT, Phase, Proof, Question, Refusal,
    Span, Ticket,
};

/// Both ends are installed together, so another version is refused rather than guessed at. A login program
/// that was started before an upgrade still has the old module: it hears an error and acts as if policyd
/// were away.
const VERSION: u8 = 1;

/// What can be put on the wire.
pub trait Message: Sized {
    /// To bytes.
    ///
    /// # Errors
    /// A field is over its limit, or a text is not plain.
    fn encode(&self) -> Result<Vec<u8>, Fault>;

    /// From bytes. What decodes encodes to the same bytes again.
    ///
    /// # Errors
    /// Everything that is not exactly one message.
    fn decode(bytes: &[u8]) -> Result<Self, Fault>;
}

impl Message for Question {
    fn encode(&self) -> Result<Vec<u8>, Fault> {
        let mut writer = Writer::new(VERSION, question_tag(self));
        match self {
            Question::Authenticate(_, claim) | Question::Credential(_, claim) => {
                write_claim(&mut writer, claim)?;
            }
            Question::Admit(claim, proof) => {
                write_claim(&mut writer, claim)?;
                writer.byte(proof_tag(*proof));
            }
            Question::Open(claim, factors) => {
                write_claim(&mut writer, claim)?;
                writer.byte(proof_tag(factors.proof));
                writer.field(&factors.exposed, LONGEST_EXPOSED)?;
            }
            Question::Close(ticket) => writer.u64(ticket.0),
            Question::Rejected(claim, reason) => {
                write_claim(&mut writer, claim)?;
                writer.field(reason, LONGEST_REASON)?;
            }
            Question::Raise(ticket, claim) | Question::Redeem(ticket, claim) => {
                writer.u64(ticket.0);
                write_claim(&mut writer, claim)?;
            }
        }
        Ok(writer.into_bytes())
    }

    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = open(bytes)?;
        let question = match reader.byte()? {
            1 => Question::Authenticate(Phase::Begin, read_claim(&mut reader)?),
            2 => Question::Authenticate(Phase::Failed, read_claim(&mut reader)?),
            3 => Question::Authenticate(Phase::Passed, read_claim(&mut reader)?),
            4 => Question::Admit(read_claim(&mut reader)?, read_proof(&mut reader)?),
            5 => Question::Open(read_claim(&mut reader)?, read_factors(&mut reader)?),
            6 => Question::Close(Ticket(reader.u64()?)),
            7 => Question::Credential(Change::Wanted, read_claim(&mut reader)?),
            8 => Question::Credential(Change::Done, read_claim(&mut reader)?),
            9 => Question::Raise(Ticket(reader.u64()?), read_claim(&mut reader)?),
            10 => Question::Rejected(read_claim(&mut reader)?, reader.field(LONGEST_REASON)?),
            11 => Question::Redeem(Ticket(reader.u64()?), read_claim(&mut reader)?),
            tag => return Err(Fault::Tag(tag)),
        };
        reader.end()?;
        Ok(question)
    }
}

const fn question_tag(question: &Question) -> u8 {
    match question {
        Question::Authenticate(Phase::Begin, _) => 1,
        Question::Authenticate(Phase::Failed, _) => 2,
        Question::Authenticate(Phase::Passed, _) => 3,
        Question::Admit(..) => 4,
        Question::Open(..) => 5,
        Question::Close(_) => 6,
        Question::Credential(Change::Wanted, _) => 7,
        Question::Credential(Change::Done, _) => 8,
        Question::Raise(..) => 9,
        Question::Rejected(..) => 10,
        Question::Redeem(..) => 11,
    }
}

impl Message for Answer {
    fn encode(&self) -> Result<Vec<u8>, Fault> {
        let mut writer = Writer::new(VERSION, answer_tag(self));
        match self {
            Answer::Go { banner: None } | Answer::Refuse(Refusal::Locked(None | Some(Span::Open))) => {}
            Answer::Go { banner: Some(text) } | Answer::Refuse(Refusal::Because(text)) => {
                writer.text(text, LONGEST_TEXT)?;
            }
            Answer::Refuse(Refusal::Locked(Some(Span::Seconds(seconds)))) => writer.u32(*seconds),
            Answer::Opened(ticket) => writer.u64(ticket.0),
        }
        Ok(writer.into_bytes())
    }

    fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let mut reader = open(bytes)?;
        let answer = match reader.byte()? {
            65 => Answer::Go { banner: None },
            66 => Answer::Go { banner: Some(reader.text(LONGEST_TEXT)?) },
            67 => Answer::Refuse(Refusal::Locked(None)),
            68 => Answer::Refuse(Refusal::Locked(Some(Span::Seconds(reader.u32()?)))),
            69 => Answer::Refuse(Refusal::Locked(Some(Span::Open))),
            70 => Answer::Refuse(Refusal::Because(reader.text(LONGEST_TEXT)?)),
            71 => Answer::Opened(Ticket(reader.u64()?)),
            tag => return Err(Fault::Tag(tag)),
        };
        reader.end()?;
        Ok(answer)
    }
}

/// No number that a question has, so that neither is ever taken for the other.
const fn answer_tag(answer: &Answer) -> u8 {
    match answer {
        Answer::Go { banner: None } => 65,
        Answer::Go { banner: Some(_) } => 66,
        Answer::Refuse(Refusal::Locked(None)) => 67,
        Answer::Refuse(Refusal::Locked(Some(Span::Seconds(_)))) => 68,
        Answer::Refuse(Refusal::Locked(Some(Span::Open))) => 69,
        Answer::Refuse(Refusal::Because(_)) => 70,
        Answer::Opened(_) => 71,
    }
}

fn open(bytes: &[u8]) -> Result<Reader<'_>, Fault> {
    let mut reader = Reader::new(bytes);
    match reader.byte()? {
        VERSION => Ok(reader),
        other => Err(Fault::Version(other)),
    }
}

fn write_claim(writer: &mut Writer, claim: &Claim) -> Result<(), Fault> {
    let Claim { account, service, tty, remote_host, remote_user } = claim;
    [account, service, tty, remote_host, remote_user]
        .into_iter()
        .try_for_each(|field| writer.field(field, LONGEST_FIELD))
}

fn read_claim(reader: &mut Reader<'_>) -> Result<Claim, Fault> {
    Ok(Claim {
        account: reader.field(LONGEST_FIELD)?,
        service: reader.field(LONGEST_FIELD)?,
        tty: reader.field(LONGEST_FIELD)?,
        remote_host: reader.field(LONGEST_FIELD)?,
        remote_user: reader.field(LONGEST_FIELD)?,
    })
}

fn read_factors(reader: &mut Reader<'_>) -> Result<Factors, Fault> {
    Ok(Factors { proof: read_proof(reader)?, exposed: reader.field(LONGEST_EXPOSED)? })
}

const fn proof_tag(proof: Proof) -> u8 {
    match proof {
        Proof::Absent => 0,
        Proof::Seen => 1,
    }
}

fn read_proof(reader: &mut Reader<'_>) -> Result<Proof, Fault> {
    match reader.byte()? {
        0 => Ok(Proof::Absent),
        1 => Ok(Proof::Seen),
        tag => Err(Fault::Tag(tag)),
    }
}

#[cfg(test)]
mod tests;
