//! Recipes as rows: what was announced, what duels measured, who uses it.

use super::duel::all_duels;
use super::known;
use super::select::column;
use super::{BoardRow, Column, Range, sums};
use crate::app::App;
use crate::failure::Failure;
use crate::store::{self, Parts, StoreError, WorkSum};
use assay_mechanism::contest::Contest;
use assay_mechanism::network::NetworkState;
use assay_types::api::{DuelView, FieldValue, RecipeRow, RecipeStanding, RecipeView};
use assay_types::{Q32, Recipe, RecipeId, Round, recipe};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

/// Recipes read for a board.
const RECIPES_READ: u32 = 2_000;

/// The frozen reference recipe: the subnet's, FineWeb's where none is named.
pub(crate) fn anchor(app: &App) -> RecipeId {
    let named = app.contest().map(Contest::anchor);
    named.unwrap_or_else(|| recipe::fineweb_en_v1().id())
}

/// What crowned recipes are in the next round, by a contest.
fn standing(app: &App, state: &NetworkState, id: &RecipeId) -> Option<RecipeStanding> {
    let share = |value: Q32| value.0 as f64 / Q32::ONE.0 as f64;
    let contest = state.contest.as_ref()?;
    let found = contest.standing(id, Round(state.assigned), &app.params().values)?;
    Some(RecipeStanding {
        place: found.place,
        since: found.since,
        gain: found.gain.map(share),
        used: share(found.used),
        royalty: share(found.royalty),
    })
}

/// The recipes that a submission of the next round may use as far as duels decide it: the anchor, the champion, two before.
pub(crate) async fn active(app: &App) -> Result<BTreeSet<RecipeId>, Failure> {
    let state = known::network_state(app).await?;
    let contest = state.contest.as_ref();
    let won = contest.map(|contest| contest.active(Round(state.assigned)));
    Ok(won.unwrap_or_default().into_iter().chain([anchor(app)]).collect())
}

/// A recipe with what its page needs.
#[derive(Debug, Clone)]
pub(crate) struct RecipeLine {
    /// The row.
    pub(crate) row: RecipeRow,
    /// Its canonical TOML; "" before it is here.
    pub(crate) toml: String,
    /// Share of the verified units of the range, 0 to 1; none if there are none.
    pub(crate) share: Option<f64>,
    /// Whether every copy of the program has it.
    is_built_in: bool,
}

impl RecipeLine {
    /// Its name, or the beginning of its id.
    pub(crate) fn name(&self) -> String {
        if self.row.name.is_empty() {
            self.row.recipe_id.to_string().chars().take(8).collect()
        } else {
            self.row.name.clone()
        }
    }

    /// Where a recipe comes from that nobody committed to the chain.
    pub(crate) const fn origin(&self) -> &'static str {
        if self.is_built_in {
            "built in"
        } else {
            "not committed"
        }
    }

    /// In words.
    pub(crate) fn state(&self) -> &'static str {
        match (&self.row, self.toml.is_empty()) {
            (row, _) if row.anchor => "anchor",
            (row, _) if row.place() == Some(1) => "champion",
            (row, _) if row.place().is_some() => "former champion",
            (_, true) => "announced",
            (row, _) if row.units > 0 => "in use",
            _ => "published",
        }
    }
}

/// What miners did with recipes.
#[derive(Debug, Default)]
struct Use {
    verified: BTreeMap<RecipeId, WorkSum>,
    /// Registered miners by the recipes of their newest manifests.
    miners: BTreeMap<RecipeId, u32>,
}

async fn usage(app: &App, range: Range) -> Result<Use, Failure> {
    let mut used = Use::default();
    for sum in sums::passed(app, range).await?.iter() {
        let verified = used.verified.entry(sum.recipe_id).or_default();
        verified.add_sum(&sum.work);
    }
    let view = app.view();
    for (hotkey, (_, works)) in known::declared(app).await?.iter() {
        // A recipe of miners that have left is still known, but nobody uses it.
        let is_here = u32::from(view.neuron(hotkey).is_some());
        for work in works {
            *used.miners.entry(work.recipe_id).or_default() += is_here;
        }
    }
    Ok(used)
}

/// Recipes that every copy of the program has, with their ids.
fn built_in() -> impl Iterator<Item = &'static (RecipeId, Recipe)> {
    static BUILT_IN: LazyLock<Vec<(RecipeId, Recipe)>> = LazyLock::new(|| {
        let all = recipe::builtin_names().into_iter().filter_map(recipe::builtin);
        all.map(|recipe| (recipe.id(), recipe)).collect()
    });
    BUILT_IN.iter()
}

/// Recipes that were announced.
async fn announced(app: &App) -> Result<Arc<Vec<RecipeView>>, StoreError> {
    let read = store::recipes(app.database().readers(), "", RECIPES_READ);
    app.memo
        .get(app.memo.of(Parts::RELEASES), "recipes".to_owned(), read)
        .await
}

