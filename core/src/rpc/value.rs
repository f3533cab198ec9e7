// SPDX-License-Identifier: Apache-2.0
//! Values of the protocol, between bytes and meaning.

use std::borrow::Cow;

use crate::object::Uuid;
use crate::rpc::layout::{Field, Layout, TEXT_LIMIT};
use crate::rpc::reader::{Reader, XdrError};
use crate::rpc::writer::Writer;

/// A decoded value. Text and bytes are borrowed from the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer of 32 bits or less.
    Int(i32),
    /// An unsigned integer of 32 bits.
    Unsigned(u32),
    /// An integer of 64 bits.
    Hyper(i64),
    /// An unsigned integer of 64 bits.
    UnsignedHyper(u64),
    /// A floating-point number, as its bits: it is passed on, never reckoned with.
    Double(u64),
    /// A truth value.
    Boolean(bool),
    /// A string.
    Text(Cow<'a, str>),
    /// A UUID.
    Uuid(Uuid),
    /// Bytes.
    Opaque(Cow<'a, [u8]>),
    /// An optional value that is not there. One that is there is simply itself.
    Absent,
    /// The elements of a list or array.
    List(Vec<Value<'a>>),
    /// The fields of a record, in the order of its layout.
    Record(Vec<Value<'a>>),
}

/// What to do with strings that are not what [`Reader::text`] wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// Refuse them: calls.
    Strict,
    /// Replace what is wrong, for a look only: replies and events, whose own bytes are passed on.
    Lossy,
}

/// A value that does not have the form it is to be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misfit;

impl<'a> Value<'a> {
    /// Reads one value.
    ///
    /// # Errors
    /// Any [`XdrError`].
    pub fn decode(layout: &Layout, reader: &mut Reader<'a>, strings: Strings) -> Result<Self, XdrError> {
        Ok(match layout {
            Layout::Int => Value::Int(reader.i32()?),
            Layout::Unsigned => Value::Unsigned(reader.u32()?),
            Layout::Hyper => Value::Hyper(reader.i64()?),
            Layout::UnsignedHyper => Value::UnsignedHyper(reader.u64()?),
            Layout::Double => Value::Double(reader.u64()?),
            Layout::Boolean => Value::Boolean(reader.boolean()?),
            Layout::Narrow(low, high) => Value::Int(narrow(reader.i32()?, *low, *high)?),
            Layout::Text => Value::Text(text(reader, strings)?),
            Layout::Uuid => Value::Uuid(Uuid(reader.array()?)),
            Layout::Opaque(limit) => Value::Opaque(Cow::Borrowed(reader.opaque(*limit)?)),
            Layout::Typed => typed(reader, strings)?,
            Layout::Optional(inner) => match reader.boolean()? {
                true => Value::decode(inner, reader, strings)?,
                false => Value::Absent,
            },
            Layout::List(element, limit) => {
                let count = reader.count(*limit, element.smallest())?;
                Value::List(elements(element, count, reader, strings)?)
            }
            Layout::Array(element, length) => {
                let count = usize::try_from(*length).map_err(|_| XdrError::Truncated)?;
                Value::List(elements(element, count, reader, strings)?)
            }
            Layout::Record(record) => Value::Record(decode_fields(record.fields, reader, strings)?),
        })
    }

    /// Writes the value in this form.
    ///
    /// # Errors
    /// [`Misfit`] if the value is of another form or beyond its bounds; what was written so far is
    /// then to be thrown away.
    pub fn encode(&self, layout: &Layout, writer: &mut Writer) -> Result<(), Misfit> {
        match (layout, self) {
            (Layout::Int, Value::Int(value)) => writer.i32(*value),
            (Layout::Unsigned, Value::Unsigned(value)) => writer.u32(*value),
            (Layout::Hyper, Value::Hyper(value)) => writer.i64(*value),
            (Layout::UnsignedHyper, Value::UnsignedHyper(value)) => writer.u64(*value),
            (Layout::Double, Value::Double(bits)) => writer.u64(*bits),
            (Layout::Boolean, Value::Boolean(value)) => writer.boolean(*value),
            (Layout::Narrow(low, high), Value::Int(value)) if (low..=high).contains(&value) => {
                writer.i32(*value);
            }
            (Layout::Text, Value::Text(text)) if sound(text) => writer.text(text),
            (Layout::Uuid, Value::Uuid(uuid)) => writer.raw(&uuid.0),
            (Layout::Opaque(limit), Value::Opaque(bytes)) if within(bytes.len(), *limit) => {
                writer.opaque(bytes);
            }
            (Layout::Typed, value) => value.encode_typed(writer)?,
            (Layout::Optional(_), Value::Absent) => writer.boolean(false),
            (Layout::Optional(inner), value) => {
                writer.boolean(true);
                value.encode(inner, writer)?;
            }
            (Layout::List(element, limit), Value::List(list)) if within(list.len(), *limit) => {
                writer.count(list.len());
                list.iter().try_for_each(|value| value.encode(element, writer))?;
            }
            (Layout::Array(element, length), Value::List(list)) if exactly(list.len(), *length) => {
                list.iter().try_for_each(|value| value.encode(element, writer))?;
            }
            (Layout::Record(record), Value::Record(values)) => encode_fields(record.fields, values, writer)?,
            _ => return Err(Misfit),
        }
        Ok(())
    }

    /// The type number of a typed parameter, then its value.
    fn encode_typed(&self, writer: &mut Writer) -> Result<(), Misfit> {
        let (tag, layout) = match self {
            Value::Int(_) => (1, Layout::Int),
            Value::Unsigned(_) => (2, Layout::Unsigned),
            Value::Hyper(_) => (3, Layout::Hyper),
            Value::UnsignedHyper(_) => (4, Layout::UnsignedHyper),
            Value::Double(_) => (5, Layout::Double),
            Value::Boolean(_) => (6, Layout::Boolean),
            Value::Text(_) => (7, Layout::Text),
            Value::Uuid(_) | Value::Opaque(_) | Value::Absent | Value::List(_) | Value::Record(_) => {
                return Err(Misfit);
            }
        };
        writer.i32(tag);
        self.encode(&layout, writer)
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        let Value::Text(text) = self else { return None };
        Some(text)
    }

    /// The bits of a number of 32 bits or less, if it is one.
    pub fn bits(&self) -> Option<u32> {
        if let Value::Boolean(flag) = self {
            return Some(u32::from(*flag));
        }
        if let Value::Int(number) = self {
            return Some(number.cast_unsigned());
        }
        let Value::Unsigned(number) = self else { return None };
        Some(*number)
    }

    /// The fields of a record or the elements of a list; nothing for all else.
    pub fn parts(&self) -> &[Value<'a>] {
        let (Value::List(parts) | Value::Record(parts)) = self else { return &[] };
        parts
    }
}

/// Reads fields one after the other.
///
/// # Errors
/// Any [`XdrError`].
pub fn decode_fields<'a>(
    fields: &[Field],
    reader: &mut Reader<'a>,
    strings: Strings,
) -> Result<Vec<Value<'a>>, XdrError> {
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        values.push(Value::decode(&field.layout, reader, strings)?);
    }
    Ok(values)
}

