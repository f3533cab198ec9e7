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
