//! Finds a recipe by name, id or file, and its URL lists in a wheel, a folder or a list of lists.
//!
//! Used by every command that takes `--recipe` and `--url-lists`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use assay_agents::local::LocalError;
use assay_refine::engine::Engine;
use assay_refine::filter::url::UrlFilter;
use assay_refine::url_lists::{UrlListKind, UrlLists, read_tarball, read_wheel};
use assay_types::recipe::{ListArtifacts, UrlFilterParams, builtin, builtin_names, fineweb_en_v1_lists};
use assay_types::{Artifact, ArtifactKind, Digest, Recipe, RecipeError};

use crate::exit::UsageError;

/// Name of the recipe that takes lists.
pub(crate) const LISTS_RECIPE: &str = "fineweb-en-v1-lists";

/// Name of the archive of lists inside the wheel.
const TARBALL: &str = "url_filterblacklistsv0_3_0.tar.gz";

/// Largest recipe file read, in bytes.
const RECIPE_BYTES_MAX: u64 = 1 << 20;

/// A recipe made ready to run.
pub(crate) fn engine(name: &str, url_lists: Option<&Path>) -> anyhow::Result<Engine> {
    let (recipe, lists) = recipe(name, url_lists)?;
    Ok(Engine::new(recipe, &lists).map_err(LocalError::from)?)
}

/// The recipe of a name, id or file, with the lists it was given.
pub(crate) fn recipe(name: &str, url_lists: Option<&Path>) -> anyhow::Result<(Recipe, UrlLists)> {
    if name == LISTS_RECIPE {
        let Some(path) = url_lists else {
            let help = "pip download --no-deps datatrove==0.10.1, then --url-lists datatrove-0.10.1-py3-none-any.whl";
            return Err(UsageError::new(format!("recipe `{LISTS_RECIPE}` needs its lists"), help).into());
        };
        let lists = read_lists(path)?;
        return Ok((fineweb_en_v1_lists(artifacts(&lists)?), lists));
    }
    let lists = url_lists.map(read_lists).transpose()?.unwrap_or_default();
    if let Some(recipe) = builtin(name) {
        return Ok((recipe, lists));
    }
    if let Some(recipe) = by_id(name, &lists)? {
        return Ok((recipe, lists));
    }
    let path = Path::new(name);
    if path.exists() {
        return Ok((from_file(path)?, lists));
    }
    Err(unknown(name).into())
}

/// A name, id or file that leads to no recipe, and what would.
fn unknown(name: &str) -> UsageError {
    let message = format!("no recipe `{name}`");
    if name.parse::<Digest>().is_ok() {
        // An id names what is built in; a dataset has no more of its recipe.
        let help = format!(
            "give `--recipe` the recipe's TOML file; if it is `{LISTS_RECIPE}`, give `--url-lists` its lists"
        );
        return UsageError::new(message, help);
    }
    let known = builtin_names()
        .into_iter()
        .chain([LISTS_RECIPE])
        .collect::<Vec<_>>()
        .join(", ");
    UsageError::new(message, format!("give one of {known}, an id, or a TOML file"))
}

/// The built-in recipe with this id; the one with lists only if they were given.
fn by_id(id: &str, lists: &UrlLists) -> anyhow::Result<Option<Recipe>> {
    let mut candidates: Vec<Recipe> = builtin_names().into_iter().filter_map(builtin).collect();
    if !lists.is_empty() {
        candidates.push(fineweb_en_v1_lists(artifacts(lists)?));
    }
    Ok(candidates
        .into_iter()
        .find(|recipe| recipe.id().to_string() == id))
}

/// Reads and checks a recipe file.
pub(crate) fn from_file(path: &Path) -> anyhow::Result<Recipe> {
    let text = read_recipe_text(path)?;
    Ok(Recipe::parse(&text).map_err(|error| invalid(path, &error))?)
}

/// A file that is no recipe: what is wrong, and the nearest known name or a recipe to compare with.
fn invalid(path: &Path, error: &RecipeError) -> UsageError {
    let help = match error {
        RecipeError::UnknownKey {
            key,
            nearest: Some(nearest),
            ..
        } => format!("write `{nearest}` instead of `{key}`"),
        RecipeError::Choice {
            found,
            nearest: Some(nearest),
            ..
        } => format!("write `{nearest}` instead of `{found}`"),
        _ => "`assay recipe show fineweb-en-v1` prints a recipe with every key".to_owned(),
    };
    let message = match std::error::Error::source(error) {
        Some(cause) => format!("recipe `{}`: {error}: {}", path.display(), one_line(cause)),
        None => format!("recipe `{}`: {error}", path.display()),
    };
    UsageError::recipe(message, help)
}

/// TOML's own errors draw the place over several lines.
fn one_line(error: &dyn std::error::Error) -> String {
    error
        .to_string()
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The bounded text of a recipe file.
pub(crate) fn read_recipe_text(path: &Path) -> anyhow::Result<String> {
    let length = fs_err::metadata(path).map_err(LocalError::read(path))?.len();
    if length > RECIPE_BYTES_MAX {
        let message = format!(
            "recipe `{}` has {length} bytes, at most {RECIPE_BYTES_MAX} are allowed",
            path.display()
        );
        return Err(UsageError::recipe(message, "give a TOML file as `assay recipe show` prints it").into());
    }
    Ok(read_bounded_text(path, RECIPE_BYTES_MAX).map_err(LocalError::read(path))?)
}

/// The text of a file of at most `bytes_max` bytes, whatever its metadata say (a device has no length).
pub(crate) fn read_bounded_text(path: &Path, bytes_max: u64) -> std::io::Result<String> {
    let invalid = |what: String| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let mut bytes = Vec::new();
    fs_err::File::open(path)?
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(invalid(format!(
            "`{}` has more than {bytes_max} bytes",
            path.display()
        )));
    }
    String::from_utf8(bytes).map_err(|_| invalid(format!("`{}` is not UTF-8", path.display())))
}