/// Writes fields one after the other.
///
/// # Errors
/// [`Misfit`] if there are more or fewer values than fields, or one does not fit.
pub fn encode_fields(fields: &[Field], values: &[Value<'_>], writer: &mut Writer) -> Result<(), Misfit> {
    if fields.len() != values.len() {
        return Err(Misfit);
    }
    fields.iter().zip(values).try_for_each(|(field, value)| value.encode(&field.layout, writer))
}

/// Walks over one value without keeping it.
///
/// # Errors
/// Any [`XdrError`] that is not about text.
pub fn skip(layout: &Layout, reader: &mut Reader<'_>) -> Result<(), XdrError> {
    match layout {
        Layout::Int | Layout::Unsigned | Layout::Narrow(..) => reader.u32().map(drop),
        Layout::Boolean => reader.boolean().map(drop),
        Layout::Hyper | Layout::UnsignedHyper | Layout::Double => reader.u64().map(drop),
        Layout::Text => reader.opaque(TEXT_LIMIT).map(drop),
        Layout::Uuid => reader.take(16).map(drop),
        Layout::Opaque(limit) => reader.opaque(*limit).map(drop),
        Layout::Typed => typed(reader, Strings::Lossy).map(drop),
        Layout::Optional(inner) => match reader.boolean()? {
            true => skip(inner, reader),
            false => Ok(()),
        },
        Layout::List(element, limit) => {
            let count = reader.count(*limit, element.smallest())?;
            (0..count).try_for_each(|_| skip(element, reader))
        }
        Layout::Array(element, length) => (0..*length).try_for_each(|_| skip(element, reader)),
        Layout::Record(record) => record.fields.iter().try_for_each(|field| skip(&field.layout, reader)),
    }
}

fn elements<'a>(
    element: &Layout,
    count: usize,
    reader: &mut Reader<'a>,
    strings: Strings,
) -> Result<Vec<Value<'a>>, XdrError> {
    let mut list = Vec::with_capacity(count.min(reader.remaining() / 4));
    for _ in 0..count {
        list.push(Value::decode(element, reader, strings)?);
    }
    Ok(list)
}

fn text<'a>(reader: &mut Reader<'a>, strings: Strings) -> Result<Cow<'a, str>, XdrError> {
    match strings {
        Strings::Strict => reader.text(TEXT_LIMIT).map(Cow::Borrowed),
        Strings::Lossy => reader.opaque(TEXT_LIMIT).map(String::from_utf8_lossy),
    }
}

fn typed<'a>(reader: &mut Reader<'a>, strings: Strings) -> Result<Value<'a>, XdrError> {
    let layout = match reader.i32()? {
        1 => Layout::Int,
        2 => Layout::Unsigned,
        3 => Layout::Hyper,
        4 => Layout::UnsignedHyper,
        5 => Layout::Double,
        6 => Layout::Boolean,
        7 => Layout::Text,
        tag => return Err(XdrError::UnknownType(tag)),
    };
    Value::decode(&layout, reader, strings)
}

fn narrow(value: i32, low: i32, high: i32) -> Result<i32, XdrError> {
    (low..=high).contains(&value).then_some(value).ok_or(XdrError::OutOfRange(value.cast_unsigned()))
}

/// Whether text reads back as it is written.
fn sound(text: &str) -> bool {
    within(text.len(), TEXT_LIMIT) && !text.as_bytes().contains(&0)
}

fn within(length: usize, limit: u32) -> bool {
    u32::try_from(length).is_ok_and(|length| length <= limit)
}

fn exactly(length: usize, expected: u32) -> bool {
    u32::try_from(length).is_ok_and(|length| length == expected)
}
