//! Simulations on several threads, and their results as a table for people or an SVG plot.
//!
//! `command/simulate.rs` calls it; the mechanism crate plays. Results stand in the order of the jobs, whatever the
//! number of threads.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use assay_mechanism::simulate::{DEFENCES, Report, Scenario, Series, Settings, all, interval, simulate};
use plotters::prelude::*;

/// Plays each scenario under its seed.
pub(crate) fn play(jobs: &[(&Scenario, u64)], settings: &Settings, threads: usize) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Report)>> = Mutex::new(Vec::with_capacity(jobs.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                while let Some((at, (scenario, seed))) = take(&next, jobs) {
                    let settings = Settings {
                        seed: *seed,
                        ..settings.clone()
                    };
                    let report = simulate(scenario, &settings);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .push((at, report));
                }
            });
        }
    });
    let mut done = done
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, report)| report).collect()
}

/// The next job nobody has taken.
fn take<'a, T>(next: &AtomicUsize, jobs: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(at).map(|job| (at, job))
}

/// Scenarios and defences, one line each.
pub(crate) fn list() -> String {
    let mut text = String::new();
    for scenario in all() {
        let _ = writeln!(text, "{:<16} {}", scenario.name, scenario.about);
    }
    text.push_str("\ndefences for --without:\n");
    for defence in DEFENCES {
        let _ = writeln!(text, "{:<16} without it: {}", defence.name, defence.without);
    }
    text
}

/// Reports grouped by scenario, in their order.
fn by_scenario(reports: &[Report]) -> Vec<&[Report]> {
    reports.chunk_by(|a, b| a.scenario == b.scenario).collect()
}

/// A table of profits and properties, over all seeds of a scenario.
pub(crate) fn table(reports: &[Report]) -> String {
    let mut text = String::new();
    for group in by_scenario(reports) {
        let Some(first) = group.first() else { continue };
        let seeds = group.len();
        let plural = if seeds == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "{} · {} rounds · {seeds} seed{plural}",
            first.scenario, first.rounds
        );
        strategies(&mut text, group, first);
        properties(&mut text, group, first);
        text.push('\n');
    }
    let all = reports.iter().flat_map(|report| &report.properties);
    let (held, count) = all.fold((0, 0), |(held, count), property| {
        (held + u32::from(property.holds), count + 1)
    });
    let _ = writeln!(text, "{held} of {count} properties hold");
    text
}

fn strategies(text: &mut String, group: &[Report], first: &Report) {
    if first.strategies.is_empty() {
        return;
    }
    let _ = writeln!(
        text,
        "  {:<28} {:>8} {:>8} {:>8}   95 % interval",
        "strategy", "revenue", "cost", "profit"
    );
    for (at, strategy) in first.strategies.iter().enumerate() {
        let of = |value: fn(&assay_mechanism::simulate::StrategyResult) -> f64| -> Vec<f64> {
            group
                .iter()
                .filter_map(|report| report.strategies.get(at))
                .map(value)
                .collect()
        };
        let (revenue, cost) = (interval(&of(|one| one.revenue)), interval(&of(|one| one.cost)));
        let mut profit = interval(&of(|one| one.profit));
        if group.len() == 1 {
            (profit.low, profit.high) = (strategy.profit_low, strategy.profit_high);
        }
        let _ = writeln!(
            text,
            "  {:<28} {:>8.3} {:>8.3} {:>8.3}   {:.3} to {:.3}",
            strategy.name, revenue.mean, cost.mean, profit.mean, profit.low, profit.high
        );
    }
}

fn properties(text: &mut String, group: &[Report], first: &Report) {
    for (at, property) in first.properties.iter().enumerate() {
        let over_seeds: Vec<_> = group
            .iter()
            .filter_map(|report| report.properties.get(at))
            .collect();
        let held = over_seeds.iter().filter(|one| one.holds).count();
        let mark = if held == over_seeds.len() { "pass" } else { "FAIL" };
        let values: Vec<f64> = over_seeds.iter().map(|one| one.value).collect();
        let bounds: Vec<f64> = over_seeds.iter().map(|one| one.bound).collect();
        let _ = writeln!(
            text,
            "  {mark} {held}/{} {:<5} {} ({:.4} against {:.4})",
            over_seeds.len(),
            property.id,
            property.statement,
            interval(&values).mean,
            interval(&bounds).mean
        );
    }
}

/// Size of a plot in pixels.
const PLOT_SIZE: (u32, u32) = (960, 540);

/// Revenue over rounds by strategy, the mean over seeds, as SVG.
///
/// # Errors
/// What the plotting library refuses.
pub(crate) fn plot(reports: &[Report]) -> anyhow::Result<String> {
    let series = mean_series(reports);
    let rounds = series
        .iter()
        .map(|one| one.revenue.len())
        .max()
        .unwrap_or(0)
        .max(1);
    let most = series
        .iter()
        .flat_map(|one| &one.revenue)
        .fold(1.0_f64, |most, &value| most.max(value));
    let name = reports.first().map_or("", |report| report.scenario.as_str());
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, PLOT_SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(format!("{name}: revenue, 1 = equal share"), ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(0..rounds, 0.0..most * 1.05)?;
        chart
            .configure_mesh()
            .x_desc("round")
            .y_desc("revenue")
            .disable_x_mesh()
            .draw()?;
        for (at, one) in series.iter().enumerate() {
            let color = Palette99::pick(at).to_rgba();
            let points = one.revenue.iter().copied().enumerate();
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(2)))?
                .label(one.name.as_str())
                .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .border_style(BLACK.mix(0.3))
            .background_style(WHITE.mix(0.8))
            .draw()?;
        root.present()?;
    }
    Ok(svg)
}

/// Series of the first report, each value the mean over all reports.
fn mean_series(reports: &[Report]) -> Vec<Series> {
    let Some(first) = reports.first() else {
        return Vec::new();
    };
    let mean = |at: usize, round: usize| {
        let values: Vec<f64> = reports
            .iter()
            .filter_map(|report| report.series.get(at)?.revenue.get(round).copied())
            .collect();
        interval(&values).mean
    };
    first
        .series
        .iter()
        .enumerate()
        .map(|(at, series)| Series {
            name: series.name.clone(),
            revenue: (0..series.revenue.len()).map(|round| mean(at, round)).collect(),
        })
        .collect()
}
