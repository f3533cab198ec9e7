// SPDX-License-Identifier: Apache-2.0
//! The tables of docs/performance.md, between its two marks.

use std::error::Error;
use std::fs;

use crate::goal::{GOALS, per_connection};
use crate::plot;
use crate::results::Results;

const BEGIN: &str = "<!-- measured: begin -->\n";
const END: &str = "<!-- measured: end -->";

/// Ways into libvirt: how lines name them, the head of their column, and the direct way they are
/// compared with: that of the same phase.
const WAYS: [(&str, &str, &str); 6] = [
    ("direct", "direct, root", "direct"),
    ("person", "direct, plain user", "direct-before"),
    ("proxy", "byte proxy", "direct"),
    ("alice", "gate, Administrator", "direct"),
    ("bob", "gate, User", "direct"),
    ("polkit", "libvirt's polkit driver", "direct-before"),
];

/// What is in a row: its head, measure, size, figure, and how to write it.
type Row = (&'static str, &'static str, u64, &'static str, fn(f64) -> String);

const ROWS: [Row; 11] = [
    ("read call, p50", "read", 1, "p50_us", duration),
    ("read call, p99", "read", 1, "p99_us", duration),
    ("list of 100 VMs, p50", "list", 100, "p50_us", duration),
    ("list of 1,000 VMs, p50", "list", 1000, "p50_us", duration),
    ("list of 10,000 VMs, p50", "list", 10_000, "p50_us", duration),
    ("connect, list of 100 VMs, close, p50", "connect", 1, "p50_us", duration),
    ("VM start, p50", "start", 1, "p50_us", duration),
    ("read calls a second, 1 connection", "throughput", 1, "per_second", count),
    ("read calls a second, 8 connections", "throughput", 8, "per_second", count),
    ("read calls a second, 64 connections", "throughput", 64, "per_second", count),
    ("processor time of libvirtd for a read call", "throughput", 1, "cpu_us/libvirtd", duration),
];

/// Writes the tables into the document and draws the plot.
pub(crate) fn run(results: &str, document: &str, picture: &str) -> Result<(), Box<dyn Error>> {
    let results = Results::parse(&fs::read_to_string(results)?)?;
    let text = fs::read_to_string(document)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("the document has no mark to begin at")?;
    let (_, after) = rest.split_once(END).ok_or("the document has no mark to end at")?;
    fs::write(document, format!("{before}{BEGIN}\n{}\n{END}{after}", tables(&results)))?;
    Ok(fs::write(picture, plot::draw(&results))?)
}

fn tables(results: &Results) -> String {
    [machine(results), goals(results), ways(results), others(results)].join("\n")
}

fn machine(results: &Results) -> String {
    let fact = |name| results.word("machine", "facts", name).unwrap_or_else(|| "?".to_owned());
    format!(
        "Machine: {} cores ({}), {} MiB, Linux {}; load average {} before the run. Debian {}, libvirt {}, \
         QEMU {}, Virtwarden {}. File system below the audit trail: {}. Median of {} rounds for a read call; \
         the slowest round of the direct way was {:.2} times its fastest.\n",
        fact("cores"),
        fact("model"),
        fact("memory_mib"),
        fact("kernel"),
        fact("load"),
        fact("debian"),
        fact("libvirt"),
        fact("qemu"),
        env!("CARGO_PKG_VERSION"),
        results.word("machine", "disk", "filesystem").unwrap_or_else(|| "?".to_owned()),
        results.rounds("direct", "read", 1),
        results.spread("direct", "read", 1, "p50_us").unwrap_or(f64::NAN),
    )
}

fn goals(results: &Results) -> String {
    let rows: String = GOALS.iter().map(|goal| goal.row(results)).collect();
    format!("| goal | limit | measured | |\n|---|---|---|---|\n{rows}")
}

fn ways(results: &Results) -> String {
    let heads: String = WAYS.iter().map(|(_, head, _)| format!(" {head} |")).collect();
    let rule = "---|".repeat(WAYS.len());
    let rows: String = ROWS.iter().map(|row| way_row(results, row)).collect();
    format!("| |{heads}\n|---|{rule}\n{rows}{}", in_the_middle(results))
}

fn way_row(results: &Results, (head, measure, size, figure, write): &Row) -> String {
    let of = |way| results.median(way, measure, *size, figure);
    let cells = WAYS.iter().map(|(way, _, base)| match (of(way), of(base)) {
        (None, _) => " – |".to_owned(),
        (Some(value), Some(base)) if *way != "direct" => {
            format!(" {} ({}) |", write(value), ratio(value / base))
        }
        (Some(value), _) => format!(" {} |", write(value)),
    });
    format!("| {head} |{}\n", cells.collect::<String>())
}

/// Whoever stands between client and libvirtd uses processor time of its own.
fn in_the_middle(results: &Results) -> String {
    let of = |way, daemons: &[&str]| {
        let used = daemons.iter().map(|daemon| format!("cpu_us/{daemon}"));
        used.filter_map(|figure| results.median(way, "throughput", 1, &figure)).reduce(|a, b| a + b)
    };
    let cells = WAYS.iter().map(|(way, _, _)| {
        let used = match *way {
            "proxy" => of(way, &["virtwarden-benc"]),
            "alice" | "bob" => of(way, &["virtwarden-poli"]),
            "polkit" => of(way, &["polkitd", "dbus-daemon"]),
            _ => None,
        };
        used.map_or_else(|| " – |".to_owned(), |used| format!(" {} |", duration(used)))
    });
    let head = "processor time of proxy, policyd, or polkit with D-Bus for a read call";
    format!("| {head} |{}\n", cells.collect::<String>())
}

fn others(results: &Results) -> String {
    let figure = |way, measure, size, name| results.median(way, measure, size, name);
    let text = |value: Option<f64>, write: fn(f64) -> String| value.map_or_else(|| "–".to_owned(), write);
    let mut rows = vec![];
    for writers in [1, 8, 64] {
        let of = |name| figure("trail", "records", writers, name);
        rows.push(format!(
            "| audit trail, writers at once: {writers} | {} durable records a second; wait p50 {}, p99 {} |",
            text(of("per_second"), count),
            text(of("p50_us"), duration),
            text(of("p99_us"), duration),
        ));
    }
    rows.push(format!(
        "| the same disk, one plain writer syncing each 512 bytes | {} a second; wait p50 {}, p99 {} |",
        text(figure("disk", "sync", 1, "per_second"), count),
        text(figure("disk", "sync", 1, "p50_us"), duration),
        text(figure("disk", "sync", 1, "p99_us"), duration),
    ));
    let decisions = [
        ("an Administrator", "administrator"),
        ("a User, VM of his own", "user-allowed"),
        ("a User looking at a VM of his own", "user-view"),
        ("a User, VM of somebody else", "user-refused"),
    ];
    for (who, way) in decisions {
        rows.push(format!("| decision for {who} | {} |", text(figure(way, "decide", 1, "p50_us"), duration)));
    }
    let rss = |measure, size| figure("policyd", measure, size, "rss_kib");
    rows.push(format!("| policyd, idle | {} |", text(rss("idle", 1), kib)));
    rows.push(format!("| policyd, 200 connections held | {} |", text(rss("holding", 200), kib)));
    rows.push(format!("| for each of them | {} |", text(per_connection(results), kib)));
    rows.push(format!("| policyd, 10,000 VMs registered | {} |", text(rss("registered", 10_000), kib)));
    format!("| | |\n|---|---|\n{}\n", rows.join("\n"))
}

fn ratio(value: f64) -> String {
    format!("{value:.*} ×", if value < 10.0 { 2 } else { 0 })
}

/// Microseconds as people read them.
fn duration(us: f64) -> String {
    match us {
        us if us < 1.0 => format!("{:.0} ns", us * 1000.0),
        us if us < 1000.0 => format!("{us:.1} µs"),
        us if us < 1e6 => format!("{:.2} ms", us / 1000.0),
        us => format!("{:.1} s", us / 1e6),
    }
}

fn count(value: f64) -> String {
    format!("{value:.0}")
}

fn kib(value: f64) -> String {
    if value < 1024.0 { format!("{value:.1} KiB") } else { format!("{:.1} MiB", value / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_each_way_and_its_ratio_to_direct() {
        let line =
            |way, us| format!("{{\"way\":\"{way}\",\"measure\":\"read\",\"size\":1,\"p50_us\":{us}}}\n");
        let results = Results::parse(&[line("direct", 50.0), line("alice", 65.0)].concat()).unwrap();
        let row = way_row(&results, &ROWS[0]);
        assert_eq!(row, "| read call, p50 | 50.0 µs | – | – | 65.0 µs (1.30 ×) | – | – |\n");
    }

    #[test]
    fn durations_have_the_unit_people_use() {
        assert_eq!(
            [0.25, 48.44, 2_500.0, 2_500_000.0].map(duration),
            ["250 ns", "48.4 µs", "2.50 ms", "2.5 s"]
        );
    }
}
