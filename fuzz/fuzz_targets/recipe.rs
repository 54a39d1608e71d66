//! Any text as a recipe: what is accepted has one canonical form, one id, and parses to itself.

#![no_main]

use assay_types::Recipe;
use assay_types::recipe::diff;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let recipe = match Recipe::parse(text) {
        Ok(recipe) => recipe,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let canonical = recipe.to_canonical();
    let again = Recipe::parse_canonical(&canonical).expect("the canonical form is canonical");
    assert_eq!(again, recipe);
    assert_eq!(again.id(), recipe.id());
    assert!(diff(&recipe, &again).is_empty());
    assert_eq!(Recipe::parse_canonical(text).is_ok(), text == canonical);
});
