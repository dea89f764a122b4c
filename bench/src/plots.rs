//! Plots as SVG: lines over two logarithmic axes, readable on light and dark pages.

use std::fmt::Write;

pub(crate) struct Plot {
    pub(crate) title: &'static str,
    /// What stands below the horizontal axis.
    pub(crate) across: &'static str,
    pub(crate) lines: Vec<Line>,
}

pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// Both coordinates are positive.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Left, right, above and below the axes.
const MARGINS: [f64; 4] = [70.0, 190.0, 40.0, 50.0];
/// Told apart also by those who do not see every colour (Okabe and Ito, 2008).
const COLOURS: [&str; 4] = ["#0072b2", "#e69f00", "#009e73", "#cc79a7"];
const STYLE: &str = "text{font:13px sans-serif;fill:#333}.grid{stroke:#ccc}.axis{stroke:#333}\
                     @media(prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}.axis{stroke:#ddd}}";

pub(crate) fn svg(plot: &Plot) -> String {
    let points = || plot.lines.iter().flat_map(|line| line.points.iter());
    let [left, right, above, below] = MARGINS;
    let x = Axis::of(points().map(|point| point.0), left, WIDTH - right);
    let y = Axis::of(points().map(|point| point.1), HEIGHT - below, above);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n<style>{STYLE}</style>\n\
         <title>{}</title>\n",
        plot.title
    );
    let mut put = |piece: String| {
        writeln!(text, "{piece}").expect("a String takes everything");
    };
    for decade in x.decades() {
        let at = x.place(decade);
        put(format!("<line class=\"grid\" x1=\"{at:.1}\" y1=\"{:.1}\" x2=\"{at:.1}\" y2=\"{:.1}\"/>", y.from, y.to));
        put(format!("<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>", y.from + 18.0, label(decade)));
    }
    for decade in y.decades() {
        let at = y.place(decade);
        put(format!("<line class=\"grid\" x1=\"{:.1}\" y1=\"{at:.1}\" x2=\"{:.1}\" y2=\"{at:.1}\"/>", x.from, x.to));
        put(format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            x.from - 8.0,
            at + 4.0,
            label(decade)
        ));
    }
    put(format!(
        "<line class=\"axis\" x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{2:.1}\" y2=\"{1:.1}\"/>",
        x.from, y.from, x.to
    ));
    put(format!(
        "<line class=\"axis\" x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{0:.1}\" y2=\"{2:.1}\"/>",
        x.from, y.from, y.to
    ));
    put(format!(
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        (x.from + x.to) / 2.0,
        HEIGHT - 10.0,
        plot.across
    ));
    for ((line, colour), row) in plot.lines.iter().zip(COLOURS.iter().cycle()).zip(0_i32..) {
        let places: Vec<String> =
            line.points.iter().map(|point| format!("{:.1},{:.1}", x.place(point.0), y.place(point.1))).collect();
        put(format!(
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            places.join(" ")
        ));
        for point in &line.points {
            put(format!(
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\" fill=\"{colour}\"/>",
                x.place(point.0),
                y.place(point.1)
            ));
        }
        let at = above + f64::from(row) * 22.0;
        put(format!("<rect x=\"{:.1}\" y=\"{at:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>", x.to + 16.0));
        put(format!("<text x=\"{:.1}\" y=\"{:.1}\">{}</text>", x.to + 34.0, at + 11.0, line.name));
    }
    text.push_str("</svg>\n");
    text
}

/// Whole decades, from one place to another.
struct Axis {
    first: i32,
    last: i32,
    from: f64,
    to: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Axis {
        let (min, max) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), value| (min.min(value), max.max(value)));
        let (first, last) = if min <= max { (min.log10().floor() as i32, max.log10().ceil() as i32) } else { (0, 1) };
        Axis { first, last: last.max(first + 1), from, to }
    }

    fn decades(&self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).map(|exponent| 10_f64.powi(exponent))
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value.log10() - f64::from(self.first)) / f64::from(self.last - self.first);
        self.from + share * (self.to - self.from)
    }
}

/// Thousands and millions by their letters.
fn label(number: f64) -> String {
    match number {
        number if number >= 1e6 => format!("{}M", number / 1e6),
        number if number >= 1e3 => format!("{}k", number / 1e3),
        number => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_whole_decades_at_equal_distances() {
        let axis = Axis::of([3.0, 250.0].into_iter(), 0.0, 300.0);
        let decades: Vec<f64> = axis.decades().collect();
        assert_eq!(decades, [1.0, 10.0, 100.0, 1_000.0]);
        assert!((axis.place(100.0) - 200.0).abs() < 1e-9);
    }

    #[test]
    fn every_point_is_within_the_picture() {
        let lines = vec![Line { name: "memory, MiB", points: vec![(1e6, 30.0), (1e7, 300.0)] }];
        let text = svg(&Plot { title: "Growth", across: "memberships", lines });
        assert_eq!(text.matches("<circle").count(), 2);
        assert!(text.contains(">10M</text>") && text.contains("prefers-color-scheme:dark"), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }

    #[test]
    fn numbers_are_labelled_shortly() {
        assert_eq!([0.1, 1.0, 100.0, 1e4, 1e7].map(label), ["0.1", "1", "100", "10k", "10M"]);
    }
}
