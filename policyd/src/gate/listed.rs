// SPDX-License-Identifier: Apache-2.0
//! Lists in libvirtd's answers: cut into elements, and put together again from those that are left.

use virtwarden_core::rpc::handle::HandleKind;
use virtwarden_core::rpc::layout::{Field, Layout};
use virtwarden_core::rpc::procedure::Procedure;
use virtwarden_core::rpc::reader::{Reader, XdrError};
use virtwarden_core::rpc::rule::Form;
use virtwarden_core::rpc::value::{Strings, Value, skip};
use virtwarden_core::rpc::writer::Writer;

/// One element of a list: its bytes, and what it names.
pub(super) struct Element<'a> {
    bytes: &'a [u8],
    handle: Value<'a>,
}

/// What an element goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The handle that it is or begins with.
    Handle(HandleKind),
    /// All of it.
    Whole,
}

/// Cuts the list that an answer begins with into its elements, and keeps those that shall be shown by their key.
pub(super) fn elements<'a>(
    fields: &'static [Field],
    payload: &'a [u8],
    key: Key,
    shown: impl Fn(&Value<'a>) -> bool,
) -> Result<Vec<Element<'a>>, XdrError> {
    let Some(Layout::List(layout, limit)) = fields.first().map(|field| &field.layout) else {
        return Err(XdrError::Truncated);
    };
    let mut reader = Reader::new(payload);
    let mut found = Vec::new();
    for _ in 0..reader.count(*limit, layout.smallest())? {
        let mut ahead = reader;
        let handle = match key {
            Key::Handle(kind) => handle_of(layout, &mut ahead, kind)?,
            Key::Whole => Value::decode(layout, &mut ahead, Strings::Lossy)?,
        };
        let bytes = reader.take(reader.remaining() - ahead.remaining())?;
        if shown(&handle) {
            found.push(Element { bytes, handle });
        }
    }
    Ok(found)
}

/// Reads an element for the handle that it is or begins with; a device's plain name counts as one.
fn handle_of<'a>(layout: &Layout, reader: &mut Reader<'a>, kind: HandleKind) -> Result<Value<'a>, XdrError> {
    match (layout, kind) {
        (Layout::Text, HandleKind::Device) => {
            Ok(Value::Record(vec![Value::decode(layout, reader, Strings::Lossy)?]))
        }
        (Layout::Record(record), _) if record.handle.is_none() => {
            let (first, rest) = record.fields.split_first().ok_or(XdrError::Truncated)?;
            let handle = Value::decode(&first.layout, reader, Strings::Lossy)?;
            rest.iter().try_for_each(|field| skip(&field.layout, reader))?;
            Ok(handle)
        }
        _ => Value::decode(layout, reader, Strings::Lossy),
    }
}

/// A value that stands without its frame.
pub(super) fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Int(number) => Value::Int(number),
        Value::Unsigned(number) => Value::Unsigned(number),
        Value::Hyper(number) => Value::Hyper(number),
        Value::UnsignedHyper(number) => Value::UnsignedHyper(number),
        Value::Double(bits) => Value::Double(bits),
        Value::Boolean(truth) => Value::Boolean(truth),
        Value::Text(text) => Value::Text(text.into_owned().into()),
        Value::Uuid(uuid) => Value::Uuid(uuid),
        Value::Opaque(bytes) => Value::Opaque(bytes.into_owned().into()),
        Value::Absent => Value::Absent,
        Value::List(list) => Value::List(list.into_iter().map(owned).collect()),
        Value::Record(parts) => Value::Record(parts.into_iter().map(owned).collect()),
    }
}

