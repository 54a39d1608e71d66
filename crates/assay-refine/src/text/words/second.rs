//! spaCy's second pass: tokens that together are an exception are replaced by its pieces (`foo:)` → foo :) ).
//!
//! Source: `_apply_special_cases` and `_filter_special_spans` in `tokenizer.pyx` of spaCy 3.8.18. A replacement needs a
//! pattern whose tokens touch, so it can only begin in a chunk that `joins_inside`; texts without one skip the pass.

use super::rules::Rules;
use super::tokenizer::Token;

/// Whether adjacent tokens of one chunk are together an exception with other pieces.
pub(super) fn joins_inside(rules: &Rules, chunk: &str, ends: &[u32]) -> bool {
    let start_of = |i: usize| i.checked_sub(1).and_then(|i| ends.get(i)).copied().unwrap_or(0);
    (0..ends.len()).any(|first| {
        let mut numbers = Vec::new();
        for (len, &end) in ends.iter().skip(first).take(rules.pattern_len_max).enumerate() {
            let token = chunk
                .get(start_of(first + len) as usize..end as usize)
                .unwrap_or("");
            let Some(number) = rules.pattern_token(token) else {
                return false;
            };
            numbers.push(number);
            let start = start_of(first);
            if rules.is_pattern(&numbers) {
                let text = chunk.get(start as usize..end as usize).unwrap_or("");
                let own = ends.iter().skip(first).take(len + 1).copied();
                if rules
                    .exception(text)
                    .is_some_and(|pieces| !piece_ends(start, pieces).eq(own))
                {
                    return true;
                }
            }
        }
        false
    })
}

/// The byte after each piece when the first begins at `start`.
fn piece_ends(start: u32, pieces: &[u8]) -> impl Iterator<Item = u32> {
    pieces.iter().scan(start, |end, &piece| {
        *end += u32::from(piece);
        Some(*end)
    })
}

/// The second pass over all tokens of `text`. Linear in their number: patterns have at most eleven tokens.
pub(super) fn join_tokens(rules: &Rules, text: &str, tokens: &mut Vec<Token>) {
    let numbers: Vec<Option<u16>> = tokens
        .iter()
        .map(|token| rules.pattern_token(token.text(text)))
        .collect();
    let mut runs = pattern_runs(rules, &numbers);
    runs.sort_unstable_by_key(|&(start, len)| (std::cmp::Reverse(len), start));
    let mut used = vec![false; tokens.len()];
    let mut taken = Vec::new();
    for (start, len) in runs {
        let is_used = |i: usize| used.get(i).copied().unwrap_or(true);
        if !is_used(start) && !is_used(start + len - 1) {
            taken.push((start, len));
        }
        // Also those of a run that is not taken: spaCy marks them before it looks.
        used.iter_mut()
            .skip(start)
            .take(len)
            .for_each(|mark| *mark = true);
    }
    taken.sort_unstable();
    replace(rules, text, tokens, &taken);
}

/// All runs of tokens that equal a pattern: first token, number of tokens.
fn pattern_runs(rules: &Rules, numbers: &[Option<u16>]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut run = Vec::new();
    for start in 0..numbers.len() {
        run.clear();
        for number in numbers.iter().skip(start).take(rules.pattern_len_max) {
            let Some(number) = number else { break };
            run.push(*number);
            if rules.is_pattern(&run) {
                runs.push((start, run.len()));
            }
        }
    }
    runs
}

/// Replaces the taken runs whose text is an exception.
fn replace(rules: &Rules, text: &str, tokens: &mut Vec<Token>, taken: &[(usize, usize)]) {
    let mut out = Vec::with_capacity(tokens.len());
    let mut next = 0;
    for &(first, len) in taken {
        let run = tokens.get(first..first + len).unwrap_or(&[]);
        let Some((head, tail)) = run.first().zip(run.last()) else {
            continue;
        };
        let spanned = text.get(head.start as usize..tail.end as usize).unwrap_or("");
        let Some(pieces) = rules.exception(spanned) else {
            continue;
        };
        out.extend_from_slice(tokens.get(next..first).unwrap_or(&[]));
        let mut start = head.start;
        for end in piece_ends(head.start, pieces) {
            out.push(Token {
                start,
                end,
                is_space: len == 1 && head.is_space,
            });
            start = end;
        }
        next = first + len;
    }
    out.extend_from_slice(tokens.get(next..).unwrap_or(&[]));
    *tokens = out;
}
