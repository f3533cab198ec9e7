// SPDX-License-Identifier: Apache-2.0
//! Values and calls for tests: of every form, with nothing special about them.

use proptest::prelude::*;

use crate::object::Uuid;
use crate::rpc::layout::{Field, Layout};
use crate::rpc::procedure::Procedure;
use crate::rpc::value::{self, Value};
use crate::rpc::writer::Writer;

/// The smallest sensible value: zeros, `ghost`, the UUID `00010203-...`; what is optional or a list is empty.
pub(in crate::rpc) fn value(layout: &Layout) -> Value<'static> {
    match layout {
        Layout::Int | Layout::Narrow(..) => Value::Int(0),
        Layout::Unsigned => Value::Unsigned(0),
        Layout::Hyper => Value::Hyper(0),
        Layout::UnsignedHyper => Value::UnsignedHyper(0),
        Layout::Double => Value::Double(0),
        Layout::Boolean => Value::Boolean(false),
        Layout::Text => Value::Text("ghost".into()),
        Layout::Uuid => Value::Uuid(Uuid(std::array::from_fn(|i| u8::try_from(i).unwrap()))),
        Layout::Opaque(_) => Value::Opaque(b"".into()),
        Layout::Typed => Value::Unsigned(0),
        Layout::Optional(_) => Value::Absent,
        Layout::List(..) => Value::List(Vec::new()),
        Layout::Array(element, count) => Value::List((0..*count).map(|_| value(element)).collect()),
        Layout::Record(record) => Value::Record(record.fields.iter().map(|f| value(&f.layout)).collect()),
    }
}

/// The payload of a call with such arguments.
pub(in crate::rpc) fn call(procedure: &Procedure) -> Vec<u8> {
    let values: Vec<_> = procedure.arguments.iter().map(|f| value(&f.layout)).collect();
    encode(procedure.arguments, &values)
}

/// The bytes of values that fit their fields.
pub(in crate::rpc) fn encode(fields: &[Field], values: &[Value<'_>]) -> Vec<u8> {
    let mut writer = Writer::default();
    value::encode_fields(fields, values, &mut writer).unwrap();
    writer.finish()
}

/// Any value of a form; lists are short.
pub(in crate::rpc) fn any_value(layout: &'static Layout) -> BoxedStrategy<Value<'static>> {
    match layout {
        Layout::Int => any::<i32>().prop_map(Value::Int).boxed(),
        Layout::Unsigned => any::<u32>().prop_map(Value::Unsigned).boxed(),
        Layout::Hyper => any::<i64>().prop_map(Value::Hyper).boxed(),
        Layout::UnsignedHyper => any::<u64>().prop_map(Value::UnsignedHyper).boxed(),
        Layout::Double => any::<u64>().prop_map(Value::Double).boxed(),
        Layout::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        Layout::Narrow(low, high) => (*low..=*high).prop_map(Value::Int).boxed(),
        Layout::Text => "[a-zäß/ <>\n]{0,9}".prop_map(|text| Value::Text(text.into())).boxed(),
        Layout::Uuid => any::<[u8; 16]>().prop_map(|bytes| Value::Uuid(Uuid(bytes))).boxed(),
        Layout::Opaque(limit) => {
            let length = 0..=usize::try_from(*limit).unwrap().min(9);
            prop::collection::vec(any::<u8>(), length).prop_map(|b| Value::Opaque(b.into())).boxed()
        }
        Layout::Typed => prop_oneof![
            any::<i32>().prop_map(Value::Int),
            any::<u32>().prop_map(Value::Unsigned),
            any::<i64>().prop_map(Value::Hyper),
            any::<u64>().prop_map(Value::UnsignedHyper),
            any::<u64>().prop_map(Value::Double),
            any::<bool>().prop_map(Value::Boolean),
            "[a-z]{0,5}".prop_map(|text| Value::Text(text.into())),
        ]
        .boxed(),
        Layout::Optional(inner) => prop_oneof![Just(Value::Absent), any_value(inner)].boxed(),
        Layout::List(element, _) => {
            prop::collection::vec(any_value(element), 0..3).prop_map(Value::List).boxed()
        }
        Layout::Array(element, count) => {
            prop::collection::vec(any_value(element), usize::try_from(*count).unwrap())
                .prop_map(Value::List)
                .boxed()
        }
        Layout::Record(record) => any_values(record.fields).prop_map(Value::Record).boxed(),
    }
}

/// Any values for fields.
pub(in crate::rpc) fn any_values(fields: &'static [Field]) -> BoxedStrategy<Vec<Value<'static>>> {
    fields.iter().map(|field| any_value(&field.layout)).collect::<Vec<_>>().boxed()
}
