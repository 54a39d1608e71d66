//! Every chart, with nothing, one or many values, however large: numbers that are finite and within the view box.

use super::*;
use assay_types::Verdict;
use maud::Markup;
use proptest::prelude::*;

/// Every coordinate is a number within the view box.
fn check(markup: &Markup) {
    let text = &markup.0;
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let view: Vec<f64> = text
        .split("viewBox=\"0 0 ")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .split(' ')
        .map(|part| part.parse().unwrap())
        .collect();
    for (name, max) in [
        ("x", view[0]),
        ("cx", view[0]),
        ("y", view[1]),
        ("cy", view[1]),
        ("width", view[0]),
        ("height", view[1]),
    ] {
        for part in text.split(&format!(" {name}=\"")).skip(1) {
            let value: f64 = part.split('"').next().unwrap().parse().unwrap();
            assert!((0.0..=max).contains(&value), "{name}={value} in {text}");
        }
    }
}

proptest! {
    #[test]
    fn coordinates_are_finite_and_inside(values in prop::collection::vec(-1e12_f64..1e12, 0..90), odd in prop::sample::select(vec![f64::NAN, f64::INFINITY, 0.0])) {
        let mut values = values;
        values.push(odd);
        let name = || "a<b".to_owned();
        for width in [350.0, 760.0] {
            let stages: Vec<Stage> = values.iter().take(5).map(|value| Stage { value: *value, shown: name(), name: name() }).collect();
            check(&funnel(&stages, width, "f"));
            let rows: Vec<Bar> = values.iter().map(|value| Bar { name: name(), value: *value, shown: name(), class: "f-slate" }).collect();
            check(&bars(&rows, width, "b"));
            let rounds: Vec<RoundBar> = values.iter().map(|value| RoundBar { round: 1, delivered: *value, verdict: Verdict::Pass, credibility: *value }).collect();
            check(&columns(&rounds, width, "c"));
            let parts: Vec<Step> = values.iter().take(9).map(|value| Step { name: (name(), name()), value: *value, is_total: false, class: "f-verd", shown: name() }).collect();
            check(&waterfall(&parts, width, "w"));
            let points: Vec<Measured> = values.iter().map(|value| Measured { round: *value, value: *value, low: value - 1.0, high: value + 1.0, name: name() }).collect();
            check(&steps(&points, Some(odd), (values[0], width), "s"));
        }
        let parts: Vec<Band> = values.iter().map(|value| Band { value: *value, class: "f-verd" }).collect();
        check(&bands(&parts, "p"));
        check(&phase_track(&PhaseTrack { work: values[0], publish: 2.0, audit: odd, effective: 4.0, now: odd }, 350.0, "t"));
    }
}

#[test]
fn nothing_and_one_are_drawn() {
    check(&funnel(&[], 350.0, "f"));
    check(&bars(&[], 350.0, "b"));
    check(&columns(&[], 350.0, "c"));
    check(&waterfall(&[], 350.0, "w"));
    check(&steps(&[], None, (0.0, 350.0), "s"));
    check(&bands(&[], "p"));
}
