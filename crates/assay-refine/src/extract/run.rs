//! `extract` and `visible_text`: the options, the result, and the way from page to text.

use super::context::Context;
use super::feature::Ground;
use super::mark;
use super::markdown::{self, MarkdownOptions};
use super::metadata::Metadata;
use super::page::{Block, Page};
use super::select::{choose, is_discussion, is_furniture};
use super::walk::{Scope, walk, walk_with_owners};
use crate::html::{Document, OverBudget, ParseLimits, parse};

/// What is wanted from a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Few words that are not main text, at the price of some that are: what `fineweb-en-v1` uses.
    Precision,
    /// Best mean F1 over all page types.
    #[default]
    Balanced,
    /// More of the main text, and some words around it.
    Recall,
    /// All blocks that may be main text.
    Union,
}

/// How the chosen blocks are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// Lines; list items start with `- `, table cells are separated by ` | `.
    #[default]
    Plain,
    /// Markdown with headings, lists, quotes, code, tables and formulas.
    Markdown(MarkdownOptions),
}

/// Options of [`extract`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtractOptions {
    /// What is wanted.
    pub profile: Profile,
    /// Bounds of the parse.
    pub limits: ParseLimits,
    /// Code points of text; a page with more is dropped. Default 2,000,000 (reference §1).
    pub text_max: usize,
    /// Units of work, parse included.
    pub fuel_max: u64,
    /// How the text is written.
    pub output: Output,
}

impl Default for ExtractOptions {
    fn default() -> ExtractOptions {
        let limits = ParseLimits::default();
        ExtractOptions {
            profile: Profile::Balanced,
            limits,
            text_max: 2_000_000,
            fuel_max: limits.fuel_max,
            output: Output::Plain,
        }
    }
}

/// The main text of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// The content of `title`, white space collapsed.
    pub title: Option<String>,
    /// The text in the form of [`ExtractOptions::output`].
    pub text: String,
    /// The comments under the text, in the same form: on a page that is a text and not a discussion, unless the profile is
    /// [`Profile::Union`]. `None` if there are none or more than [`ExtractOptions::text_max`] code points.
    pub comments: Option<String>,
    /// Primary subtag of the page's `lang`, lower-case.
    pub language_hint: Option<String>,
    /// What the page says about itself.
    pub metadata: Metadata,
    /// Always `false` today: a page over a bound is dropped, never cut.
    pub truncated: bool,
}

/// Why a page gave no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExtractDrop {
    /// A budget was broken: `nodes`, `fuel` or `text`.
    #[error("over budget `{0}`")]
    OverBudget(&'static str),
    /// Nothing on the page is main text.
    #[error("no main text")]
    Empty,
}

impl From<OverBudget> for ExtractDrop {
    fn from(over: OverBudget) -> ExtractDrop {
        ExtractDrop::OverBudget(match over {
            OverBudget::Nodes(_) => "nodes",
            OverBudget::Fuel(_) => "fuel",
        })
    }
}

pub(super) fn document<'a>(html: &'a str, options: &ExtractOptions) -> Result<Document<'a>, OverBudget> {
    let limits = ParseLimits {
        fuel_max: options.fuel_max.min(options.limits.fuel_max),
        ..options.limits
    };
    parse(html, &limits)
}

/// Extracts the main text of a decoded page.
///
/// # Errors
/// [`ExtractDrop`] when a budget is broken or the page has no main text.
pub fn extract(html: &str, options: &ExtractOptions) -> Result<Extracted, ExtractDrop> {
    written(html, options, Scope::All, |page| {
        let choice = choose(page, options.profile);
        (choice.kept(), choice.comments())
    })
}

/// All visible text of a decoded page, one block a line: what an extractor that chooses nothing would give.
///
/// # Errors
/// [`ExtractDrop`] as [`extract`].
pub fn visible_text(html: &str, options: &ExtractOptions) -> Result<Extracted, ExtractDrop> {
    written(html, options, Scope::Visible, |page| {
        ((0..page.blocks.len() as u32).collect(), vec![])
    })
}

/// Parses, walks, chooses and writes.
fn written(
    html: &str,
    options: &ExtractOptions,
    scope: Scope,
    choose: impl Fn(&Page) -> (Vec<u32>, Vec<u32>),
) -> Result<Extracted, ExtractDrop> {
    let document = document(html, options)?;
    let mut page = match options.output {
        Output::Plain => walk(&document, scope),
        Output::Markdown(_) => walk_with_owners(&document, scope),
    };
    let (chosen, apart) = choose(&page);
    let write = |chosen: &[u32]| match options.output {
        Output::Plain => {
            let blocks = chosen.iter().filter_map(|index| page.blocks.get(*index as usize));
            render(&page, blocks)
        }
        Output::Markdown(form) => {
            // A character is at most four bytes.
            let bytes_max = options.text_max.saturating_mul(4);
            markdown::render(&document, &page, chosen, (form, bytes_max))
        }
    };
    let text = write(&chosen);
    finish(&text, options.text_max)?;
    let comments = if apart.is_empty() {
        String::new()
    } else {
        write(&apart)
    };
    Ok(Extracted {
        title: page.title.take(),
        text,
        comments: finish(&comments, options.text_max).is_ok().then_some(comments),
        language_hint: page.language.take(),
        metadata: page.metadata(),
        truncated: false,
    })
}

