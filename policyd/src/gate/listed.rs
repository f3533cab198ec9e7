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
pub(super) struct Element {
    pub(super) bytes: Vec<u8>,
    pub(super) handle: Value<'static>,
}

/// Cuts the list that an answer begins with into its elements.
pub(super) fn elements(
    fields: &'static [Field],
    payload: &[u8],
    kind: HandleKind,
) -> Result<Vec<Element>, XdrError> {
    let Some(Layout::List(layout, limit)) = fields.first().map(|field| &field.layout) else {
        return Err(XdrError::Truncated);
    };
    let mut reader = Reader::new(payload);
    let count = reader.count(*limit, layout.smallest())?;
    let mut found = Vec::with_capacity(count);
    for _ in 0..count {
        let mut ahead = reader;
        skip(layout, &mut ahead)?;
        let bytes = reader.take(reader.remaining() - ahead.remaining())?;
        found.push(Element { bytes: bytes.to_vec(), handle: handle_within(layout, bytes, kind)? });
    }
    Ok(found)
}

/// The handle that an element is or begins with; a device's plain name counts as one.
fn handle_within(layout: &Layout, bytes: &[u8], kind: HandleKind) -> Result<Value<'static>, XdrError> {
    let value = Value::decode(layout, &mut Reader::new(bytes), Strings::Lossy)?;
    let handle = match (layout, kind) {
        (Layout::Text, HandleKind::Device) => Value::Record(vec![value]),
        (Layout::Record(record), _) if record.handle.is_none() => {
            let first = value.parts().first().cloned();
            first.ok_or(XdrError::Truncated)?
        }
        _ => value,
    };
    Ok(owned(handle))
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
pub(super) fn list_again(procedure: &Procedure, shown: &[Element], results: bool) -> Vec<u8> {
    let mut writer = Writer::with_capacity(64);
    let listed = if results { shown } else { &[] };
    writer.count(listed.len());
    listed.iter().for_each(|element| writer.raw(&element.bytes));
    if procedure.reply.len() > 1 {
        writer.count(shown.len());
    }
    writer.finish()
}

/// The answer in one of the oldest forms, with no more than the client has room for.
pub(super) fn old_form(form: Form, shown: &[Element], most: usize) -> Vec<u8> {
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
        let all = elements(procedure.reply, &payload, HandleKind::Vm).unwrap();
        assert_eq!(list_again(procedure, &all, true), payload);
    }

    #[test]
    fn list_count_and_old_forms_agree_on_what_is_left() {
        let (procedure, payload) = listed();
        let mut left = elements(procedure.reply, &payload, HandleKind::Vm).unwrap();
        left.remove(1);
        assert_eq!(list_again(procedure, &left, false), [0, 0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(old_form(Form::Count, &left, 0), [0, 0, 0, 2]);
        assert_eq!(old_form(Form::Ids, &left, 9), [0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3]);
        assert_eq!(old_form(Form::Ids, &left, 1), [0, 0, 0, 1, 0, 0, 0, 1]);
        assert_eq!(old_form(Form::Names, &left, 1), *b"\0\0\0\x01\0\0\0\x03one\0");
    }

    #[test]
    fn a_list_that_lies_about_its_length_is_none() {
        let (procedure, payload) = listed();
        assert!(elements(procedure.reply, &payload[..payload.len() - 30], HandleKind::Vm).is_err());
    }
}
