//! Miners and validators as cells: drawing, key, place.

use super::{crumbs, ident};
use crate::web::number;
use assay_chain::Metagraph;
use assay_types::{Hotkey, Uid};
use maud::{Markup, html};

/// A miner.
pub(crate) fn miner(hotkey: &Hotkey, uid: Option<Uid>, note: &str) -> Markup {
    cell("miners", hotkey, uid, note)
}

/// A validator.
pub(crate) fn validator(hotkey: &Hotkey, uid: Option<Uid>, note: &str) -> Markup {
    cell("validators", hotkey, uid, note)
}

fn cell(place: &str, hotkey: &Hotkey, uid: Option<Uid>, note: &str) -> Markup {
    html! {
        div.who {
            (ident(hotkey, 30))
            div {
                b { a href=(format!("/{place}/{}", hotkey.to_ss58())) { (number::key(hotkey)) } }
                span {
                    @if let Some(uid) = uid { "UID " (uid.0) }
                    @if uid.is_some() && !note.is_empty() { " · " }
                    (note)
                }
            }
        }
    }
}

/// What of the miners' emission goes to the neuron that burns it, in words; none if nothing does.
pub(crate) fn burned(metagraph: &Metagraph) -> Option<String> {
    let burn = metagraph.burn().filter(|burn| burn.incentive > 0)?;
    let share = f64::from(burn.incentive) / f64::from(u16::MAX);
    Some(format!(
        "{} of the miners' emission is paid to nobody: the weight on UID {}, the owner's, burns it",
        number::percent(share),
        burn.uid.0
    ))
}

/// The head of a neuron's page: who it is, on which board it stands, and what belongs beside that.
pub(crate) fn neuron_title((hotkey, uid): (&Hotkey, Uid), board: (&str, &str), beside: Markup) -> Markup {
    let key = hotkey.to_ss58();
    let (head, tail) = key.split_at_checked(24).unwrap_or((key.as_str(), ""));
    html! {
        (crumbs(&[("/leaderboard/miners", "Leaderboard"), board], &format!("UID {}", uid.0)))
        section.title {
            (ident(hotkey, 64))
            div {
                h1.hotkey { (number::key(hotkey)) }
                p.mono.small.muted { (head) wbr; (tail) " · UID " (uid.0) }
            }
            span.sp {}
            div.row { (beside) }
        }
    }
}
