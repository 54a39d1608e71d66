//! A page as people read it: its blocks in order, each with why the extraction left it out.

use super::run::{ExtractDrop, ExtractOptions, document};
use super::select::{Verdict, choose};
use super::walk::{Scope, walk};

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedBlock {
    /// Its text.
    pub text: String,
    /// Why it is no main text; none if it is.
    pub cut: Option<&'static str>,
}

/// The blocks of a decoded page that hold text. What extraction decided is decided by the same choice, so the two cannot differ.
///
/// # Errors
/// [`ExtractDrop`] when a budget is broken.
pub fn judged_blocks(html: &str, options: &ExtractOptions) -> Result<Vec<JudgedBlock>, ExtractDrop> {
    let page = walk(&document(html, options)?, Scope::All);
    let choice = choose(&page, options.profile);
    let judged = page.blocks.iter().zip(&choice.blocks);
    Ok(judged
        .map(|(block, (_, verdict))| JudgedBlock {
            text: page.block_text(block).to_owned(),
            cut: reason(*verdict),
        })
        .filter(|block| !block.text.trim().is_empty())
        .collect())
}

const fn reason(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Kept => None,
        Verdict::Low => Some("not main text"),
        Verdict::Comment => Some("comments"),
        Verdict::Furniture => Some("links or a label"),
        Verdict::Noscript => Some("repeated in noscript"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_blocks_are_the_text_that_is_extracted() {
        let html = "<title>T</title><nav><a href=/>Home</a> <a href=/shop>Shop</a></nav><main><p>The river has risen again, and \
            the town is waiting for the water to fall. Nobody was hurt, said the mayor.</p><p>The bridge stays closed until \
            Monday, and the school has moved into the town hall for the week.</p></main><footer>Imprint</footer>";
        let options = ExtractOptions::default();
        let blocks = judged_blocks(html, &options).unwrap();
        let kept: Vec<&str> = blocks
            .iter()
            .filter(|block| block.cut.is_none())
            .map(|block| block.text.trim())
            .collect();
        let text = super::super::extract(html, &options).unwrap().text;
        assert_eq!(kept.len(), 2);
        assert!(kept.iter().all(|part| text.contains(part)), "{kept:?} {text}");
        let cut = |part: &str| blocks.iter().find(|block| block.text.contains(part)).unwrap().cut;
        assert!(cut("Home").is_some() && cut("Imprint").is_some(), "{blocks:?}");
    }
}
