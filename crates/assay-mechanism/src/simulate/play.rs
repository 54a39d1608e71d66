//! Playing a world for some rounds and measuring groups of miners.
//!
//! Scenarios name their groups and entrants; results are means over the rounds after a warm-up.

use super::report::{Outcome, Series, StrategyResult};
use super::settings::Settings;
use super::strategy::{Honest, Strategy};
use super::world::{Entrant, World};

/// Rounds not counted: caps and averages settle in about thirty.
pub(super) const WARM_UP: usize = 40;

/// One group of miners: name and how many equal shares it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Its name in the report.
    pub(super) name: String,
    /// Its capacity in equal shares: results are divided by it.
    pub(super) shares: f64,
    /// Whether the report shows it.
    pub(super) shown: bool,
}

/// Miners that enter together.
#[derive(Debug, Default)]
pub(super) struct Cast {
    groups: Vec<Group>,
    entrants: Vec<Entrant>,
    /// Who enters later, with the round.
    late: Vec<(u32, Entrant)>,
    owners: u32,
}

impl Cast {
    /// The settings' honest miners as the first group.
    pub(super) fn honest(settings: &Settings) -> Self {
        Self::crowd(settings, || Box::new(Honest::default()))
    }

    /// As many miners of another kind as the first group.
    pub(super) fn crowd(settings: &Settings, strategy: impl Fn() -> Box<dyn Strategy>) -> Self {
        let mut cast = Self::default();
        cast.groups.push(Group {
            name: "honest".to_owned(),
            shares: settings.miners as f64,
            shown: true,
        });
        for _ in 0..settings.miners {
            cast.push(0, settings.units, strategy());
        }
        cast
    }

    fn push(&mut self, group: usize, capacity: u32, strategy: Box<dyn Strategy>) {
        self.owners += 1;
        self.entrants.push(Entrant {
            group,
            owner: self.owners,
            capacity,
            strategy,
        });
    }

    /// One more miner of the usual capacity in a group of its own.
    pub(super) fn with(self, settings: &Settings, name: &str, strategy: Box<dyn Strategy>) -> Self {
        self.with_many(settings, name, vec![(settings.units, strategy)])
    }

    /// A group of miners of one operator under different owners, each with its capacity.
    pub(super) fn with_many(
        mut self,
        settings: &Settings,
        name: &str,
        miners: Vec<(u32, Box<dyn Strategy>)>,
    ) -> Self {
        let capacity: u32 = miners.iter().map(|(capacity, _)| *capacity).sum();
        let group = self.groups.len();
        self.groups.push(Group {
            name: name.to_owned(),
            shares: f64::from(capacity) / f64::from(settings.units),
            shown: true,
        });
        for (capacity, strategy) in miners {
            self.push(group, capacity, strategy);
        }
        self
    }

    /// An honest miner that enters in round `round`.
    pub(super) fn with_late(mut self, settings: &Settings, name: &str, capacity: u32, round: u32) -> Self {
        self = self.with_many(settings, name, vec![(capacity, Box::new(Honest::default()))]);
        self.late
            .extend(self.entrants.pop().map(|entrant| (round, entrant)));
        self
    }

    /// Renames the first group.
    pub(super) fn called(mut self, name: &str) -> Self {
        if let Some(first) = self.groups.first_mut() {
            name.clone_into(&mut first.name);
        }
        self
    }

    /// Plays `rounds` rounds with `auditors` private auditors.
    pub(super) fn play(self, settings: &Settings, rounds: u32, auditors: u32) -> Played {
        let mut world = World::new(settings, auditors, self.entrants);
        let mut played = Played::new(self.groups);
        let mut late = self.late;
        for round in 0..rounds {
            for (_, entrant) in late.extract_if(.., |(enters, _)| *enters == round) {
                world.enter(entrant);
            }
            let result = world.play();
            played.take(&result.revenue, &result.cost);
        }
        played
    }

    /// The world before its first round, for scenarios that look inside.
    pub(super) fn world(self, settings: &Settings, auditors: u32) -> (World<'_>, Played) {
        (
            World::new(settings, auditors, self.entrants),
            Played::new(self.groups),
        )
    }
}

/// Revenue and cost of groups over rounds.
#[derive(Debug)]
pub(super) struct Played {
    groups: Vec<Group>,
    revenue: Vec<Vec<f64>>,
    cost: Vec<Vec<f64>>,
}

impl Played {
    fn new(groups: Vec<Group>) -> Self {
        let empty = vec![Vec::new(); groups.len()];
        Self {
            groups,
            revenue: empty.clone(),
            cost: empty,
        }
    }

    /// Adds a round, in equal shares of each group.
    pub(super) fn take(&mut self, revenue: &[f64], cost: &[f64]) {
        for (at, group) in self.groups.iter().enumerate() {
            let pairs = [(&mut self.revenue, revenue), (&mut self.cost, cost)];
            for (kept, values) in pairs {
                // Groups that have not entered yet earn nothing.
                let value = values.get(at).copied().unwrap_or(0.0);
                if let Some(kept) = kept.get_mut(at) {
                    kept.push(value / group.shares);
                }
            }
        }
    }

    /// The result of group `at` over the counted rounds.
    pub(super) fn result(&self, at: usize) -> StrategyResult {
        let empty = Vec::new();
        let counted = |values: &[Vec<f64>]| -> Vec<f64> {
            let all = values.get(at).unwrap_or(&empty);
            let warm_up = WARM_UP.min(all.len() / 2);
            all.iter().skip(warm_up).copied().collect()
        };
        let name = self.groups.get(at).map_or("", |group| group.name.as_str());
        StrategyResult::new(name, &counted(&self.revenue), &counted(&self.cost))
    }

    /// Revenue of group `at` over all rounds.
    pub(super) fn revenue(&self, at: usize) -> &[f64] {
        self.revenue.get(at).map_or(&[], Vec::as_slice)
    }

    /// Results and series of all groups, none of the properties.
    pub(super) fn outcome(&self) -> Outcome {
        let shown = || self.groups.iter().enumerate().filter(|(_, group)| group.shown);
        Outcome {
            strategies: shown().map(|(at, _)| self.result(at)).collect(),
            series: shown()
                .map(|(at, group)| Series {
                    name: group.name.clone(),
                    revenue: self.revenue(at).to_vec(),
                })
                .collect(),
            properties: Vec::new(),
        }
    }
}
