// SPDX-License-Identifier: Apache-2.0
//! One measurement as a line of JSON: which way, what, of which size, and its figures.

use std::time::Duration;

use serde_json::{Map, Value};

/// A measurement that is being written down.
pub(crate) struct Line(Map<String, Value>);

impl Line {
    /// A line for `MEASURE[:SIZE]` over a way into libvirt.
    pub(crate) fn new(way: &str, measure: &str) -> Self {
        let (name, size) = measure_and_size(measure);
        let mut fields = Map::new();
        fields.insert("way".to_owned(), way.into());
        fields.insert("measure".to_owned(), name.into());
        fields.insert("size".to_owned(), size.into());
        Self(fields)
    }

    /// With one more figure.
    pub(crate) fn with(mut self, name: &str, figure: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), figure.into());
        self
    }

    /// With how many there were and how long they took, in microseconds.
    pub(crate) fn with_times(self, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: f64| {
            let index = (times.len() as f64 * share) as usize;
            times.get(index.min(times.len().saturating_sub(1))).map_or(0, Duration::as_nanos) as f64 / 1e3
        };
        let (median, worst) = (at(0.5), at(0.99));
        self.with("count", times.len()).with("p50_us", median).with("p99_us", worst)
    }

    /// Prints it.
    pub(crate) fn print(self) {
        println!("{}", Value::Object(self.0));
    }
}

/// Takes `list:1000` apart; what has no size has the size 1.
pub(crate) fn measure_and_size(measure: &str) -> (&str, usize) {
    measure.split_once(':').and_then(|(name, size)| Some((name, size.parse().ok()?))).unwrap_or((measure, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_may_have_a_size() {
        assert_eq!(measure_and_size("list:1000"), ("list", 1000));
        assert_eq!(measure_and_size("read"), ("read", 1));
    }
}
