// SPDX-License-Identifier: Apache-2.0
//! The plot: how the time of a list grows with the number of VMs, both axes logarithmic.

use crate::results::Results;

const SIZES: [u64; 3] = [100, 1000, 10_000];
/// The axis of time, in powers of ten of a microsecond: from 0.1 ms to 100 s.
const DECADES: std::ops::RangeInclusive<i32> = 2..=8;
const LEFT: f64 = 80.0;
const TOP: f64 = 50.0;
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;

/// Ways in the order of the legend: name in the lines, label, colour.
const WAYS: [(&str, &str, &str); 5] = [
    ("polkit", "libvirt's polkit driver", "#b3403a"),
    ("bob", "gate, User (sees 20)", "#2f7d4f"),
    ("alice", "gate, Administrator", "#2b5fa8"),
    ("proxy", "byte proxy", "#8a8a8a"),
    ("direct", "direct", "#222222"),
];

/// The picture as SVG.
pub(crate) fn draw(results: &Results) -> String {
    let ways = WAYS.iter().enumerate();
    let curves: String = ways.map(|(index, way)| curve(results, way) + &legend(index, way)).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 420\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <!-- SPDX-License-Identifier: Apache-2.0 -->\n\
         <rect width=\"700\" height=\"420\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"25\" font-size=\"15\">Time of one list of all VMs (median)</text>\n\
         {}{curves}<text x=\"290\" y=\"405\" text-anchor=\"middle\">VMs on the host</text>\n</svg>\n",
        axes()
    )
}

fn axes() -> String {
    let mut svg = String::new();
    for power in DECADES {
        let y = y(10_f64.powi(power));
        let right = LEFT + WIDTH;
        svg +=
            &format!("<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\" stroke=\"#dddddd\"/>\n");
        svg += &text(LEFT - 8.0, y + 4.0, "end", &label(power));
    }
    for size in SIZES {
        let (x, bottom) = (x(size), TOP + HEIGHT);
        svg +=
            &format!("<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#eeeeee\"/>\n");
        svg += &text(x, bottom + 20.0, "middle", &size.to_string());
    }
    svg
}

fn curve(results: &Results, (way, _, colour): &(&str, &str, &str)) -> String {
    let measured = |size| Some((x(size), y(results.median(way, "list", size, "p50_us")?)));
    let points: Vec<_> = SIZES.into_iter().filter_map(measured).collect();
    let line: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let line = line.join(" ");
    let mut svg =
        format!("<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n");
    for (x, y) in points {
        svg += &format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{colour}\"/>\n");
    }
    svg
}

fn legend(index: usize, (_, label, colour): &(&str, &str, &str)) -> String {
    let y = TOP + 20.0 + 22.0 * index as f64;
    let (from, to) = (LEFT + WIDTH + 15.0, LEFT + WIDTH + 35.0);
    let mark = format!(
        "<line x1=\"{from}\" y1=\"{y}\" x2=\"{to}\" y2=\"{y}\" stroke=\"{colour}\" stroke-width=\"3\"/>\n"
    );
    mark + &text(to + 6.0, y + 4.0, "start", label)
}

fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n")
}

fn label(power: i32) -> String {
    match power {
        ..3 => format!("{} µs", 10_u32.pow(power.unsigned_abs())),
        3..6 => format!("{} ms", 10_u32.pow(power.abs_diff(3))),
        6.. => format!("{} s", 10_u32.pow(power.abs_diff(6))),
    }
}

fn x(size: u64) -> f64 {
    LEFT + 20.0 + ((size as f64).log10() - 2.0) / 2.0 * (WIDTH - 40.0)
}

fn y(us: f64) -> f64 {
    let (first, last) = (f64::from(*DECADES.start()), f64::from(*DECADES.end()));
    TOP + HEIGHT - (us.log10() - first) / (last - first) * HEIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_lies_where_its_figures_say() {
        let line = r#"{"way":"direct","measure":"list","size":100,"p50_us":100.0}"#;
        let svg = draw(&Results::parse(line).unwrap());
        assert!(svg.contains("<circle cx=\"100.0\" cy=\"350.0\""));
        assert_eq!(svg.matches("<circle").count(), 1);
    }

    #[test]
    fn the_axis_has_the_units_people_use() {
        assert_eq!([2, 3, 5, 6, 8].map(label), ["100 µs", "1 ms", "100 ms", "1 s", "100 s"]);
    }
}
