//! Evaluation text: each path is a domain, named after it; documents with the work or site they belong to.
//!
//! Called for `--eval`, `--public` and `assay evaluate pack`. Ids and works depend on the files below a path, never on where
//! it lies, so that the same text gives the same numbers anywhere.

use std::collections::BTreeMap;
use std::path::Path;

use assay_eval::held_out::{Domain, HeldOutDocument};
use assay_refine::filter::registered_domain::SuffixList;

use super::files::{ENDINGS, bare};
use super::read::{Given, read};
use super::{EvaluateError, Input};
use crate::local::LocalError;

/// A domain's name: the last part of its path, without the endings of files that hold texts.
fn domain_name(path: &Path) -> String {
    // A path that ends in `..` has no last part of its own.
    let whole = fs_err::canonicalize(path).ok();
    let name = path
        .file_name()
        .or_else(|| whole.as_deref().and_then(Path::file_name))
        .unwrap_or(path.as_os_str());
    let name = name.to_string_lossy();
    let lower = name.to_ascii_lowercase();
    let bare = bare(&lower);
    let short = ENDINGS.iter().find_map(|ending| bare.strip_suffix(ending));
    let length = short.map_or(name.len(), str::len);
    name.get(..length)
        .filter(|short| !short.is_empty())
        .unwrap_or(&name)
        .to_owned()
}

/// The work or site a document belongs to: the registered domain of its address, else its id before `#`, else its file.
fn cluster_of(given: &Given, suffixes: &SuffixList) -> String {
    let site = suffixes.extract(&given.url).registered_domain;
    if !site.is_empty() {
        return site;
    }
    id_of(given).split('#').next().unwrap_or_default().to_owned()
}

fn id_of(given: &Given) -> &str {
    if given.id.is_empty() {
        &given.place
    } else {
        &given.id
    }
}

/// Documents of every input; each is one domain.
///
/// # Errors
/// Two inputs of one name, an input without text, what cannot be read.
pub(super) fn for_each_domain(
    inputs: &[Input],
    mut each: impl FnMut(&str, HeldOutDocument),
) -> Result<(), LocalError> {
    let mut names: BTreeMap<String, &Input> = BTreeMap::new();
    for input in inputs {
        let name = domain_name(&input.path);
        if let Some(first) = names.insert(name.clone(), input) {
            return Err(EvaluateError::SameDomain {
                name,
                first: first.path.clone(),
                second: input.path.clone(),
            }
            .into());
        }
    }
    let suffixes = SuffixList::pinned();
    for input in inputs {
        let name = domain_name(&input.path);
        let mut count = 0_u64;
        let unreadable = read(input, &mut |batch: Vec<Given>| {
            for given in batch {
                let cluster = cluster_of(&given, &suffixes);
                let id = id_of(&given).to_owned();
                count += 1;
                each(
                    &name,
                    HeldOutDocument {
                        id,
                        cluster,
                        text: given.text,
                    },
                );
            }
            Ok(())
        })?;
        if count == 0 {
            return Err(EvaluateError::Empty {
                path: input.path.clone(),
                unreadable,
            }
            .into());
        }
    }
    Ok(())
}

/// All domains in memory.
pub(super) fn read_domains(inputs: &[Input]) -> Result<Vec<Domain>, LocalError> {
    let mut domains: BTreeMap<String, Vec<HeldOutDocument>> = BTreeMap::new();
    for_each_domain(inputs, |name, document| {
        domains.entry(name.to_owned()).or_default().push(document);
    })?;
    let domains = domains
        .into_iter()
        .map(|(name, documents)| Domain { name, documents });
    Ok(domains.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;

    /// Found by review: everything after the first dot was cut, so `wiki.en` and `wiki.de` were one domain.
    #[test]
    fn only_endings_of_text_files_are_cut_from_names() {
        for (path, name) in [
            ("wiki.en.jsonl", "wiki.en"),
            ("a/wiki.de.jsonl.gz", "wiki.de"),
            ("../b/X.Parquet", "X"),
            ("books.v1.2", "books.v1.2"),
            ("web@0123", "web@0123"),
            ("t.json.zst", "t"),
            ("notes.txt/", "notes"),
            (".txt", ".txt"),
        ] {
            assert_eq!(domain_name(Path::new(path)), name, "{path}");
        }
    }

    #[test]
    fn equal_names_are_refused_and_others_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, format!("{{\"text\":\"text of {name}\"}}\n")).unwrap();
            Input::from(path)
        };
        let apart = [write("wiki.en.jsonl"), write("wiki.de.jsonl")];
        let names: Vec<String> = read_domains(&apart)
            .unwrap()
            .into_iter()
            .map(|domain| domain.name)
            .collect();
        assert_eq!(names, ["wiki.de", "wiki.en"]);
        let equal = [write("a/x.jsonl"), write("b/x.txt")];
        let error = read_domains(&equal).unwrap_err();
        assert!(error.to_string().contains("both domain `x`"), "{error}");
        assert!(error.help().unwrap().contains("rename"), "{error:?}");
    }

    #[test]
    fn ids_and_works_are_those_of_places_below_the_input() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            (
                "one.jsonl",
                "{\"text\":\"a\"}\n\n{\"text\":\"b\",\"id\":\"w#2\"}\n",
            ),
            ("sub/two.txt", "c"),
        ] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for path in [folder.path().to_owned(), folder.path().join("sub/..")] {
            let input = Input::from(path);
            let mut found = Vec::new();
            for_each_domain(&[input], |_, document| {
                found.push((document.id, document.cluster));
            })
            .unwrap();
            let expected = [
                ("one.jsonl#1", "one.jsonl"),
                ("w#2", "w"),
                ("sub/two.txt", "sub/two.txt"),
            ];
            let found: Vec<(&str, &str)> = found.iter().map(|(id, work)| (&**id, &**work)).collect();
            assert_eq!(found, expected);
        }
    }
}
