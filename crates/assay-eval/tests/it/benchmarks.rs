//! Every item of the published sets is read, and what is asked is what their README says.

use assay_eval::benchmark::{Item, ItemError};
use fs_err as fs;

use crate::data::folder;

/// Sets of the test data: items, most options, whether each asks for yes or no.
const SETS: [(&str, usize, usize, bool); 11] = [
    ("arc_challenge", 543, 5, false),
    ("arc_easy", 1_227, 5, false),
    ("boolq", 1_599, 2, true),
    ("commonsense_qa", 595, 5, false),
    ("copa", 46, 2, false),
    ("lambada_openai", 2_630, 1, false),
    ("openbook_qa", 248, 4, false),
    ("piqa", 926, 2, false),
    ("siqa", 962, 3, false),
    ("winograd_wsc", 135, 2, false),
    ("winogrande", 641, 2, false),
];

#[test]
fn all_published_items_are_read() {
    let Some(folder) = folder("lm/bench") else {
        return;
    };
    for (name, count, options_max, is_yes_no) in SETS {
        let text = fs::read_to_string(folder.join(format!("{name}.jsonl"))).unwrap();
        let items: Vec<Result<Item, ItemError>> = text.lines().map(Item::parse).collect();
        assert_eq!(items.len(), count, "{name}");
        // Some have the right answer twice, and nothing else is wrong with any.
        let twins = match name {
            "commonsense_qa" => 3,
            "siqa" => 1,
            _ => 0,
        };
        let is_twin = |item: &&Result<Item, ItemError>| matches!(item, Err(ItemError::Twin(_)));
        assert_eq!(items.iter().filter(is_twin).count(), twins, "{name}");
        let items: Vec<Item> = items.into_iter().flatten().collect();
        assert_eq!(items.len() + twins, count, "{name}");
        let most = items.iter().map(|item| item.options.len()).max();
        assert!(most <= Some(options_max), "{name}: {most:?}");
        assert!(items.iter().all(|item| item.is_yes_no == is_yes_no), "{name}");
        for asked in items.iter().flat_map(|item| &item.options) {
            let is_letter = asked.continuation.len() == 2
                && asked.continuation.ends_with(|c: char| c.is_ascii_uppercase());
            let is_question = name.starts_with("commonsense") || name == "siqa";
            assert!(
                !(is_letter && is_question),
                "{name}: a letter is no answer: {asked:?}"
            );
            assert!(!asked.context.contains("\nChoices:"), "{name}: {asked:?}");
            let asks = [
                "arc_easy",
                "arc_challenge",
                "piqa",
                "commonsense_qa",
                "siqa",
                "boolq",
            ]
            .contains(&name);
            assert_eq!(asked.context.ends_with("Answer:"), asks, "{name}: {asked:?}");
        }
    }
}
