// SPDX-License-Identifier: Apache-2.0
//! The arguments of a call, read whole.

use std::fmt;

use crate::policy::request::Right;
use crate::rpc::handle::{Handle, HandleKind};
use crate::rpc::layout::Field;
use crate::rpc::procedure::Procedure;
use crate::rpc::reader::{Reader, XdrError};
use crate::rpc::rule::Rule;
use crate::rpc::value::{self, Misfit, Strings, Value};
use crate::rpc::writer::Writer;

/// Why the bytes are not the arguments of this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The argument; none if it is what follows the last one.
    pub argument: Option<&'static str>,
    /// What is wrong with it.
    pub cause: XdrError,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.argument {
            Some(name) => write!(f, "argument `{name}`: {}", self.cause),
            None => write!(f, "after the arguments: {}", self.cause),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// The arguments of a call. They are written back as the very bytes they were read from, unless
/// something was [replaced](Self::replace).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments<'a> {
    fields: &'static [Field],
    handle: Option<(usize, HandleKind)>,
    values: Vec<Value<'a>>,
}

impl<'a> Arguments<'a> {
    /// Reads the arguments, all of them, and insists that each value is spelt in the one way there is.
    ///
    /// # Errors
    /// [`DecodeError`]: the call is to be refused.
    pub fn decode(procedure: &Procedure, payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        let mut values = Vec::with_capacity(procedure.arguments.len());
        for field in procedure.arguments {
            let value = Value::decode(&field.layout, &mut reader, Strings::Strict);
            values.push(value.map_err(|cause| DecodeError { argument: Some(field.name), cause })?);
        }
        reader.finish().map_err(|cause| DecodeError { argument: None, cause })?;
        Ok(Self { fields: procedure.arguments, handle: procedure.handle, values })
    }

    /// Writes the arguments.
    ///
    /// # Errors
    /// [`Misfit`] if a value that was put in does not fit its place.
    pub fn encode(&self) -> Result<Vec<u8>, Misfit> {
        let mut writer = Writer::with_capacity(64);
        value::encode_fields(self.fields, &self.values, &mut writer)?;
        Ok(writer.finish())
    }

    /// The object that the call's rule is about; none if it has none, or an optional one is absent.
    pub fn handle(&self) -> Option<Handle<'_>> {
        let (index, kind) = self.handle?;
        Handle::from_value(kind, self.values.get(index)?)
    }

    /// A handle that an argument of this name holds: `clonevol`.
    pub fn handle_in(&self, argument: &str) -> Option<Handle<'_>> {
        let field = self.fields.iter().find(|field| field.name == argument)?;
        Handle::from_value(field.layout.handle()?, self.value(argument)?)
    }

    /// The value of an argument; none if there is no such argument.
    pub fn value(&self, argument: &str) -> Option<&Value<'a>> {
        self.values.get(self.position(argument)?)
    }

    /// The text of an argument; none if it is absent, is no text, or does not exist.
    pub fn text(&self, argument: &str) -> Option<&str> {
        self.value(argument)?.as_text()
    }

    /// The number in an argument of 32 bits, as its bits; none if it is no such number or does not exist.
    pub fn number(&self, argument: &str) -> Option<u32> {
        self.value(argument)?.bits()
    }

    /// The `flags`, as wide as the widest; 0 for calls that have none.
    pub fn flags(&self) -> u64 {
        match self.value("flags") {
            Some(Value::Unsigned(flags)) => u64::from(*flags),
            Some(Value::UnsignedHyper(flags)) => *flags,
            _ => 0,
        }
    }

    /// The typed parameters in `params`, name and value. What came twice comes twice here.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        let list = self.value("params").map_or(&[][..], Value::parts);
        list.iter().filter_map(|parameter| match parameter.parts() {
            [name, value] => Some((name.as_text()?, value)),
            _ => None,
        })
    }

    /// Puts another value into an argument, such as flags with some bits cleared.
    ///
    /// # Errors
    /// [`Misfit`] if there is no such argument. Whether the value has its form shows in
    /// [`encode`](Self::encode).
    pub fn replace(&mut self, argument: &str, value: Value<'a>) -> Result<(), Misfit> {
        let index = self.position(argument).ok_or(Misfit)?;
        *self.values.get_mut(index).ok_or(Misfit)? = value;
        Ok(())
    }

    fn position(&self, argument: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == argument)
    }
}

