// SPDX-License-Identifier: Apache-2.0
//! Functions of Table 3 as people read them.

use virtwarden_core::table3::Function;

/// Number and slug: `22 start`.
pub(crate) fn named(function: Function) -> String {
    format!("{} {}", function.number(), function.slug())
}

/// Rows as ranges: `1-5,7`.
pub(crate) fn ranges(functions: &[Function]) -> String {
    let mut ranges: Vec<(u8, u8)> = Vec::new();
    for number in functions.iter().map(|function| function.number()) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            Some(_) | None => ranges.push((number, number)),
        }
    }
    let range = |(first, last)| if first == last { format!("{first}") } else { format!("{first}-{last}") };
    crate::output::listed(ranges.into_iter().map(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_a_range() {
        let of = |numbers: &[u8]| {
            let functions: Vec<_> = numbers.iter().map(|n| Function::from_number(*n).unwrap()).collect();
            ranges(&functions)
        };
        assert_eq!(of(&[1, 2, 3, 5, 7, 8]), "1-3,5,7-8");
        assert_eq!(of(&[]), "-");
        assert_eq!(ranges(&Function::ALL), "1-27");
    }
}
