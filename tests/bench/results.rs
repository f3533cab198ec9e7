// SPDX-License-Identifier: Apache-2.0
//! What was measured, round by round, and the median of the rounds.

use serde_json::Value;

/// All lines of a run.
pub(crate) struct Results(Vec<Value>);

impl Results {
    /// Reads the lines; what is not one is an error, with its number.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let values = lines.map(|(index, line)| {
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", index + 1))
        });
        values.collect::<Result<_, _>>().map(Self)
    }

    /// The median over all rounds of one figure, `cpu_us/libvirtd` for one within another.
    pub(crate) fn median(&self, way: &str, measure: &str, size: u64, figure: &str) -> Option<f64> {
        let mut figures = self.figures(way, measure, size, figure);
        figures.sort_by(f64::total_cmp);
        let (low, high) = (figures.len().checked_sub(1)? / 2, figures.len() / 2);
        Some((figures.get(low)? + figures.get(high)?) / 2.0)
    }

    /// How far the rounds lie apart: the highest over the lowest.
    pub(crate) fn spread(&self, way: &str, measure: &str, size: u64, figure: &str) -> Option<f64> {
        let figures = self.figures(way, measure, size, figure);
        let lowest = figures.iter().copied().reduce(f64::min)?;
        Some(figures.iter().copied().reduce(f64::max)? / lowest)
    }

    /// How many rounds there were.
    pub(crate) fn rounds(&self, way: &str, measure: &str, size: u64) -> usize {
        self.lines(way, measure, size).count()
    }

    /// A word that a line holds.
    pub(crate) fn word(&self, way: &str, measure: &str, name: &str) -> Option<String> {
        let value = self.lines(way, measure, 1).next()?.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    fn figures(&self, way: &str, measure: &str, size: u64, figure: &str) -> Vec<f64> {
        let pointer = format!("/{figure}");
        self.lines(way, measure, size).filter_map(|line| line.pointer(&pointer)?.as_f64()).collect()
    }

    fn lines(&self, way: &str, measure: &str, size: u64) -> impl Iterator<Item = &Value> {
        let is = move |line: &&Value| {
            line.get("size").and_then(Value::as_u64) == Some(size)
                && line.get("way").and_then(Value::as_str) == Some(way)
                && line.get("measure").and_then(Value::as_str) == Some(measure)
        };
        self.0.iter().filter(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUNDS: &str = r#"
        {"way":"direct","measure":"read","size":1,"p50_us":40.0,"cpu_us":{"libvirtd":9.0}}
        {"way":"direct","measure":"read","size":1,"p50_us":60.0}
        {"way":"direct","measure":"read","size":1,"p50_us":50.0}
        {"way":"direct","measure":"list","size":100,"p50_us":1.0}"#;

    #[test]
    fn the_median_is_that_of_the_rounds() {
        let results = Results::parse(ROUNDS).unwrap();
        assert_eq!(results.median("direct", "read", 1, "p50_us"), Some(50.0));
        assert_eq!(results.median("direct", "read", 1, "cpu_us/libvirtd"), Some(9.0));
        assert_eq!(results.median("direct", "list", 1, "p50_us"), None);
        assert_eq!(results.spread("direct", "read", 1, "p50_us"), Some(1.5));
        assert_eq!(results.rounds("direct", "read", 1), 3);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        assert!(Results::parse("{}\nholding 7").is_err_and(|error| error.starts_with("line 2")));
    }
}
