//! A report as one HTML page: no script, no request, light and dark; pictures are SVG in the page.
//!
//! Takes a [`Report`]; intervals, domains and loss curves are drawn by `picture`, gates are a table.

mod answers;
mod picture;

use std::fmt::Write as _;

use crate::gates::Gate;
use crate::leak::Leak;
use crate::report::{Bits, DatasetReport, DomainBits, Report};
use picture::{Group, Line, Range, bars, curves, escape, intervals, number};

/// Parts a million in a percent.
const PPM_PERCENT: f64 = 10_000.0;

/// The whole page.
pub fn report_html(report: &Report) -> String {
    let mut body = String::new();
    // Writing to a string cannot fail.
    let _ = write!(body, "<h1>{}</h1>{}", title(report), verdict(report));
    let stages: [(&str, OfStage); 2] = [
        ("n-gram bits per byte (fewer are better)", |dataset| {
            dataset.stage1.as_ref()
        }),
        ("bits per byte of trained models", |dataset| {
            dataset.stage2.as_ref().map(|trained| &trained.bits)
        }),
    ];
    for (name, of) in stages {
        let found = report
            .datasets
            .iter()
            .filter_map(|dataset| Some((dataset.name.as_str(), of(dataset)?)));
        let found: Vec<(&str, &Bits)> = found.collect();
        if !found.is_empty() {
            let _ = write!(
                body,
                "<h2>{name}</h2><figure>{}</figure>",
                intervals(&ranges(&found))
            );
            let groups = domain_bars(&found);
            let _ = write!(body, "<figure>{}</figure>", bars(&groups, number));
            domains(&found, &mut body);
        }
    }
    let fineness = report.datasets.iter().filter_map(fineness);
    let fineness: Vec<Range<'_>> = fineness.collect();
    if !fineness.is_empty() {
        let _ = write!(body, "<h2>Fineness</h2><figure>{}</figure>", intervals(&fineness));
    }
    let lines = report.datasets.iter().filter_map(|dataset| {
        let points = dataset.stage2.as_ref()?.curve.as_slice();
        Some(Line {
            name: &dataset.name,
            points,
        })
    });
    let lines: Vec<Line<'_>> = lines.collect();
    if !lines.is_empty() {
        let _ = write!(
            body,
            "<h2>Training loss, bits a token over the run, mean of the seeds</h2><figure>{}</figure>",
            curves(&lines)
        );
    }
    answers::add(report, &mut body);
    contamination(report, &mut body);
    body.push_str("<h2>Gates</h2>");
    report
        .datasets
        .iter()
        .for_each(|dataset| gates(dataset, &mut body));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <title>{} · Assay evaluation</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n",
        title(report)
    )
}

/// What one stage says of a dataset.
type OfStage = fn(&DatasetReport) -> Option<&Bits>;

fn title(report: &Report) -> String {
    let names: Vec<String> = report
        .datasets
        .iter()
        .map(|dataset| escape(&dataset.name))
        .collect();
    names.join(" · ")
}

fn verdict(report: &Report) -> String {
    let mut text = String::new();
    if let Some(verdict) = &report.verdict {
        let _ = write!(
            text,
            "<p class=\"verdict\"><b>{}</b>: {}.</p>",
            escape(&verdict.headline()),
            escape(&verdict.why)
        );
    }
    let mut facts = Vec::new();
    if let (Some(profile), Some(tokens)) = (report.profile, report.budget_tokens) {
        facts.push(format!("{profile}: {tokens} tokens a fold"));
    }
    if let Some(training) = &report.training {
        facts.push(format!(
            "{}: {} models of {} tokens a dataset, {} looks, trained with {}",
            training.profile, training.seeds, training.budget_tokens, training.looks, training.instructions
        ));
    }
    if let Some(evaluation) = &report.evaluation {
        facts.push(format!("evaluation text {evaluation}"));
    }
    let pinned = [("pack", report.pack), ("index of benchmarks", report.index)];
    for (what, digest) in pinned {
        facts.extend(digest.map(|digest| format!("{what} {digest}")));
    }
    facts.push("intervals are 95 %".to_owned());
    let _ = write!(text, "<p class=\"facts\">{}</p>", facts.join(" · "));
    text
}

fn ranges<'a>(found: &[(&'a str, &Bits)]) -> Vec<Range<'a>> {
    let range = |(name, bits): &(&'a str, &Bits)| Range {
        name,
        point: bits.bpb,
        low: bits.low,
        high: bits.high,
    };
    found.iter().map(range).collect()
}

fn fineness(dataset: &DatasetReport) -> Option<Range<'_>> {
    Some(Range {
        name: &dataset.name,
        point: dataset.fineness?,
        low: dataset.fineness_low?,
        high: dataset.fineness_high?,
    })
}

/// Bars of every domain, a bar a dataset.
fn domain_bars<'a>(found: &[(&'a str, &'a Bits)]) -> Vec<Group<'a>> {
    let Some((_, first)) = found.first() else {
        return Vec::new();
    };
    let group = |domain: &'a String| Group {
        name: domain,
        bars: found
            .iter()
            .filter_map(|(name, bits)| Some((*name, bits.domains.get(domain)?.bpb)))
            .collect(),
    };
    first.domains.keys().map(group).collect()
}