/// The separate URL filter of `assay filter --steps`, if lists were given.
pub(crate) fn custom_lists(path: Option<&Path>) -> anyhow::Result<Option<UrlFilter>> {
    let Some(path) = path else { return Ok(None) };
    Ok(Some(UrlFilter::new(
        read_lists(path)?,
        &UrlFilterParams::default(),
    )?))
}

/// Lists from a wheel, a folder of list files or artifacts, or a JSON object of lists.
pub(crate) fn read_lists(path: &Path) -> anyhow::Result<UrlLists> {
    if path.is_dir() {
        return lists_of_folder(path);
    }
    let file = fs_err::File::open(path).map_err(LocalError::read(path))?;
    let is = |ending: &str| {
        path.extension()
            .is_some_and(|found| found.eq_ignore_ascii_case(ending))
    };
    if is("json") {
        let lists: std::collections::BTreeMap<String, Vec<String>> =
            serde_json::from_reader(std::io::BufReader::new(file)).map_err(|error| no_lists(path, &error))?;
        return lists_of_json(path, &lists);
    }
    if is("gz") || is("tgz") {
        let mut lists = UrlLists::default();
        read_tarball(std::io::BufReader::new(file), &mut lists).map_err(|error| no_lists(path, &error))?;
        return Ok(lists);
    }
    Ok(read_wheel(std::io::BufReader::new(file)).map_err(|error| no_lists(path, &error))?)
}

/// A file that holds no URL lists, and where some are.
fn no_lists(path: &Path, error: &dyn std::error::Error) -> UsageError {
    let help = "`pip download --no-deps datatrove==0.10.1` fetches the wheel that holds them";
    UsageError::new(
        format!("url lists `{}`: {}", path.display(), one_line(error)),
        help,
    )
}

fn lists_of_folder(path: &Path) -> anyhow::Result<UrlLists> {
    let mut lists = UrlLists::default();
    let mut found = false;
    let tarball = path.join(TARBALL);
    let open = |path: &Path| -> anyhow::Result<_> {
        let file = File::open(path).map_err(LocalError::read(path))?;
        Ok(std::io::BufReader::new(file))
    };
    if tarball.is_file() {
        read_tarball(open(&tarball)?, &mut lists).map_err(|error| no_lists(&tarball, &error))?;
        found = true;
    }
    for kind in UrlListKind::ALL {
        let artifact = path.join(artifact_name(kind));
        let list = path.join(kind.file_name());
        let text = path.join(format!("{}.txt", kind.name()));
        if artifact.is_file() {
            lists
                .read_artifact(kind, open(&artifact)?)
                .map_err(|error| no_lists(&artifact, &error))?;
        } else if let Some(list) = [list, text].iter().find(|list| list.is_file()) {
            lists
                .read_list(kind, open(list)?)
                .map_err(|error| no_lists(list, &error))?;
        } else {
            continue;
        }
        found = true;
    }
    if !found {
        let help = "the folder holds `domains`, `urls`, `banned_words.txt`, … as in datatrove's assets, or the artifacts of `assay recipe lists`";
        return Err(UsageError::new(format!("`{}` holds no URL lists", path.display()), help).into());
    }
    Ok(lists)
}

/// Lists as datatrove's `URLFilter(extra_domains=…)` arguments name them.
fn lists_of_json(
    path: &Path,
    given: &std::collections::BTreeMap<String, Vec<String>>,
) -> anyhow::Result<UrlLists> {
    let mut lists = UrlLists::default();
    for (name, entries) in given {
        let kind = UrlListKind::ALL
            .into_iter()
            .find(|kind| name.trim_start_matches("extra_") == kind.name());
        let Some(kind) = kind else {
            return Err(UsageError::new(
                format!("unknown list `{name}` in `{}`", path.display()),
                "domains, urls, banned_words, soft_banned_words, banned_subwords",
            )
            .into());
        };
        lists
            .read_list(kind, entries.join("\n").as_bytes())
            .map_err(|error| no_lists(path, &error))?;
    }
    Ok(lists)
}

/// File name of a list's artifact in the folder of `assay recipe lists`.
pub(crate) fn artifact_name(kind: UrlListKind) -> String {
    format!("{}.artifact", kind.name())
}

/// The recipe's description of the lists; an empty list is none.
pub(crate) fn artifacts(lists: &UrlLists) -> anyhow::Result<ListArtifacts> {
    let artifact = |kind: UrlListKind| -> anyhow::Result<Option<Artifact>> {
        if lists.len(kind) == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        lists.write_artifact(kind, &mut bytes)?;
        let hashed = matches!(kind, UrlListKind::Domains | UrlListKind::Urls);
        Ok(Some(Artifact {
            name: kind.name().replace('_', "-"),
            kind: if hashed {
                ArtifactKind::DomainHashes
            } else {
                ArtifactKind::WordList
            },
            bytes: bytes.len() as u64,
            blake3: Digest::of(&bytes),
        }))
    };
    Ok(ListArtifacts {
        banned_subwords: artifact(UrlListKind::BannedSubwords)?,
        banned_words: artifact(UrlListKind::BannedWords)?,
        domains: artifact(UrlListKind::Domains)?,
        soft_banned_words: artifact(UrlListKind::SoftBannedWords)?,
        urls: artifact(UrlListKind::Urls)?,
    })
}