/// The anchor, then what is known of others by id.
async fn views(app: &App, used: &Use) -> Result<Vec<RecipeView>, Failure> {
    let mut views = announced(app).await?.as_ref().clone();
    let mut seen: BTreeSet<RecipeId> = views.iter().map(|view| view.recipe_id).collect();
    let anchor = anchor(app);
    let is_shown = |id: &RecipeId| *id == anchor || used.miners.contains_key(id);
    for (id, recipe) in built_in() {
        if is_shown(id) && seen.insert(*id) {
            views.push(RecipeView {
                recipe_id: *id,
                name: recipe.name.clone(),
                author: None,
                block: assay_types::BlockNumber(0),
                active: true,
                toml: recipe.to_canonical(),
            });
        }
    }
    for id in used.miners.keys() {
        if seen.insert(*id) {
            views.push(RecipeView {
                recipe_id: *id,
                name: String::new(),
                author: None,
                block: assay_types::BlockNumber(0),
                active: false,
                toml: String::new(),
            });
        }
    }
    Ok(views)
}

/// Names of recipes whose text is here.
pub(super) async fn known_names(app: &App) -> Result<Vec<(RecipeId, String)>, Failure> {
    let views = announced(app).await?;
    let built_in = built_in().map(|(id, recipe)| (*id, recipe.name.clone()));
    let named = views
        .iter()
        .map(|view| (view.recipe_id, view.name.clone()))
        .filter(|(_, name)| !name.is_empty());
    Ok(built_in.chain(named).collect())
}

/// Recipes by the lower end of fineness, then by tokens; figures of use over a range.
pub(crate) async fn recipe_lines(app: &App, range: Range) -> Result<Vec<RecipeLine>, Failure> {
    let used = usage(app, range).await?;
    let duels = all_duels(app).await?;
    let units = used.verified.values().map(|sum| sum.units);
    let all = units.fold(0, u64::saturating_add);
    let built_in: BTreeSet<RecipeId> = built_in().map(|(id, _)| *id).collect();
    let took_part = |id: RecipeId| {
        let is_in = |duel: &&Arc<DuelView>| duel.challenger == id || duel.champion == Some(id);
        u32::try_from(duels.list.iter().filter(is_in).count()).unwrap_or(u32::MAX)
    };
    let anchor = anchor(app);
    let state = known::network_state(app).await?;
    let mut lines: Vec<RecipeLine> = views(app, &used)
        .await?
        .into_iter()
        .map(|view| {
            let id = view.recipe_id;
            let sum = used.verified.get(&id).copied().unwrap_or_default();
            let row = RecipeRow {
                rank: 0,
                recipe_id: id,
                name: view.name,
                author: view.author,
                block: view.block,
                anchor: id == anchor,
                fineness: duels.estimates.get(&id).cloned(),
                miners: used.miners.get(&id).copied().unwrap_or(0),
                units: sum.units,
                tokens: sum.tokens,
                duels: took_part(id),
                standing: standing(app, &state, &id),
            };
            let share = (all > 0).then(|| row.units as f64 / all as f64);
            RecipeLine {
                is_built_in: built_in.contains(&id),
                row,
                toml: view.toml,
                share,
            }
        })
        .collect();
    lines.sort_by(|left, right| {
        let low = |line: &RecipeLine| {
            line.row
                .fineness
                .as_ref()
                .map_or(f64::NEG_INFINITY, |found| found.low)
        };
        low(right)
            .total_cmp(&low(left))
            .then_with(|| Reverse(left.row.tokens).cmp(&Reverse(right.row.tokens)))
            .then_with(|| left.row.recipe_id.cmp(&right.row.recipe_id))
    });
    for (rank, line) in (1..).zip(&mut lines) {
        line.row.rank = rank;
    }
    Ok(lines)
}

fn number(value: impl Into<f64>) -> FieldValue {
    FieldValue::Number(value.into())
}

fn text(text: &str) -> FieldValue {
    FieldValue::Texts(vec![text.to_owned()])
}

fn measured(line: &RecipeLine, of: fn(&assay_types::api::Estimate) -> f64) -> FieldValue {
    line.row
        .fineness
        .as_ref()
        .map_or(FieldValue::Missing, |found| FieldValue::Number(of(found)))
}

impl BoardRow for RecipeLine {
    const COLUMNS: &'static [Column<Self>] = &[
        column("rank", "#", (true, true), |line| number(line.row.rank)),
        column("recipe", "Recipe", (false, true), |line| {
            FieldValue::Texts(vec![line.name(), line.row.recipe_id.to_string()])
        }),
        column("fineness", "Fineness ‰", (true, true), |line| {
            measured(line, |found| found.value)
        }),
        column("low", "Lower end", (true, true), |line| {
            measured(line, |found| found.low)
        }),
        column("share", "Used in", (true, true), |line| {
            line.share.map_or(FieldValue::Missing, FieldValue::Number)
        }),
        column("miners", "Miners", (true, true), |line| number(line.row.miners)),
        column("units", "Units", (true, true), |line| {
            number(line.row.units as f64)
        }),
        column("tokens", "Tokens", (true, true), |line| {
            number(line.row.tokens as f64)
        }),
        column("duels", "Duels", (true, true), |line| number(line.row.duels)),
        column("state", "State", (false, true), |line| text(line.state())),
        column("author", "Author", (false, false), |line| {
            line.row
                .author
                .map_or(FieldValue::Missing, |author| text(&author.to_ss58()))
        }),
        column("block", "Committed", (true, false), |line| {
            if line.row.block.0 == 0 {
                FieldValue::Missing
            } else {
                number(line.row.block.0)
            }
        }),
    ];
    const ORDER: (&'static str, bool) = ("low", true);

    fn has_word(&self, word: &str) -> bool {
        self.row.name.to_lowercase().contains(word) || self.row.recipe_id.to_string().starts_with(word)
    }
}
