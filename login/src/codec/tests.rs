// SPDX-License-Identifier: Apache-2.0

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => vec(any::<u8>(), LONGEST_FIELD - 1..=LONGEST_FIELD)]
}

fn claim() -> impl Strategy<Value = Claim> {
    (field(), field(), field(), field(), field()).prop_map(
        |(account, service, tty, remote_host, remote_user)| Claim {
            account,
            service,
            tty,
            remote_host,
            remote_user,
        },
    )
}

fn proof() -> impl Strategy<Value = Proof> {
    prop_oneof![Just(Proof::Absent), Just(Proof::Seen)]
}

fn question() -> impl Strategy<Value = Question> {
    let phase = prop_oneof![Just(Phase::Begin), Just(Phase::Failed), Just(Phase::Passed)];
    let change = prop_oneof![Just(Change::Wanted), Just(Change::Done)];
    let exposed = vec(any::<u8>(), 0..200);
    prop_oneof![
        (phase, claim()).prop_map(|(phase, claim)| Question::Authenticate(phase, claim)),
        (claim(), proof()).prop_map(|(claim, proof)| Question::Admit(claim, proof)),
        (claim(), proof(), exposed)
            .prop_map(|(claim, proof, exposed)| Question::Open(claim, Factors { proof, exposed })),
        any::<u64>().prop_map(|ticket| Question::Close(Ticket(ticket))),
        (change, claim()).prop_map(|(change, claim)| Question::Credential(change, claim)),
        (any::<u64>(), claim()).prop_map(|(ticket, claim)| Question::Raise(Ticket(ticket), claim)),
        (any::<u64>(), claim()).prop_map(|(ticket, claim)| Question::Redeem(Ticket(ticket), claim)),
        (claim(), vec(any::<u8>(), 0..=LONGEST_REASON))
            .prop_map(|(claim, reason)| Question::Rejected(claim, reason)),
    ]
}

fn answer() -> impl Strategy<Value = Answer> {
    let text = "[ -~äß\n\t]{0,80}";
    prop_oneof![
        proptest::option::of(text).prop_map(|banner| Answer::Go { banner }),
        Just(Answer::Refuse(Refusal::Locked(None))),
        Just(Answer::Refuse(Refusal::Locked(Some(Span::Open)))),
        any::<u32>().prop_map(|left| Answer::Refuse(Refusal::Locked(Some(Span::Seconds(left))))),
        text.prop_map(|reason| Answer::Refuse(Refusal::Because(reason))),
        any::<u64>().prop_map(|ticket| Answer::Opened(Ticket(ticket))),
    ]
}

/// Every strict beginning is refused, and so is every byte more.
fn is_exact<M: Message>(bytes: &[u8]) -> bool {
    let longer = [bytes, &[0]].concat();
    (0..bytes.len()).all(|cut| M::decode(&bytes[..cut]).is_err())
        && M::decode(&longer).err() == Some(Fault::Trailing)
}

proptest! {
    #[test]
    fn a_question_reads_back(question in question()) {
        let bytes = question.encode().unwrap();
        prop_assert_eq!(Question::decode(&bytes).unwrap(), question);
        prop_assert!(is_exact::<Question>(&bytes));
        prop_assert!(Answer::decode(&bytes).is_err());
    }

    #[test]
    fn an_answer_reads_back(answer in answer()) {
        let bytes = answer.encode().unwrap();
        prop_assert_eq!(Answer::decode(&bytes).unwrap(), answer);
        prop_assert!(is_exact::<Answer>(&bytes));
        prop_assert!(Question::decode(&bytes).is_err());
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(mut bytes in vec(any::<u8>(), 0..60), tag in 0..80_u8) {
        if let [version, second, ..] = bytes.as_mut_slice() {
            (*version, *second) = (VERSION, tag);
        }
        if let Ok(question) = Question::decode(&bytes) {
            prop_assert_eq!(question.encode().unwrap(), bytes.clone());
        }
        if let Ok(answer) = Answer::decode(&bytes) {
            prop_assert_eq!(answer.encode().unwrap(), bytes);
        }
    }
}

#[test]
fn what_is_malformed_is_named() {
    let mut long_name = vec![VERSION, 1];
    long_name.extend(4097_u16.to_be_bytes());
    long_name.extend([b'a'; 4097 + 8]);
    let rows: [(&[u8], Fault); 6] = [
        (&[], Fault::Short),
        (&[2, 65], Fault::Version(2)),
        (&[1, 99], Fault::Tag(99)),
        (&[1, 70, 0, 1, 0x1b], Fault::Text),
        (&[1, 70, 0, 1, 0xff], Fault::Text),
        (&[1, 66, 0xff, 0xff], Fault::TooLong),
    ];
    for (bytes, fault) in rows {
        assert_eq!(Answer::decode(bytes), Err(fault), "{bytes:?}");
    }
    assert_eq!(Question::decode(&long_name), Err(Fault::TooLong));
    assert_eq!(Question::decode(&[1, 0]), Err(Fault::Tag(0)));
}

#[test]
fn what_would_be_refused_is_not_sent() {
    let long = Claim { account: vec![b'a'; LONGEST_FIELD + 1], ..Claim::default() };
    assert_eq!(Question::Authenticate(Phase::Begin, long).encode(), Err(Fault::TooLong));
    let ringing = Answer::Refuse(Refusal::Because("\u{7}".to_owned()));
    assert_eq!(ringing.encode(), Err(Fault::Text));
}

#[test]
fn the_largest_question_fits_into_a_frame() {
    let longest = || vec![0; LONGEST_FIELD];
    let claim = Claim {
        account: longest(),
        service: longest(),
        tty: longest(),
        remote_host: longest(),
        remote_user: longest(),
    };
    let factors = Factors { proof: Proof::Seen, exposed: vec![0; LONGEST_EXPOSED] };
    assert!(crate::encode_frame(&Question::Open(claim, factors)).is_ok());
}