/// What share of documents repeats evaluation text or benchmarks and is not trusted, and how far gains on public text drop on
/// fresh text.
fn contamination(report: &Report, body: &mut String) {
    let shares = [
        ("evaluation text, dropped before training", "held_out"),
        ("benchmarks", "contamination"),
    ];
    let groups = shares.iter().map(|(name, gate)| Group {
        name,
        bars: report
            .datasets
            .iter()
            .filter_map(|dataset| {
                let share = dataset.gates.get(gate)?.value_ppm?;
                Some((dataset.name.as_str(), share as f64 / PPM_PERCENT))
            })
            .collect(),
    });
    let groups: Vec<Group<'_>> = groups.filter(|group| !group.bars.is_empty()).collect();
    let gains = report
        .datasets
        .iter()
        .filter_map(|dataset| dataset.leak.as_ref().map(|leak| (&dataset.name, leak)));
    let gains: Vec<(&String, &Leak)> = gains.collect();
    if groups.is_empty() && gains.is_empty() {
        return;
    }
    body.push_str("<h2>Contamination</h2>");
    if !groups.is_empty() {
        let percent = |value| format!("{value:.3} %");
        let _ = write!(
            body,
            "<p>Documents that share 13 words with</p><figure>{}</figure>",
            bars(&groups, percent)
        );
    }
    if !gains.is_empty() {
        body.push_str(
            "<p>Bits per byte gained over another dataset; a gain on public text that fresh text does not show is a leak</p>\
             <table><tr><th>dataset</th><th>over</th><th>public text</th><th>fresh text</th><th>drop</th><th></th></tr>",
        );
        for (name, leak) in gains {
            let _ = write!(
                body,
                "<tr class=\"{}\"><td>{}</td><td>{}</td><td>{:+.4}</td><td>{:+.4}</td><td>{:.4} ± {:.4}</td><td>{}</td></tr>",
                if leak.is_leak { "failed" } else { "" },
                escape(name),
                escape(&leak.anchor),
                leak.public,
                leak.fresh,
                leak.gap,
                leak.standard_error,
                if leak.is_leak { "leak" } else { "" }
            );
        }
        body.push_str("</table>");
    }
}

/// A table of domains; the fewest bits of a row are bold.
fn domains(found: &[(&str, &Bits)], body: &mut String) {
    let Some((_, first)) = found.first() else {
        return;
    };
    let heads = found.iter().map(|(name, _)| format!("<th>{}</th>", escape(name)));
    let _ = write!(
        body,
        "<table><tr><th>domain</th>{}</tr>",
        heads.collect::<String>()
    );
    for domain in first.domains.keys() {
        let values = found.iter().map(|(_, bits)| bits.domains.get(domain));
        let values: Vec<Option<&DomainBits>> = values.collect();
        let least = values.iter().flatten().map(|value| value.bpb);
        let least = least.fold(f64::INFINITY, f64::min);
        let _ = write!(body, "<tr><td>{}</td>", escape(domain));
        for value in values {
            let _ = match value {
                Some(value) => {
                    let mark = if value.bpb <= least {
                        ["<b>", "</b>"]
                    } else {
                        ["", ""]
                    };
                    let [begin, end] = mark;
                    let (low, high) = (value.low, value.high);
                    write!(
                        body,
                        "<td>{begin}{:.4}{end} [{low:.4}, {high:.4}]</td>",
                        value.bpb
                    )
                }
                None => write!(body, "<td>–</td>"),
            };
        }
        body.push_str("</tr>");
    }
    body.push_str("</table>");
}

fn gates(dataset: &DatasetReport, body: &mut String) {
    let _ = write!(
        body,
        "<h3>{}</h3><table><tr><th>gate</th><th></th><th>measured</th><th>limit</th><th></th></tr>",
        escape(&dataset.name)
    );
    let percent = |ppm: Option<u64>| {
        ppm.map_or("–".to_owned(), |ppm| {
            format!("{:.2} %", ppm as f64 / PPM_PERCENT)
        })
    };
    for (name, gate) in &dataset.gates {
        let _ = write!(
            body,
            "<tr class=\"{}\"><td>{name}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            if gate.passed == Some(false) { "failed" } else { "" },
            state(gate),
            percent(gate.value_ppm),
            percent(gate.threshold_ppm),
            escape(&gate.why)
        );
    }
    body.push_str("</table>");
    if let Some(tokens) = dataset.tokens_per_gb {
        let _ = write!(body, "<p>yield: {tokens} tokens a GB of archives</p>");
    }
    if !dataset.flags.is_empty() {
        let _ = write!(body, "<p>flags: {}</p>", escape(&dataset.flags.join(", ")));
    }
}

fn state(gate: &Gate) -> &'static str {
    match gate.passed {
        Some(true) => "pass",
        Some(false) => "FAIL",
        None => "not checked",
    }
}