impl Procedure {
    /// The rights that the call needs on the object of a [`Rule::Needs`], and those that its arguments
    /// add to any rule, none twice.
    pub fn rights(&self, arguments: &Arguments<'_>) -> Vec<Right> {
        let fixed = if let Rule::Needs { rights, .. } = self.rule { rights } else { &[] };
        let holds = |name, mask| arguments.number(name).is_none_or(|bits| bits & mask != 0);
        let added = self.conditions.iter().filter(|c| holds(c.argument, c.mask)).flat_map(|c| c.rights);
        let mut rights = fixed.to_vec();
        for right in added {
            if !rights.contains(right) {
                rights.push(*right);
            }
        }
        rights
    }

    /// The bits of `flags` that mean nothing we know.
    pub fn unknown_flags(&self, arguments: &Arguments<'_>) -> u64 {
        self.known_flags.map_or(0, |known| arguments.flags() & !u64::from(known))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::object::Uuid;
    use crate::rpc::procedure::{self, all, by_name};
    use crate::rpc::sample;

    fn decode(name: &str, payload: &[u8]) -> Result<(), DecodeError> {
        Arguments::decode(by_name(name).unwrap(), payload).map(|_| ())
    }

    fn any_call() -> impl Strategy<Value = (&'static Procedure, Vec<Value<'static>>)> {
        let procedures: Vec<_> = all().collect();
        prop::sample::select(procedures)
            .prop_flat_map(|procedure| (Just(procedure), sample::any_values(procedure.arguments)))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(call in any_call()) {
            let (procedure, values) = call;
            let payload = sample::encode(procedure.arguments, &values);
            let arguments = Arguments::decode(procedure, &payload).unwrap();
            prop_assert_eq!(&arguments.values, &values);
            prop_assert_eq!(arguments.encode().unwrap(), payload);
        }

        /// Whatever single byte is changed: it is refused, or it is other arguments in their own one spelling.
        #[test]
        fn no_two_spellings_mean_the_same(call in any_call(), at: prop::sample::Index, byte: u8) {
            let (procedure, values) = call;
            let mut payload = sample::encode(procedure.arguments, &values);
            prop_assume!(!payload.is_empty());
            let at = at.index(payload.len());
            prop_assume!(payload[at] != byte);
            payload[at] = byte;
            if let Ok(arguments) = Arguments::decode(procedure, &payload) {
                prop_assert_ne!(&arguments.values, &values);
                prop_assert_eq!(arguments.encode().unwrap(), payload);
            }
        }

        #[test]
        fn bytes_from_anywhere_are_refused_or_spelt_the_one_way(number in 0_u32..470, payload: Vec<u8>) {
            let Some(procedure) = procedure::find(crate::rpc::frame::REMOTE, number) else { return Ok(()) };
            if let Ok(arguments) = Arguments::decode(procedure, &payload) {
                prop_assert_eq!(arguments.encode().unwrap(), payload);
            }
        }

        #[test]
        fn more_or_fewer_bytes_are_refused(call in any_call(), extra in 1_usize..9) {
            let (procedure, values) = call;
            let mut payload = sample::encode(procedure.arguments, &values);
            let length = payload.len();
            payload.resize(length + extra, 0);
            prop_assert!(Arguments::decode(procedure, &payload).is_err());
            payload.truncate(length);
            if payload.pop().is_some() {
                prop_assert!(Arguments::decode(procedure, &payload).is_err());
            }
        }
    }

    const HANDLE: &[u8] = b"\0\0\0\x03bob\0ABCDEFGHIJKLMNOP\xff\xff\xff\xff";

    #[test]
    fn a_call_is_understood_with_its_handle_and_flags() {
        let payload = [HANDLE, b"\0\0\0\x02"].concat();
        let procedure = by_name("DOMAIN_REBOOT").unwrap();
        let arguments = Arguments::decode(procedure, &payload).unwrap();
        let vm = arguments.handle().and_then(|handle| handle.vm()).unwrap();
        assert_eq!((vm.uuid, vm.name, vm.id), (Uuid(*b"ABCDEFGHIJKLMNOP"), "bob", -1));
        assert_eq!(arguments.flags(), 2);
        assert_eq!(procedure.rights(&arguments).last(), Some(&Right::Guest), "flag 2 goes through the agent");
        assert_eq!(procedure.unknown_flags(&arguments), 0);
    }

    #[test]
    fn flags_that_nobody_knows_are_seen() {
        let procedure = by_name("DOMAIN_REBOOT").unwrap();
        let payload = [HANDLE, b"\0\0\0\x21"].concat();
        let arguments = Arguments::decode(procedure, &payload).unwrap();
        assert_eq!(procedure.unknown_flags(&arguments), 0x20);
        assert!(!procedure.rights(&arguments).contains(&Right::Guest));
    }

    #[test]
    fn what_only_a_lenient_reader_would_take_is_refused() {
        let cause = |name, payload: &[u8]| decode(name, payload).unwrap_err().cause;
        let name = "DOMAIN_LOOKUP_BY_NAME";
        assert_eq!(decode(name, b"\0\0\0\x03bob\0"), Ok(()));
        assert_eq!(cause(name, b"\0\0\0\x03bob\x01"), XdrError::Padding);
        assert_eq!(cause(name, b"\0\0\0\x04bo\0b"), XdrError::Nul);
        assert_eq!(cause(name, b"\0\0\0\x03bob\0\0\0\0\0"), XdrError::Trailing(4));
        assert_eq!(cause(name, b"\0\0\0\x04bo\xffb"), XdrError::NotText);
        assert_eq!(cause(name, b"\0\x40\0\x01"), XdrError::TooLong { length: 0x40_0001, limit: 0x40_0000 });
        assert_eq!(cause("CONNECT_OPEN", b"\0\0\0\x02\0\0\0\0\0\0\0\0"), XdrError::NotBoolean(2));
        assert_eq!(cause("DOMAIN_SET_AUTOSTART", &[HANDLE, b"\0\0\0\x02"].concat()), XdrError::NotBoolean(2));
    }

    #[test]
    fn a_parameter_has_one_of_seven_types() {
        let with_type =
            |number: u8| [HANDLE, b"\0\0\0\x01\0\0\0\x01x\0\0\0\0\0\0", &[number], &[0; 4]].concat();
        let name = "DOMAIN_SET_SCHEDULER_PARAMETERS";
        assert_eq!(decode(name, &with_type(1)), Ok(()));
        for number in [0, 8, 255] {
            let cause = decode(name, &with_type(number)).unwrap_err().cause;
            assert_eq!(cause, XdrError::UnknownType(i32::from(number)));
        }
        let yes = |byte| [&with_type(6)[..with_type(6).len() - 1], &[byte]].concat();
        assert_eq!(decode(name, &yes(1)), Ok(()));
        assert!(decode(name, &yes(2)).is_err());
    }

    #[test]
    fn a_replaced_value_must_fit_its_place() {
        let payload = [HANDLE, b"\0\0\0\x01"].concat();
        let procedure = by_name("DOMAIN_GET_XML_DESC").unwrap();
        let mut arguments = Arguments::decode(procedure, &payload).unwrap();
        arguments.replace("flags", Value::Unsigned(0)).unwrap();
        assert_eq!(arguments.encode(), Ok([HANDLE, b"\0\0\0\0"].concat()));
        arguments.replace("flags", Value::Absent).unwrap();
        assert_eq!(arguments.encode(), Err(Misfit));
        assert_eq!(arguments.replace("colour", Value::Absent), Err(Misfit));
    }

    #[test]
    fn every_call_can_be_read() {
        for procedure in all() {
            let payload = sample::call(procedure);
            let arguments = Arguments::decode(procedure, &payload).unwrap();
            assert_eq!(arguments.handle().is_some(), has_handle(procedure), "{}", procedure.name);
        }
    }

    /// Handles that a call may leave out are left out of the samples.
    fn has_handle(procedure: &Procedure) -> bool {
        let optional = |index: usize| {
            matches!(procedure.arguments[index].layout, crate::rpc::layout::Layout::Optional(_))
        };
        procedure.handle.is_some_and(|(index, _)| !optional(index))
    }
}
