//! How old what a page shows is: known for a whole rendering, printed on every panel with data.

use super::number;
use crate::api::health_of;
use crate::app::App;
use assay_types::BlockNumber;
use maud::{Markup, html};

tokio::task_local! {
    /// The age of what is being rendered.
    static SHOWN: Age;
}

/// The age of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// No block was read yet.
    Unknown,
    /// The newest block, and milliseconds since it was taken in.
    Of(BlockNumber, u64),
}

impl Age {
    /// Of what the server knows now.
    pub(crate) fn now(app: &App) -> Self {
        let health = health_of(app);
        if app.view().head.is_none() {
            return Self::Unknown;
        }
        Self::Of(health.block, health.block_age_ms)
    }
}

/// Renders with an age.
pub(crate) async fn scope<F: Future>(age: Age, render: F) -> F::Output {
    SHOWN.scope(age, render).await
}

/// The age as panels print it; nothing outside a page.
pub(crate) fn shown() -> Markup {
    let age = SHOWN.try_with(|age| *age).ok();
    html! {
        @match age {
            Some(Age::Of(_, age_ms)) => span.age { (number::span(age_ms)) " ago" },
            Some(Age::Unknown) => span.age { "age unknown" },
            None => {},
        }
    }
}

/// A line that says of which block a table is: of `at` if it is of the past, else of the newest.
pub(crate) fn line(at: Option<BlockNumber>) -> Markup {
    let newest = match SHOWN.try_with(|age| *age) {
        Ok(Age::Of(block, _)) => Some(block),
        _ => None,
    };
    let block = |block: BlockNumber| number::grouped(u64::from(block.0));
    html! {
        p.note {
            @if let Some(at) = at { span.age { "As of block " (block(at)) } }
            @else if let Some(newest) = newest { "As of block " (block(newest)) ", " (shown()) }
            @else { (shown()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_age_is_printed_within_its_page_only() {
        let within = |age| scope(age, async { shown().into_string() });
        let block = BlockNumber(7_214_090);
        assert_eq!(
            within(Age::Of(block, 12_900)).await,
            "<span class=\"age\">12 s ago</span>"
        );
        assert_eq!(
            within(Age::Unknown).await,
            "<span class=\"age\">age unknown</span>"
        );
        assert_eq!(shown().into_string(), "");
        let of = |at| scope(Age::Of(block, 3_000), async move { line(at).into_string() });
        assert_eq!(
            of(None).await,
            "<p class=\"note\">As of block 7,214,090, <span class=\"age\">3 s ago</span></p>"
        );
        assert_eq!(
            of(Some(BlockNumber(300))).await,
            "<p class=\"note\"><span class=\"age\">As of block 300</span></p>"
        );
    }
}
