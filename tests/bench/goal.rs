// SPDX-License-Identifier: Apache-2.0
//! The goals, and how far they are met.

use crate::results::Results;

/// Which side of the limit is good.
#[derive(Clone, Copy)]
enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// What shall hold.
pub(crate) struct Goal {
    what: &'static str,
    limit: Limit,
    unit: &'static str,
    measured: fn(&Results) -> Option<f64>,
}

impl Goal {
    /// A row of the table: goal, what was measured, met or missed.
    pub(crate) fn row(&self, results: &Results) -> String {
        let Some(measured) = (self.measured)(results) else {
            return format!("| {} | {} | not measured | |\n", self.what, self.bound());
        };
        let verdict = if self.met_by(measured) { "met" } else { "**missed**" };
        format!("| {} | {} | {} | {verdict} |\n", self.what, self.bound(), figure(measured, self.unit))
    }

    fn met_by(&self, measured: f64) -> bool {
        match self.limit {
            Limit::AtMost(most) => measured <= most,
            Limit::AtLeast(least) => measured >= least,
        }
    }

    fn bound(&self) -> String {
        match self.limit {
            Limit::AtMost(most) => format!("at most {}", figure(most, self.unit)),
            Limit::AtLeast(least) => format!("at least {}", figure(least, self.unit)),
        }
    }
}

fn figure(value: f64, unit: &str) -> String {
    let digits = if value >= 1000.0 { 0 } else { 2 };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{unit}")
}

/// All goals. Where Administrator and User differ, the slower of the two counts.
pub(crate) const GOALS: [Goal; 11] = [
    Goal {
        what: "read call, against direct",
        limit: Limit::AtMost(1.4),
        unit: " ×",
        measured: |results| slower(results, "read", 1, "direct"),
    },
    Goal {
        what: "read call, against the byte proxy",
        limit: Limit::AtMost(1.1),
        unit: " ×",
        measured: |results| slower(results, "read", 1, "proxy"),
    },
    Goal {
        what: "list of 1,000 VMs, against direct",
        limit: Limit::AtMost(1.5),
        unit: " ×",
        measured: |results| slower(results, "list", 1000, "direct"),
    },
    Goal {
        what: "list of 1,000 VMs, faster than libvirt's polkit driver",
        limit: Limit::AtLeast(50.0),
        unit: " ×",
        measured: |results| slower(results, "list", 1000, "polkit").map(|ratio| 1.0 / ratio),
    },
    Goal {
        what: "VM start, against direct",
        limit: Limit::AtMost(1.03),
        unit: " ×",
        measured: |results| slower(results, "start", 1, "direct"),
    },
    Goal {
        what: "decision",
        limit: Limit::AtMost(1.0),
        unit: " µs",
        measured: |results| {
            let ways = ["administrator", "user-allowed", "user-view", "user-refused"];
            ways.iter().filter_map(|way| results.median(way, "decide", 1, "p50_us")).reduce(f64::max)
        },
    },
    Goal {
        what: "durable audit records a second, 64 writers",
        limit: Limit::AtLeast(20_000.0),
        unit: "",
        measured: |results| results.median("trail", "records", 64, "per_second"),
    },
    Goal {
        what: "memory of an idle policyd",
        limit: Limit::AtMost(20.0),
        unit: " MiB",
        measured: |results| Some(results.median("policyd", "idle", 1, "rss_kib")? / 1024.0),
    },
    Goal {
        what: "memory of policyd for each connection",
        limit: Limit::AtMost(64.0),
        unit: " KiB",
        measured: per_connection,
    },
    Goal {
        what: "growth of a list from 1,000 to 10,000 VMs, against that of direct",
        limit: Limit::AtMost(1.1),
        unit: " ×",
        measured: |results| {
            Some(growth(results, "alice")?.max(growth(results, "bob")?) / growth(results, "direct")?)
        },
    },
    Goal {
        what: "memory of policyd for 10,000 registered VMs, for each VM",
        limit: Limit::AtMost(1.0),
        unit: " KiB",
        measured: |results| {
            let full = results.median("policyd", "registered", 10_000, "rss_kib")?;
            Some((full - results.median("policyd", "idle", 1, "rss_kib")?) / 10_000.0)
        },
    },
];

/// The slower of Administrator and User, in units of another way.
fn slower(results: &Results, measure: &str, size: u64, than: &str) -> Option<f64> {
    let of = |way| results.median(way, measure, size, "p50_us");
    Some(of("alice")?.max(of("bob")?) / of(than)?)
}

fn growth(results: &Results, way: &str) -> Option<f64> {
    let of = |size| results.median(way, "list", size, "p50_us");
    Some(of(10_000)? / of(1000)?)
}

/// What the held connections added, shared out among them.
pub(crate) fn per_connection(results: &Results) -> Option<f64> {
    let held = results.median("policyd", "holding", 200, "rss_kib")?;
    Some((held - results.median("policyd", "idle", 1, "rss_kib")?) / 200.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal() -> &'static Goal {
        GOALS.iter().find(|goal| goal.what.starts_with("list of 1,000 VMs, against")).unwrap()
    }

    fn listed(alice: u32, bob: u32) -> String {
        let ways = [("direct", 100), ("alice", alice), ("bob", bob)];
        let line =
            |(way, us)| format!("{{\"way\":\"{way}\",\"measure\":\"list\",\"size\":1000,\"p50_us\":{us}}}\n");
        goal().row(&Results::parse(&ways.map(line).concat()).unwrap())
    }

    #[test]
    fn the_slower_of_the_two_decides() {
        assert!(listed(110, 150).ends_with("| at most 1.5 × | 1.5 × | met |\n"));
        assert!(listed(151, 110).ends_with("| at most 1.5 × | 1.51 × | **missed** |\n"));
    }

    #[test]
    fn what_was_not_measured_is_not_met() {
        assert!(goal().row(&Results::parse("").unwrap()).contains("not measured"));
    }
}
