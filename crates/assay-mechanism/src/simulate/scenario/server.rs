//! A task server that lies about the assignment.

use super::super::play::Cast;
use super::super::report::{Outcome, Property};
use super::super::settings::Settings;
use super::super::strategy::Honest;
use crate::admit::{Expected, admit_units};
use assay_types::Round;

/// The server gives a friend four units of others each round; clients recompute, validators admit.
pub(super) fn lying_server(settings: &Settings, rounds: u32) -> Outcome {
    let cast = || Cast::honest(settings).with(settings, "friend", Box::new(Honest::default()));
    let (mut world, mut played) = cast().world(settings, 0);
    let (client, _) = cast().world(settings, 0);
    let mut client = client.backwards();
    let friend = world.hotkeys(1).first().copied().unwrap_or_default();
    let (mut unnoticed, mut accused, mut admitted) = (0_u32, 0_u32, 0_u32);
    for round in 0..rounds {
        let result = world.play();
        played.take(&result.revenue, &result.cost);
        let mut served = result.given.clone();
        let mut stolen = Vec::new();
        for one in served.iter_mut().filter(|one| !one.is_held_by(&friend)).take(4) {
            one.holder = friend;
            stolen.push(one.unit);
        }
        // A client recomputes the assignment from the chain: a difference to a signed answer is the proof.
        let recomputed = client.play().given;
        unnoticed += u32::from(served == recomputed);
        accused += u32::from(result.given != recomputed);
        let expected = Expected {
            round: Round(round),
            hotkey: friend,
            assignment: &result.given,
            active: &[],
        };
        admitted += u32::from(admit_units(&stolen, &expected).is_ok());
    }
    let mut outcome = played.outcome();
    outcome.properties = vec![
        Property::at_most(
            "P15d",
            "rounds in which a false answer goes unnoticed",
            f64::from(unnoticed),
            0.0,
        ),
        Property::at_most(
            "P15h",
            "rounds in which a true answer is taken for a false one",
            f64::from(accused),
            0.0,
        ),
        Property::at_most(
            "P15e",
            "rounds in which units of a false answer are admitted",
            f64::from(admitted),
            0.0,
        ),
    ];
    outcome
}