/// Layout and colours.
const STYLE: &str = "\
:root{color-scheme:light dark}body{margin:0;background:#f3f4f1;color:#14191a;font:15px/1.5 system-ui,sans-serif}\
main{max-width:960px;margin:0 auto;padding:24px}h1{font-size:26px;overflow-wrap:anywhere}h2{font-size:18px;margin:28px 0 8px}\
h3{font-size:15px;margin:16px 0 4px}.verdict{font-size:18px}.facts{color:#4b5655;overflow-wrap:anywhere}\
figure{margin:0 0 12px;padding:8px;background:#fcfcfa;border:1px solid #d9ddd6;border-radius:10px;overflow-x:auto}\
svg{display:block;width:100%;min-width:520px;height:auto}svg text{fill:currentColor;font:12px system-ui,sans-serif}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}td,th{text-align:left;padding:3px 8px;border-bottom:1px solid #d9ddd6}\
.failed{color:#a3261b;font-weight:600}.wide{overflow-x:auto;font-size:14px}.wide td,.wide th{white-space:nowrap}\
@media(prefers-color-scheme:dark){body{background:#0c0f11;color:#e9ecea}figure{background:#13181b;border-color:#242c30}\
td,th{border-color:#242c30}.facts{color:#a3aeac}.failed{color:#ff8a7a}}";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Outcome, TrainedBits, TrainingReport, Verdict};
    use std::collections::BTreeMap;

    fn domain(bpb: f64) -> DomainBits {
        DomainBits {
            bpb,
            low: bpb - 0.03,
            high: bpb + 0.03,
        }
    }

    fn dataset(name: &str, bpb: f64) -> DatasetReport {
        let bits = Bits {
            bpb,
            low: bpb - 0.02,
            high: bpb + 0.02,
            domains: BTreeMap::from([
                ("novels".to_owned(), domain(bpb)),
                ("a<b".to_owned(), domain(bpb + 0.1)),
            ]),
        };
        DatasetReport {
            name: name.to_owned(),
            documents: 3,
            bytes: 10,
            tokens: 5,
            tokens_per_gb: Some(7),
            stage2: Some(TrainedBits::of(bits.clone(), 4, &[9.0, 7.5, 7.0])),
            stage1: Some(bits),
            benchmarks: answers::tests::benchmarks(),
            fineness: Some(400.0),
            fineness_low: Some(380.0),
            fineness_high: Some(420.0),
            fineness_profile: Some("cpu-v1"),
            why: None,
            leak: Some(Leak {
                anchor: "an<other".to_owned(),
                public: 0.3,
                fresh: 0.01,
                gap: 0.29,
                standard_error: 0.02,
                is_leak: true,
            }),
            gates: BTreeMap::from([
                ("markup", Gate::share(1, 10, 10_000, "documents of <tags>")),
                ("held_out", Gate::share(1, 40, 100, "documents share 13 words")),
            ]),
            flags: vec!["gate/markup".to_owned()],
        }
    }

    #[test]
    fn the_page_asks_for_nothing_and_escapes_names() {
        let report = Report {
            profile: Some("ngram-v1"),
            budget_tokens: Some(131_072),
            evaluation: None,
            pack: Some(assay_types::Digest([7; 32])),
            index: None,
            training: Some(TrainingReport {
                profile: "cpu-v1",
                budget_tokens: 1 << 20,
                seeds: 4,
                looks: 1,
                instructions: "avx2",
            }),
            datasets: vec![dataset("<script>alert(1)</script>", 2.5), dataset("b & c", 2.4)],
            benchmarks: vec![answers::tests::difference()],
            verdict: Some(Verdict {
                outcome: Outcome::Better,
                better: Some("b & c".to_owned()),
                probability: Some(0.99),
                looks: 1,
                difference: None,
                trained_difference: None,
                why: "fewer bits per byte".to_owned(),
            }),
        };
        let page = report_html(&report);
        for foreign in [
            "<script", "http:", "https:", "src=", "url(", "@import", "a<b", "an<other",
        ] {
            assert!(!page.contains(foreign), "{foreign}");
        }
        for expected in [
            "<b>`b &amp; c` is better, with probability 0.9900</b>: fewer bits per byte.",
            "1 looks, trained with avx2",
            "yield: 7 tokens a GB",
            "pack 0707",
            "&lt;script&gt;",
            "4 models of 1048576 tokens",
            "<polyline",
            "10.00 %",
            "FAIL",
            "documents of &lt;tags&gt;",
            "<td><b>2.4000</b> [2.3700, 2.4300]</td>",
            "2.500 % · b &amp; c",
            "2.5000 · b &amp; c",
            "<td>+0.3000</td><td>+0.0100</td><td>0.2900 ± 0.0200</td><td>leak</td>",
            "<h2>Benchmarks</h2>",
            "<td>&lt;piqa&gt;</td><td>-0.0200 [-0.0300, -0.0100]</td><td>–</td><td>+2.0 [+1.0, +3.0] %</td>",
        ] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        // Intervals and bars of both stages, fineness, curves, contamination.
        assert_eq!(page.matches("<svg").count(), 7);
    }
}
