//! The scenarios of the simulator: who is in the network, and which property the outcome must have.
//!
//! A new attack is a strategy (or a group of validators), a function here and one line in [`all`].

use super::report::Outcome;
use super::settings::Settings;

mod copying;
mod duel;
mod exactness;
mod fabrication;
mod gain;
mod identity;
mod laziness;
mod leak;
mod refusal;
mod replicas;
mod server;
mod validators;

/// A scenario.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What it shows, on one line.
    pub about: &'static str,
    /// Rounds it plays if not told otherwise.
    pub rounds: u32,
    /// Fewest rounds that show anything; fewer asked for become these.
    pub rounds_min: u32,
    /// Plays it for a number of rounds.
    pub(super) play: fn(&Settings, u32) -> Outcome,
}

/// Declares a scenario.
const fn scenario(
    name: &'static str,
    about: &'static str,
    rounds: u32,
    play: fn(&Settings, u32) -> Outcome,
) -> Scenario {
    Scenario {
        name,
        about,
        rounds,
        rounds_min: 1,
        play,
    }
}

impl Scenario {
    /// The same, played for at least `rounds_min` rounds.
    const fn for_at_least(self, rounds_min: u32) -> Self {
        Self { rounds_min, ..self }
    }
}

/// Rounds of most scenarios.
const ROUNDS: u32 = 240;

/// The registry.
const ALL: &[Scenario] = &[
    scenario(
        "honest",
        "everyone refines what it is assigned",
        ROUNDS,
        exactness::honest,
    ),
    scenario(
        "copycat",
        "one copies the submissions of others",
        ROUNDS,
        copying::copycat,
    ),
    scenario(
        "precompute",
        "one refines units before the beacon assigns them",
        ROUNDS,
        copying::precompute,
    ),
    scenario(
        "lazy",
        "some refine only a fraction of the records",
        ROUNDS,
        laziness::lazy,
    ),
    scenario(
        "whole-units",
        "some invent a few units among honest ones",
        ROUNDS,
        laziness::whole_units,
    ),
    scenario(
        "skim",
        "one does a thin part of many units",
        ROUNDS,
        laziness::skim,
    ),
    scenario(
        "fabricate",
        "some invent a share of the rows",
        ROUNDS,
        fabrication::fabricate,
    ),
    scenario(
        "lapse",
        "one cheats in a single round and is honest ever after",
        120,
        fabrication::lapse,
    ),
    scenario(
        "pad",
        "one fills half of its rows from a published dataset",
        ROUNDS,
        fabrication::pad,
    ),
    scenario(
        "sybil",
        "operators split the same machines over up to 16 hotkeys",
        600,
        identity::sybil,
    ),
    scenario(
        "merge",
        "operators put the machines of several miners behind one hotkey",
        600,
        identity::merge,
    ),
    scenario(
        "gain",
        "miners use recipes that are ten per cent better or worse",
        ROUNDS,
        gain::gain,
    ),
    scenario(
        "collude",
        "a minority of stake lifts one miner and censors another",
        80,
        validators::collude,
    ),
    scenario(
        "agree",
        "two validators replay the same rounds",
        80,
        exactness::agree,
    ),
    scenario(
        "weight-copier",
        "a validator repeats the weights that are public",
        120,
        validators::weight_copier,
    ),
    scenario(
        "whitewash",
        "cheaters return under new hotkeys",
        ROUNDS,
        identity::whitewash,
    ),
    scenario(
        "nondeterminism",
        "honest machines err in one row of ten thousand to a million",
        ROUNDS,
        exactness::nondeterminism,
    ),
    scenario(
        "newcomer",
        "miners of three sizes join a running network",
        120,
        identity::newcomer,
    )
    .for_at_least(identity::NEWCOMER_ROUNDS_MIN),
    scenario(
        "freeze",
        "some refuse to be read by all or part of the validators",
        ROUNDS,
        refusal::freeze,
    ),
    scenario(
        "withhold",
        "some delete their files after they were paid",
        ROUNDS,
        refusal::withhold,
    ),
    scenario(
        "hoard",
        "one takes more units than it can do",
        ROUNDS,
        refusal::hoard,
    ),
    scenario(
        "replicas",
        "an operator of a fifth of the network does its own replicas once",
        ROUNDS,
        replicas::replicas,
    ),
    scenario(
        "skip-replicas",
        "one leaves out units whose pay is shared",
        ROUNDS,
        replicas::skip_replicas,
    ),
    scenario(
        "sabotage",
        "a rival is taken off the network",
        ROUNDS,
        replicas::sabotage,
    ),
    scenario(
        "canary",
        "the owner plants faults to find validators that do not look",
        40,
        validators::canary,
    ),
    scenario(
        "lying-server",
        "the task server gives a friend units of others",
        40,
        server::lying_server,
    ),
    scenario(
        "duel-false",
        "copies of the champion want its throne in every cycle",
        1_000,
        duel::duel_false,
    ),
    scenario(
        "duel-power",
        "a better recipe wants the throne",
        100,
        duel::duel_power,
    ),
    scenario(
        "leak",
        "recipes with evaluation text in what they train on",
        80,
        leak::leak,
    ),
];

/// Every scenario, in the order of their properties.
pub fn all() -> &'static [Scenario] {
    ALL
}

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    all().iter().find(|scenario| scenario.name == name)
}
