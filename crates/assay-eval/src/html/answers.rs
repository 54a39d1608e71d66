//! Tables of what trained models answered to benchmarks.

use std::fmt::Write as _;

use super::picture::escape;
#[cfg(test)]
use crate::benchmark::BenchmarkDifference;
use crate::benchmark::{BenchmarkReport, Estimate};
use crate::report::Report;

/// A section with a table a dataset, if benchmarks were answered.
pub(super) fn add(report: &Report, body: &mut String) {
    let mut answered = report
        .datasets
        .iter()
        .filter(|dataset| !dataset.benchmarks.is_empty())
        .peekable();
    if answered.peek().is_none() {
        return;
    }
    body.push_str(
        "<h2>Benchmarks</h2><p>Reported, not scored: what the trained models make of questions. Margin is the lead of the right \
         answer over the best wrong one, in bits per byte; hits are documents of the dataset that share 13 words with an item.</p>",
    );
    differences(report, body);
    for dataset in answered {
        // Writing to a string cannot fail.
        let _ = write!(
            body,
            "<h3>{}</h3><div class=\"wide\"><table><tr><th>benchmark</th><th>items</th><th>bits per byte</th><th>margin</th>\
             <th>right</th><th>guess</th><th>hits</th></tr>",
            escape(&dataset.name)
        );
        dataset.benchmarks.iter().for_each(|found| row(found, body));
        body.push_str("</table></div>");
    }
}

/// First less last dataset, if there are two.
fn differences(report: &Report, body: &mut String) {
    let (Some(first), Some(last)) = (report.datasets.first(), report.datasets.last()) else {
        return;
    };
    if report.benchmarks.is_empty() {
        return;
    }
    let _ = write!(
        body,
        "<h3>{} less {}, paired by item and seed</h3><div class=\"wide\"><table><tr><th>benchmark</th><th>bits per byte</th><th>margin</th>\
         <th>right</th></tr>",
        escape(&first.name),
        escape(&last.name)
    );
    for found in &report.benchmarks {
        let bits = |bits: f64| format!("{bits:+.4}");
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&found.name),
            of(found.bpb, bits),
            of(found.margin, bits),
            percent_of(found.accuracy, |share| format!("{:+.1}", share * 100.0)),
        );
    }
    body.push_str("</table></div>");
}

fn row(found: &BenchmarkReport, body: &mut String) {
    let percent = |share: f64| format!("{:.1}", share * 100.0);
    let _ = write!(
        body,
        "<tr><td>{}</td><td>{} of {}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
        escape(&found.name),
        found.items,
        found.given,
        of(found.bpb, |bits| format!("{bits:.4}")),
        of(found.margin, |bits| format!("{bits:+.4}")),
        percent_of(found.accuracy, percent),
        found
            .chance
            .map_or("–".to_owned(), |chance| percent(chance) + " %"),
        found.hits
    );
}

/// As [`of`], in percent.
fn percent_of(estimate: Option<Estimate>, text: impl Fn(f64) -> String) -> String {
    let unit = if estimate.is_some() { " %" } else { "" };
    of(estimate, text) + unit
}

fn of(estimate: Option<Estimate>, text: impl Fn(f64) -> String) -> String {
    estimate.map_or("–".to_owned(), |Estimate { value, low, high }| {
        format!("{} [{}, {}]", text(value), text(low), text(high))
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn estimate(value: f64) -> Estimate {
        Estimate {
            value,
            low: value - 0.01,
            high: value + 0.01,
        }
    }

    pub(in super::super) fn difference() -> BenchmarkDifference {
        BenchmarkDifference {
            name: "<piqa>".to_owned(),
            bpb: Some(estimate(-0.02)),
            margin: None,
            accuracy: Some(estimate(0.02)),
        }
    }

    pub(in super::super) fn benchmarks() -> Vec<BenchmarkReport> {
        let found = BenchmarkReport {
            name: "<piqa>".to_owned(),
            digest: assay_types::Digest([7; 32]),
            items: 256,
            given: 926,
            bpb: Some(estimate(2.5)),
            margin: Some(estimate(-0.02)),
            accuracy: Some(estimate(0.51)),
            chance: Some(0.5),
            hits: 3,
        };
        let cloze = BenchmarkReport {
            name: "lambada".to_owned(),
            margin: None,
            accuracy: None,
            chance: None,
            ..found.clone()
        };
        vec![found, cloze]
    }

    #[test]
    fn a_row_says_what_was_found_and_what_cannot_be() {
        let mut body = String::new();
        for found in &benchmarks() {
            row(found, &mut body);
        }
        for expected in [
            "<td>&lt;piqa&gt;</td><td>256 of 926</td><td>2.5000 [2.4900, 2.5100]</td>",
            "<td>-0.0200 [-0.0300, -0.0100]</td><td>51.0 [50.0, 52.0] %</td><td>50.0 %</td><td>3</td>",
            "<td>–</td><td>–</td><td>–</td><td>3</td>",
        ] {
            assert!(body.contains(expected), "{expected}: {body}");
        }
    }
}
