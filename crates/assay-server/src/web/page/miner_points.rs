//! The points of a round, cause by cause: production times credibility squared, which enters the average that weights are
//! made of (`assay_mechanism::score`). Production and average are the settled ones; what lies between is recomputed.

use crate::app::App;
use crate::store::{self, StoreError, VerdictRow};
use crate::web::chart::Step;
use assay_mechanism::assign::volume;
use assay_types::{Hotkey, Q32, Round, Verdict};

/// What a round came to.
#[derive(Debug, Clone)]
pub(super) struct Points {
    /// The round.
    pub(super) round: Round,
    /// Units assigned.
    pub(super) assigned: usize,
    /// Their volume in units of mean size.
    pub(super) volume: f64,
    /// Delivered share of the volume, 0 to 1.
    pub(super) delivered: f64,
    /// The verdict.
    pub(super) verdict: Verdict,
    /// Credibility after the round, 0 to 1.
    pub(super) credibility: f64,
    /// `P`, production: delivered volume with gain, novelty and shared pots, times the delivered share; 0 if nothing is paid.
    pub(super) produced: f64,
    /// `E`, the average after the round.
    pub(super) average: f64,
}

/// The points behind a verdict; none without one, or if nothing was assigned.
pub(super) async fn points(
    app: &App,
    hotkey: &Hotkey,
    verdict: Option<&VerdictRow>,
) -> Result<Option<Points>, StoreError> {
    let Some(verdict) = verdict else { return Ok(None) };
    let readers = app.database().readers();
    let document = crate::board::assignment(app, verdict.round).await?;
    let Some(assignment) = document.as_ref() else {
        return Ok(None);
    };
    let sources = crate::board::sources(app).await?;
    let (mut assigned, mut whole) = (0, Q32::ZERO);
    for entry in assignment.of(hotkey) {
        assigned += 1;
        let unit = store::unit(readers, &entry.unit).await?;
        let volume = unit.map_or(Q32::ONE, |(_, unit)| {
            volume(unit.bytes.0, sources.mean(&unit.source))
        });
        whole = whole.saturating_add(volume);
    }
    let one = Q32::ONE.0 as f64;
    Ok((assigned > 0).then(|| Points {
        round: verdict.round,
        assigned,
        volume: whole.0 as f64 / one,
        delivered: verdict.delivered.0 as f64 / one,
        verdict: verdict.verdict,
        credibility: verdict.record.credibility.0 as f64 / one,
        produced: verdict.produced.0 as f64 / one,
        average: verdict.average.0 as f64 / one,
    }))
}

impl Points {
    fn is_paid(&self) -> bool {
        self.verdict == Verdict::Pass
    }

    /// Volume times delivered share, twice: once for the units, once as a factor.
    fn squared(&self) -> f64 {
        self.volume * self.delivered * self.delivered
    }

    /// What gain, novelty and shared pots make of it; 1 for a round that is not paid, where they are not known.
    fn quality(&self) -> f64 {
        let squared = self.squared();
        if self.is_paid() && squared > 0.0 {
            self.produced / squared
        } else {
            1.0
        }
    }

    /// Points with another delivered share and credibility.
    pub(super) fn with(&self, delivered: f64, credibility: f64) -> f64 {
        self.volume * delivered * delivered * self.quality() * credibility * credibility
    }

    /// Points of the round: what enters the average.
    pub(super) fn total(&self) -> f64 {
        self.produced * self.credibility * self.credibility
    }

    /// Cause by cause.
    pub(super) fn steps(&self) -> Vec<Step> {
        let step = |name: (&str, &str), value: f64, class: &'static str| Step {
            name: (name.0.to_owned(), name.1.to_owned()),
            value,
            is_total: false,
            class,
            shown: signed(value),
        };
        let total = |name: &str, value: f64, class: &'static str| Step {
            name: (name.to_owned(), String::new()),
            value,
            is_total: true,
            class,
            shown: format!("{value:.1}"),
        };
        let sized = self.volume - self.assigned as f64;
        let delivered = self.volume * self.delivered;
        let squared = self.squared();
        let mut steps = vec![
            total("Assigned", self.assigned as f64, "f-slate"),
            step(
                ("File", "size"),
                sized,
                if sized < 0.0 { "f-rust" } else { "f-verd" },
            ),
            step(("Not", "delivered"), delivered - self.volume, "f-rust"),
            step(
                ("Share", &format!("×{:.3}", self.delivered)),
                squared - delivered,
                "f-rust",
            ),
        ];
        if self.is_paid() {
            let quality = self.produced - squared;
            steps.push(step(
                ("Gain and", "novelty"),
                quality,
                if quality < 0.0 { "f-rust" } else { "f-verd" },
            ));
            steps.push(step(
                ("Credibility", &format!("×{:.3}²", self.credibility)),
                self.total() - self.produced,
                "f-rust",
            ));
        } else {
            let words = match self.verdict {
                Verdict::OneFault => "one fault",
                Verdict::Fraud => "fraud",
                Verdict::NoShow => "no show",
                Verdict::Unpaid => "unreadable",
                _ => "not judged",
            };
            steps.push(step(("Unpaid", words), -squared, "f-rust"));
        }
        steps.push(total("Points", self.total(), "f-ink"));
        steps
    }

    /// The finding in a sentence.
    pub(super) fn sentence(&self) -> String {
        format!(
            "Of {} assigned units {:.1} percent were delivered; production {:.2} with credibility {:.3} makes {:.1} points",
            self.assigned,
            self.delivered * 100.0,
            self.produced,
            self.credibility,
            self.total()
        )
    }
}

/// `+57`, `−6`, `0`.
pub(super) fn signed(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 {
        "0".to_owned()
    } else if rounded > 0.0 {
        format!("+{rounded:.1}")
    } else {
        format!("−{:.1}", rounded.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(verdict: Verdict, produced: f64) -> Points {
        Points {
            round: Round(3),
            assigned: 4,
            volume: 5.0,
            delivered: 0.9,
            verdict,
            credibility: 0.8,
            produced,
            average: 2.0,
        }
    }

    #[test]
    fn steps_lead_from_what_was_assigned_to_the_points() {
        for (verdict, produced, total) in [
            (Verdict::Pass, 6.0, 3.84),
            (Verdict::Pass, 0.0, 0.0),
            (Verdict::Fraud, 0.0, 0.0),
        ] {
            let points = points(verdict, produced);
            assert!((points.total() - total).abs() < 1e-9);
            let level = points.steps().iter().fold(0.0, |level, step| {
                if step.is_total {
                    assert!(level == 0.0 || (step.value - level).abs() < 1e-9, "{step:?}");
                    step.value
                } else {
                    level + step.value
                }
            });
            assert!((level - total).abs() < 1e-9, "{verdict:?}: {level}");
        }
    }

    #[test]
    fn what_another_round_would_be_worth_keeps_gain_and_novelty() {
        let paid = points(Verdict::Pass, 6.0);
        assert!((paid.with(0.9, 0.8) - paid.total()).abs() < 1e-9);
        assert!((paid.with(0.9, 1.0) - 6.0).abs() < 1e-9);
        assert!((points(Verdict::Fraud, 0.0).with(1.0, 1.0) - 5.0).abs() < 1e-9);
    }
}
