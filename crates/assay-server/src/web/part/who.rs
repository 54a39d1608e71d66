//! Miners and validators as cells: drawing, key, place.

use super::ident;
use crate::web::number;
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
