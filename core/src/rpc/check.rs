// SPDX-License-Identifier: Apache-2.0
//! Arguments of harmless reads that are nevertheless not passed on unseen.
//!
//! Such calls are open to many, and libvirtd works on their arguments with all its rights. So their
//! bounds are checked here first, whoever asks.

use std::fmt;

use crate::rpc::arguments::Arguments;
use crate::rpc::procedure::Procedure;
use crate::rpc::rule::Check;
use crate::rpc::value::Value;
use crate::xml::strict;

/// The most counts that NODE_GET_FREE_PAGES may answer with.
const PAGE_COUNTS: u64 = 1024;
/// The longest CPU description that makes sense; the longest that libvirt writes are a tenth of it.
const CPU_BYTES: usize = 128 * 1024;
/// The longest gap between two words of a description: room for an indentation, none for a flood of lines.
const GAP_BYTES: usize = 256;

/// Why arguments are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// More counts of pages than one answer holds.
    Pages,
    /// No well-formed description of a CPU, or an absurdly long one.
    Cpu,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsound::Pages => {
                write!(f, "page sizes times cells must not be more than {PAGE_COUNTS}; ask for fewer")
            }
            Unsound::Cpu => f.write_str("the description of the CPU is not one; send what libvirt printed"),
        }
    }
}

impl std::error::Error for Unsound {}

/// Makes the check that the procedure asks for.
///
/// # Errors
/// [`Unsound`]: the call is to be refused.
pub fn check(procedure: &Procedure, arguments: &Arguments<'_>) -> Result<(), Unsound> {
    match procedure.check {
        None => Ok(()),
        Some(Check::Pages) => check_pages(arguments),
        Some(Check::CpuXml) => check_cpus(arguments),
    }
}

/// The product is taken in 64 bits, so that it cannot wrap.
fn check_pages(arguments: &Arguments<'_>) -> Result<(), Unsound> {
    let pages = arguments.value("pages").map(|list| list.parts().len());
    let pages = pages.and_then(|count| u64::try_from(count).ok()).ok_or(Unsound::Pages)?;
    let cells = u64::from(arguments.number("cellCount").ok_or(Unsound::Pages)?);
    let sound = pages.checked_mul(cells).is_some_and(|counts| counts <= PAGE_COUNTS);
    sound.then_some(()).ok_or(Unsound::Pages)
}

fn check_cpus(arguments: &Arguments<'_>) -> Result<(), Unsound> {
    let one = ["xml", "xmlCPU"].into_iter().filter_map(|name| arguments.value(name));
    let many = arguments.value("xmlCPUs").map_or(&[][..], Value::parts);
    one.chain(many).try_for_each(check_cpu)
}

fn check_cpu(value: &Value<'_>) -> Result<(), Unsound> {
    let text = value.as_text().ok_or(Unsound::Cpu)?;
    let written_by_a_flood = text.len() > CPU_BYTES || longest_gap(text) > GAP_BYTES || text.contains("&#");
    if written_by_a_flood {
        return Err(Unsound::Cpu);
    }
    let element = strict::parse(text).map_err(|_| Unsound::Cpu)?;
    (element.name == "cpu").then_some(()).ok_or(Unsound::Cpu)
}

fn longest_gap(text: &str) -> usize {
    text.split(|c: char| !c.is_whitespace()).map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::layout::Field;
    use crate::rpc::procedure;
    use crate::rpc::sample;
    use crate::rpc::value;
    use crate::rpc::writer::Writer;

    fn verdict(name: &str, fill: impl Fn(&Field) -> Option<Value<'static>>) -> Result<(), Unsound> {
        let procedure = procedure::by_name(name).unwrap();
        let values: Vec<_> =
            procedure.arguments.iter().map(|f| fill(f).unwrap_or_else(|| sample::value(&f.layout))).collect();
        let mut writer = Writer::default();
        value::encode_fields(procedure.arguments, &values, &mut writer).unwrap();
        check(procedure, &Arguments::decode(procedure, &writer.finish()).unwrap())
    }

    fn pages(sizes: usize, cells: u32) -> Result<(), Unsound> {
        verdict("NODE_GET_FREE_PAGES", |field| match field.name {
            "pages" => Some(Value::List(vec![Value::Unsigned(4); sizes])),
            "cellCount" => Some(Value::Unsigned(cells)),
            _ => None,
        })
    }

    fn cpu(xml: &str) -> Result<(), Unsound> {
        let text = || Value::Text(xml.to_owned().into());
        let single = verdict("CONNECT_COMPARE_CPU", |f| (f.name == "xml").then(text));
        let host = verdict("CONNECT_COMPARE_HYPERVISOR_CPU", |f| (f.name == "xmlCPU").then(text));
        let list = verdict("CONNECT_BASELINE_CPU", |f| {
            (f.name == "xmlCPUs").then(|| Value::List(vec![Value::Text("<cpu/>".into()), text()]))
        });
        assert_eq!((single, single), (host, list), "all calls judge alike: {xml:?}");
        single
    }

    #[test]
    fn page_sizes_times_cells_stay_within_one_answer() {
        assert_eq!(pages(1, 1024), Ok(()));
        assert_eq!(pages(4, 256), Ok(()));
        assert_eq!(pages(4, 257), Err(Unsound::Pages));
        assert_eq!(pages(4, 0x4000_0001), Err(Unsound::Pages), "a product that wraps in 32 bits");
        assert_eq!(pages(1024, u32::MAX), Err(Unsound::Pages));
    }

    #[test]
    fn a_cpu_is_one_well_formed_element_of_sane_size() {
        assert_eq!(cpu("<cpu mode='custom'>\n  <model>qemu64</model>\n</cpu>\n"), Ok(()));
        for wrong in ["", "<cpu", "<domain/>", "<!DOCTYPE cpu><cpu/>", "<cpu a='&#10;'/>", "<cpu/><cpu/>"] {
            assert_eq!(cpu(wrong), Err(Unsound::Cpu), "{wrong}");
        }
        for flood in ["\n", "\r\n", " \n"] {
            let text = format!("<cpu>{}</cpu>", flood.repeat(GAP_BYTES + 1));
            assert_eq!(cpu(&text), Err(Unsound::Cpu), "a flood of {flood:?}");
        }
        assert_eq!(cpu(&format!("<cpu>{}</cpu>", "<x/>".repeat(CPU_BYTES / 4))), Err(Unsound::Cpu));
    }

    #[test]
    fn calls_without_a_check_pass() {
        assert_eq!(verdict("DOMAIN_DEFINE_XML", |_| None), Ok(()));
    }
}
