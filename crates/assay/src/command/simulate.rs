//! `assay simulate`: scenarios of honest and hostile miners over the real mechanism, as table, JSON or plot.

use anyhow::Context as _;
use assay_agents::local::write_atomically;
use assay_mechanism::simulate::{DEFENCES, SIMULATE_SCHEMA, Scenario, Settings, all, find};
use assay_types::ParamSet;
use serde_json::json;

use crate::cli::SimulateArgs;
use crate::console::Console;
use crate::exit::{Status, UsageError};
use crate::recipes::read_bounded_text;
use crate::simulation;

/// Most bytes of a parameter file: 1 MiB, hundreds of times what one takes.
const PARAMS_BYTES_MAX: u64 = 1 << 20;

pub(super) fn run(args: &SimulateArgs, console: &Console) -> anyhow::Result<Status> {
    if args.list {
        return list(console);
    }
    if args.plot.is_some() && args.scenario.is_none() {
        return Err(UsageError::new("`--plot` draws one scenario", "name it with `--scenario`").into());
    }
    let settings = settings(args)?;
    let scenarios: Vec<&Scenario> = match &args.scenario {
        Some(name) => vec![find(name).ok_or_else(|| {
            UsageError::new(
                format!("no scenario `{name}`"),
                "`assay simulate --list` names them",
            )
        })?],
        None => all().iter().collect(),
    };
    let end = args.seed.checked_add(args.seeds).ok_or_else(|| {
        UsageError::new(
            format!("`--seed {}` leaves no room for {} seeds", args.seed, args.seeds),
            "give a smaller `--seed`",
        )
    })?;
    let seeds = args.seed..end;
    let jobs: Vec<(&Scenario, u64)> = scenarios
        .into_iter()
        .flat_map(|scenario| seeds.clone().map(move |seed| (scenario, seed)))
        .collect();
    let reports = simulation::play(&jobs, &settings, super::threads(args.threads));
    let ok = reports.iter().all(assay_mechanism::simulate::Report::holds);
    if let Some(path) = &args.plot {
        let svg = simulation::plot(&reports).context("draw the plot")?;
        write_atomically(path, svg.as_bytes())?;
    }
    let text = || simulation::table(&reports);
    match reports.as_slice() {
        [one] if !args.all => console.outcome(SIMULATE_SCHEMA, ok, one, text)?,
        many => console.outcome(SIMULATE_SCHEMA, ok, &many, text)?,
    }
    Ok(if ok { Status::Ok } else { Status::CheckFailed })
}

fn list(console: &Console) -> anyhow::Result<Status> {
    let named = |name: &str, about: &str| json!({ "name": name, "about": about });
    let data = json!({
        "scenarios": all().iter().map(|one| named(one.name, one.about)).collect::<Vec<_>>(),
        "defences": DEFENCES.iter().map(|one| named(one.name, one.without)).collect::<Vec<_>>(),
    });
    console.result("assay.simulate-list/1", &data, &[], simulation::list)?;
    Ok(Status::Ok)
}

/// Parameter file, then `--set`, then `--without`; nothing is played before all of it is valid.
fn settings(args: &SimulateArgs) -> anyhow::Result<Settings> {
    let mut settings = Settings {
        rounds: args.rounds,
        ..Settings::default()
    };
    let wrong = |error: &dyn std::fmt::Display| {
        UsageError::new(
            error.to_string(),
            "`docs/mechanism.md` lists settings and parameters",
        )
    };
    if let Some(path) = &args.params {
        let text = read_bounded_text(path, PARAMS_BYTES_MAX).map_err(|error| wrong(&error))?;
        settings.params =
            ParamSet::parse_any(&text).map_err(|error| wrong(&format!("{}: {error}", path.display())))?;
    }
    for change in &args.set {
        let (name, value) = change
            .split_once('=')
            .ok_or_else(|| wrong(&format!("`--set {change}` is not NAME=VALUE")))?;
        settings.set(name, value).map_err(|error| wrong(&error))?;
    }
    for defence in &args.without {
        settings.without(defence).map_err(|error| wrong(&error))?;
    }
    Ok(settings)
}
