//! Prints the blocks of pages with their features, for `bench/extract-train/train.py`.
//!
//! Input: JSON lines `{"id","html"}` on stdin; with an argument, a file with the first model's answers, one JSON
//! array a page. Output: per page a length-prefixed JSON object `{"id","texts","comments","furniture"}`, then
//! rows and columns as `u32` and the features as `i32`, all little-endian.

use std::io::{BufRead, Write};

use assay_refine::extract::{ExtractOptions, block_features};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut answers = match std::env::args().nth(1) {
        Some(path) => Some(std::io::BufReader::new(fs_err::File::open(path)?).lines()),
        None => None,
    };
    for line in std::io::stdin().lock().lines() {
        let page: serde_json::Value = serde_json::from_str(&line?)?;
        let html = page.get("html").and_then(|html| html.as_str()).unwrap_or("");
        let answers: Option<Vec<u32>> = match &mut answers {
            Some(lines) => lines
                .next()
                .transpose()?
                .map(|line| serde_json::from_str(&line))
                .transpose()?,
            None => None,
        };
        let blocks = block_features(html, &ExtractOptions::default(), answers.as_deref()).unwrap_or_default();
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        let comments: Vec<bool> = blocks.iter().map(|block| block.comment).collect();
        let furniture: Vec<bool> = blocks.iter().map(|block| block.furniture).collect();
        let id = page.get("id");
        let head =
            serde_json::json!({ "id": id, "texts": texts, "comments": comments, "furniture": furniture });
        let head = serde_json::to_vec(&head)?;
        out.write_all(&(head.len() as u32).to_le_bytes())?;
        out.write_all(&head)?;
        let columns = blocks.first().map_or(0, |block| block.values.len());
        out.write_all(&(blocks.len() as u32).to_le_bytes())?;
        out.write_all(&(columns as u32).to_le_bytes())?;
        for value in blocks.iter().flat_map(|block| &block.values) {
            out.write_all(&value.to_le_bytes())?;
        }
    }
    Ok(())
}
