//! Announcements: the files of `docs/news/`, embedded, newest first; a name begins with its date.

use super::docs;
use super::markdown::{self, Rendered};
use std::sync::LazyLock;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        /// Name and text of each file, newest first.
        const FILES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../../docs/news/", $name, ".md"))),)+];
    };
}

files![
    "2026-11-29-checked-docs",
    "2026-11-28-engine-2",
    "2026-11-28-localnet",
];

/// Bytes of a date, `2026-11-28`.
const DATE_BYTES: usize = 10;

/// An announcement.
#[derive(Debug)]
pub(crate) struct News {
    /// Its name in addresses.
    pub(crate) name: &'static str,
    /// `2026-11-28`.
    pub(crate) date: &'static str,
    /// Title and text; the text begins with the title.
    pub(crate) rendered: Rendered,
}

static NEWS: LazyLock<Vec<News>> = LazyLock::new(|| {
    let known: Vec<&str> = docs::all().iter().map(|doc| doc.name).collect();
    let one = |(name, text): &(&'static str, &str)| News {
        name,
        date: name.get(..DATE_BYTES).unwrap_or_default(),
        rendered: markdown::render(text, &known),
    };
    FILES.iter().map(one).collect()
});

/// All announcements, newest first.
pub(crate) fn all() -> &'static [News] {
    &NEWS
}

/// The announcement of a name.
pub(crate) fn find(name: &str) -> Option<&'static News> {
    NEWS.iter().find(|news| news.name == name)
}

impl News {
    /// The text without its title.
    pub(crate) fn body(&self) -> &str {
        let html = &self.rendered.html;
        html.split_once("</h1>").map_or(html.as_str(), |(_, body)| body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_announcement_is_embedded_dated_and_newest_first() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/news");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let mut embedded: Vec<String> = all().iter().map(|news| format!("{}.md", news.name)).collect();
        embedded.sort();
        assert_eq!(embedded, files);
        let dates: Vec<&str> = all().iter().map(|news| news.date).collect();
        assert!(dates.is_sorted_by(|newer, older| newer >= older), "{dates:?}");
        for news in all() {
            let signs: Vec<bool> = news.date.bytes().map(|byte| byte.is_ascii_digit()).collect();
            assert_eq!(
                signs,
                [true, true, true, true, false, true, true, false, true, true],
                "{}",
                news.date
            );
            assert!(
                !news.rendered.title.is_empty() && !news.body().contains("<h1"),
                "{}",
                news.name
            );
            for part in news.rendered.html.split("href=\"/docs/").skip(1) {
                let target = part.split(['"', '#']).next().unwrap();
                assert!(docs::find(target).is_some(), "{} links to {target}", news.name);
            }
        }
    }
}
