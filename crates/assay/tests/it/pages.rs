//! Made-up pages that the recipe keeps: prose of many different words, the same for the same number everywhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::support::line;

const NOUNS: [&str; 40] = [
    "harbour", "orchard", "violin", "lantern", "river", "market", "teacher", "engine", "garden", "letter",
    "bridge", "window", "captain", "meadow", "kitchen", "museum", "painter", "railway", "forest", "library",
    "bakery", "island", "doctor", "compass", "village", "clock", "theatre", "farmer", "carpet", "mountain",
    "sailor", "station", "castle", "printer", "shepherd", "tunnel", "notebook", "factory", "glacier", "poet",
];
const ADJECTIVES: [&str; 24] = [
    "quiet", "narrow", "golden", "distant", "patient", "wooden", "crowded", "ancient", "bright", "careful",
    "frozen", "gentle", "hollow", "lively", "modest", "northern", "painted", "rusty", "silent", "sturdy",
    "tired", "unusual", "warm", "young",
];
const VERBS: [&str; 24] = [
    "described",
    "crossed",
    "repaired",
    "visited",
    "remembered",
    "painted",
    "measured",
    "followed",
    "sold",
    "borrowed",
    "admired",
    "explored",
    "guarded",
    "watched",
    "studied",
    "carried",
    "opened",
    "reached",
    "mentioned",
    "collected",
    "built",
    "left",
    "found",
    "praised",
];
const TIMES: [&str; 16] = [
    "before the storm",
    "in early spring",
    "during the harvest",
    "after midnight",
    "on a cold Sunday",
    "at the end of the season",
    "when the bells rang",
    "for a whole year",
    "without any warning",
    "in the last week of May",
    "under a grey sky",
    "while the children slept",
    "with great care",
    "once the snow had melted",
    "to the surprise of the town",
    "for the first time since the war",
];

/// A generator of numbers that is the same on every machine (splitmix64, Steele et al. 2014).
struct Draws(u64);

impl Draws {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        from[((mixed ^ (mixed >> 31)) % from.len() as u64) as usize]
    }

    fn sentence(&mut self) -> String {
        let [first, second, third] = [(); 3].map(|()| {
            let (adjective, noun) = (self.pick(&ADJECTIVES), self.pick(&NOUNS));
            format!("{adjective} {noun}")
        });
        let (verb, other) = (self.pick(&VERBS), self.pick(&VERBS));
        let time = self.pick(&TIMES);
        match self.pick(&["a", "b", "c", "d"]) {
            "a" => format!("The {first} {verb} the {second} that the {third} had {other} {time}."),
            "b" => format!("Nobody knew why a {first} {verb} that {second} and {other} this {third} {time}."),
            "c" => {
                format!("Of all things, the {first} {verb} one {second}, and the {third} {other} it {time}.")
            }
            _ => {
                format!("They have {verb} the {first} with a {second}, but our {third} {other} them {time}.")
            }
        }
    }
}

/// Paragraphs of four sentences.
pub(crate) fn paragraphs(number: u64) -> Vec<String> {
    let mut draws = Draws(number.wrapping_mul(0x5851_f42d_4c95_7f2d));
    (0..6)
        .map(|_| [(); 4].map(|()| draws.sentence()).join(" "))
        .collect()
}

/// A page around paragraphs.
pub(crate) fn html(title: &str, paragraphs: &[String]) -> String {
    let mut page = format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title></head><body>\
         <nav><a href=/>Home</a> <a href=/all>All</a></nav><article><h1>{title}</h1>"
    );
    for paragraph in paragraphs {
        let _ = write!(page, "<p>{paragraph}</p>");
    }
    page.push_str("</article><footer>Imprint</footer></body></html>");
    page
}

/// Writes pages `first..first + count` into a folder.
pub(crate) fn write(folder: &Path, first: u64, count: u64) {
    fs_err::create_dir_all(folder).unwrap();
    for number in first..first + count {
        let page = html(&format!("Report {number}"), &paragraphs(number));
        fs_err::write(folder.join(format!("{number:04}.html")), page).unwrap();
    }
}

/// Packs pages `first..first + count` into `folder/name` by `assay pack`.
pub(crate) fn archive(folder: &Path, name: &str, first: u64, count: u64) -> PathBuf {
    let pages = folder.join(format!("{name}-pages"));
    write(&pages, first, count);
    let archive = folder.join(name);
    line(
        "pack {} --out {} --base-url https://example.org/ -q",
        &[&pages, &archive],
    )
    .with_code(0);
    archive
}

/// As [`archive`], not compressed, each page with 40 kB of a comment: an archive longer than any reader's buffer.
pub(crate) fn bulky_archive(folder: &Path, name: &str, first: u64, count: u64) -> PathBuf {
    let packed = format!("{name}.gz");
    let pages = folder.join(format!("{packed}-pages"));
    write(&pages, first, count);
    for number in first..first + count {
        let path = pages.join(format!("{number:04}.html"));
        let page = fs_err::read_to_string(&path).unwrap();
        fs_err::write(path, format!("{page}<!-- {} -->", "comment ".repeat(5_000))).unwrap();
    }
    let packed = folder.join(packed);
    line(
        "pack {} --out {} --base-url https://example.org/ -q",
        &[&pages, &packed],
    )
    .with_code(0);
    let mut inflated = flate2::read::MultiGzDecoder::new(fs_err::File::open(packed).unwrap());
    let archive = folder.join(name);
    std::io::copy(&mut inflated, &mut fs_err::File::create(&archive).unwrap()).unwrap();
    archive
}

/// An archive of every kind of row: kept pages, a near-duplicate, a short page, another language, and the requests.
pub(crate) fn mixed_archive(folder: &Path) -> PathBuf {
    let pages = folder.join("mixed");
    write(&pages, 0, 8);
    let mut near = paragraphs(3);
    near[5].push_str(" One more sentence was added to this copy by the printer.");
    fs_err::write(pages.join("0008.html"), html("Report 3", &near)).unwrap();
    // Pages that fall in the middle of the archive.
    let short = "A short note was left in the library by the painter. Nobody has read it.".to_owned();
    fs_err::write(pages.join("0001-short.html"), html("Short", &[short])).unwrap();
    let german = "Der alte Kapitän erzählte den Kindern am Hafen von seiner langen Reise über das Meer, und niemand wollte nach Hause gehen. ";
    fs_err::write(
        pages.join("0002-german.html"),
        html("Deutsch", &[german.repeat(6)]),
    )
    .unwrap();
    let archive = folder.join("mixed.warc.gz");
    line(
        "pack {} -o {} --base-url https://example.org/ -q",
        &[&pages, &archive],
    )
    .with_code(0);
    archive
}