/// One block of a page as the models see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockFeatures {
    /// The block's text.
    pub text: String,
    /// Whether it is marked as a comment, on a page that is no discussion.
    pub comment: bool,
    /// Whether [`Profile::Precision`] never takes it: links, or a part of navigation, footer, form or button.
    pub furniture: bool,
    /// The features of the first model, then, where answers were given, those of the second.
    pub values: Vec<i32>,
}

/// The blocks of a page with their features: what `bench/extract-train` learns from. `answers` are those of the
/// first model, one a block in 1/65,536.
///
/// # Errors
/// [`ExtractDrop`] when a budget is broken.
pub fn block_features(
    html: &str,
    options: &ExtractOptions,
    answers: Option<&[u32]>,
) -> Result<Vec<BlockFeatures>, ExtractDrop> {
    let page = walk(&document(html, options)?, Scope::All);
    let ground = Ground::new(&page);
    let discussion = is_discussion(&page);
    let context = answers.map(|answers| Context::new(&page, answers));
    let mut values = vec![];
    let blocks = page.blocks.iter().enumerate().map(|(index, block)| {
        values.clear();
        ground.row(index, &mut values);
        if let Some(context) = &context {
            context.row(index, &mut values);
        }
        BlockFeatures {
            text: page.block_text(block).to_owned(),
            comment: block.marks & mark::COMMENT != 0 && !discussion,
            furniture: is_furniture(block),
            values: values.clone(),
        }
    });
    Ok(blocks.collect())
}

fn finish(text: &str, text_max: usize) -> Result<(), ExtractDrop> {
    if text.is_empty() {
        return Err(ExtractDrop::Empty);
    }
    if text.len() > text_max && text.chars().count() > text_max {
        return Err(ExtractDrop::OverBudget("text"));
    }
    Ok(())
}

/// Blocks as lines.
fn render<'a>(page: &'a Page, blocks: impl Iterator<Item = &'a Block>) -> String {
    let mut out = String::with_capacity(page.text.len());
    for block in blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        if block.item {
            out.push_str("- ");
        }
        if block.preformatted {
            for (index, line) in page.block_text(block).split('\n').enumerate() {
                if index > 0 {
                    out.push('\n');
                }
                out.push_str(line.trim_end());
            }
        } else {
            out.push_str(page.block_text(block));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_items_and_rows_are_marked() {
        let html =
            "<html lang=en-GB><title> A\n b </title><ul><li>one<li>two</ul><table><tr><td>x<td>y</table>";
        let page = visible_text(html, &ExtractOptions::default()).unwrap();
        assert_eq!(page.text, "- one\n- two\nx | y");
        assert_eq!(
            (page.title.as_deref(), page.language_hint.as_deref()),
            (Some("A b"), Some("en"))
        );
    }

    #[test]
    fn comments_are_written_beside_the_text() {
        let html = "<p>The river has risen.</p><ol class=comments><li>So it has.</li></ol>";
        let both = |options: &ExtractOptions| {
            let page = written(html, options, Scope::All, |_| (vec![0], vec![1])).unwrap();
            (page.text, page.comments)
        };
        let plain = ExtractOptions::default();
        let expected = |comment: &str| ("The river has risen.".to_owned(), Some(comment.to_owned()));
        assert_eq!(both(&plain), expected("- So it has."));
        let markdown = ExtractOptions {
            output: Output::Markdown(MarkdownOptions::default()),
            ..plain
        };
        assert_eq!(both(&markdown), expected("1. So it has."));
        let none = written(html, &plain, Scope::All, |_| (vec![0], vec![])).unwrap();
        assert_eq!(
            (none.comments, visible_text(html, &plain).unwrap().comments),
            (None, None)
        );
    }

    #[test]
    fn comments_longer_than_the_bound_are_left_out() {
        let small = ExtractOptions {
            text_max: 5,
            ..ExtractOptions::default()
        };
        let page = written("<p>One.<p>Two three.", &small, Scope::All, |_| (vec![0], vec![1])).unwrap();
        assert_eq!((page.text.as_str(), page.comments), ("One.", None));
    }

    #[test]
    fn nothing_is_a_reason() {
        let options = ExtractOptions::default();
        assert_eq!(extract("", &options), Err(ExtractDrop::Empty));
        assert_eq!(extract("<script>x</script>", &options), Err(ExtractDrop::Empty));
        let small = ExtractOptions {
            text_max: 3,
            ..options
        };
        assert_eq!(
            visible_text("<p>four", &small),
            Err(ExtractDrop::OverBudget("text"))
        );
    }
}