/// The answer with what is left: the list, then the count where the procedure has one.
pub(super) fn list_again(procedure: &Procedure, shown: &[Element<'_>], results: bool) -> Vec<u8> {
    let mut writer = Writer::with_capacity(64);
    let listed = if results { shown } else { &[] };
    writer.count(listed.len());
    listed.iter().for_each(|element| writer.raw(element.bytes));
    if procedure.reply.len() > 1 {
        writer.count(shown.len());
    }
    writer.finish()
}

/// The answer in one of the oldest forms, with no more than the client has room for.
pub(super) fn old_form(form: Form, shown: &[Element<'_>], most: usize) -> Vec<u8> {
    let mut writer = Writer::with_capacity(64);
    let listed = shown.get(..most.min(shown.len())).unwrap_or_default();
    match form {
        Form::Count => writer.count(shown.len()),
        Form::Names | Form::Uuids | Form::Ids => writer.count(listed.len()),
    }
    for element in listed {
        match (form, element.handle.parts()) {
            (Form::Names, [Value::Text(_), Value::Text(name), ..]) if is_volume(&element.handle) => {
                writer.text(name)
            }
            (Form::Names, [Value::Text(name), ..]) => writer.text(name),
            (Form::Uuids, [Value::Uuid(uuid), ..]) => writer.text(&uuid.to_string()),
            (Form::Ids, [_, _, Value::Int(id)]) => writer.i32(*id),
            _ => {}
        }
    }
    writer.finish()
}

/// A volume's handle is pool, name and key; its name comes second.
fn is_volume(handle: &Value<'_>) -> bool {
    matches!(handle.parts(), [Value::Text(_), Value::Text(_), Value::Text(_)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use virtwarden_core::object::Uuid;
    use virtwarden_core::rpc::procedure::by_name;
    use virtwarden_core::rpc::value::encode_fields;

    fn vm(name: &'static str, id: i32) -> Value<'static> {
        Value::Record(vec![
            Value::Text(name.into()),
            Value::Uuid(Uuid([id.unsigned_abs() as u8; 16])),
            Value::Int(id),
        ])
    }

    fn listed() -> (&'static Procedure, Vec<u8>) {
        let procedure = by_name("CONNECT_LIST_ALL_DOMAINS").unwrap();
        let values = [Value::List(vec![vm("one", 1), vm("two", 2), vm("three", 3)]), Value::Unsigned(3)];
        let mut writer = Writer::with_capacity(64);
        encode_fields(procedure.reply, &values, &mut writer).unwrap();
        (procedure, writer.finish())
    }

    #[test]
    fn a_list_from_which_nothing_is_taken_is_the_same_list() {
        let (procedure, payload) = listed();
        let all = elements(procedure.reply, &payload, Key::Handle(HandleKind::Vm), |_| true).unwrap();
        assert_eq!(list_again(procedure, &all, true), payload);
    }

    #[test]
    fn list_count_and_old_forms_agree_on_what_is_left() {
        let (procedure, payload) = listed();
        let mut left = elements(procedure.reply, &payload, Key::Handle(HandleKind::Vm), |_| true).unwrap();
        left.remove(1);
        assert_eq!(list_again(procedure, &left, false), [0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(old_form(Form::Count, &left, 0), [0, 0, 0, 2]);
        assert_eq!(old_form(Form::Ids, &left, 9), [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3]);
        assert_eq!(old_form(Form::Ids, &left, 1), [0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(old_form(Form::Names, &left, 1), *b"\0\0\0\x01\0\0\0\x03one\0");
    }

    #[test]
    fn an_element_that_begins_with_a_handle_is_kept_whole() {
        let procedure = by_name("CONNECT_GET_ALL_DOMAIN_STATS").unwrap();
        let state = Value::Record(vec![Value::Text("state.state".into()), Value::Int(1)]);
        let stats = |vm| Value::Record(vec![vm, Value::List(vec![state.clone()])]);
        let encode = |stats: &[Value<'static>]| {
            let mut writer = Writer::with_capacity(64);
            encode_fields(procedure.reply, &[Value::List(stats.to_vec())], &mut writer).unwrap();
            writer.finish()
        };
        let (one, two) = (stats(vm("one", 1)), stats(vm("two", 2)));
        let payload = encode(&[one, two.clone()]);
        let second = |handle: &Value<'_>| *handle == vm("two", 2);
        let left = elements(procedure.reply, &payload, Key::Handle(HandleKind::Vm), second).unwrap();
        assert_eq!(list_again(procedure, &left, true), encode(&[two]));
    }

    #[test]
    fn a_list_that_lies_about_its_length_is_none() {
        let (procedure, payload) = listed();
        assert!(
            elements(procedure.reply, &payload[..payload.len() - 30], Key::Handle(HandleKind::Vm), |_| true)
                .is_err()
        );
    }
}
