// SPDX-License-Identifier: Apache-2.0
//! Comma-separated values (RFC 4180), safe to open.

use virtwarden_core::trail::escape::printable;

/// One line.
pub(crate) fn line<const COLUMNS: usize>(fields: [String; COLUMNS]) -> String {
    fields.map(|field| quoted(&field)).join(",")
}

/// Quotes a field, and puts an apostrophe before what a spreadsheet would take for a formula: the
/// name of a VM must not be able to act on the desk of whoever opens the file.
fn quoted(field: &str) -> String {
    let safe = printable(field);
    let guard = if safe.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if guard.is_empty() && !safe.contains([',', '"']) {
        return safe;
    }
    format!("\"{guard}{}\"", safe.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_stays_one_field_and_no_formula() {
        let rows = [
            ("bobvm", "bobvm"),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("two\nlines", "two\\nlines"),
        ];
        for (field, expected) in rows {
            assert_eq!(quoted(field), expected);
        }
    }
}
