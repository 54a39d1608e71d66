//! Prints the tables of `docs/mechanism.md`: profit by strategy and properties, over five seeds of every scenario.
//!
//! `cargo run --release -p assay-mechanism --example profits`

use assay_mechanism::simulate::{Report, Settings, StrategyResult, all, interval, simulate};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;

fn main() -> std::io::Result<()> {
    let groups: Vec<Vec<Report>> = std::thread::scope(|scope| {
        let threads: Vec<_> = SEEDS
            .map(|seed| {
                scope.spawn(move || {
                    let settings = Settings {
                        seed,
                        ..Settings::default()
                    };
                    all()
                        .iter()
                        .map(|scenario| simulate(scenario, &settings))
                        .collect()
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    let mut out = std::io::stdout().lock();
    profits(&groups, &mut out)?;
    properties(&groups, &mut out)
}

/// Reports of all seeds, each a list of all scenarios.
type Groups = [Vec<Report>];

fn profits(groups: &Groups, out: &mut impl std::io::Write) -> std::io::Result<()> {
    writeln!(
        out,
        "| scenario | strategy | revenue | cost | profit | 95 % interval |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for (at, scenario) in all().iter().enumerate() {
        let reports: Vec<&Report> = groups.iter().filter_map(|group| group.get(at)).collect();
        let rows = reports.first().map_or(0, |report| report.strategies.len());
        for row in 0..rows {
            let results: Vec<&StrategyResult> = reports
                .iter()
                .filter_map(|report| report.strategies.get(row))
                .collect();
            let of = |value: fn(&StrategyResult) -> f64| {
                interval(&results.iter().map(|result| value(result)).collect::<Vec<f64>>())
            };
            let (revenue, cost, profit) = (of(|r| r.revenue), of(|r| r.cost), of(|r| r.profit));
            writeln!(
                out,
                "| `{}` | {} | {:.3} | {:.3} | {:.3} | {:.3} to {:.3} |",
                scenario.name,
                results.first().map_or("", |result| result.name.as_str()),
                revenue.mean,
                cost.mean,
                profit.mean,
                profit.low,
                profit.high
            )?;
        }
    }
    Ok(())
}

fn properties(groups: &Groups, out: &mut impl std::io::Write) -> std::io::Result<()> {
    writeln!(
        out,
        "\n| property | statement | least | greatest | bound | seeds that hold |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    for at in 0..all().len() {
        let reports: Vec<&Report> = groups.iter().filter_map(|group| group.get(at)).collect();
        let rows = reports.first().map_or(0, |report| report.properties.len());
        for row in 0..rows {
            let found: Vec<_> = reports
                .iter()
                .filter_map(|report| report.properties.get(row))
                .collect();
            let Some(first) = found.first() else { continue };
            let least = found.iter().map(|one| one.value).fold(f64::INFINITY, f64::min);
            let most = found
                .iter()
                .map(|one| one.value)
                .fold(f64::NEG_INFINITY, f64::max);
            let held = found.iter().filter(|one| one.holds).count();
            writeln!(
                out,
                "| {} | {} | {least:.4} | {most:.4} | {:.4} | {held} of {} |",
                first.id,
                first.statement,
                first.bound,
                found.len()
            )?;
        }
    }
    Ok(())
}
