//! Prints the main text of the page on stdin; the first argument may be `precision`, `balanced` or `union`.

use std::io::{Read, Write};

use assay_refine::extract::{ExtractOptions, Profile, extract};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let profile = match std::env::args().nth(1).as_deref() {
        Some("precision") => Profile::Precision,
        Some("union") => Profile::Union,
        _ => Profile::Balanced,
    };
    let mut html = vec![];
    std::io::stdin().lock().read_to_end(&mut html)?;
    let page = extract(
        &String::from_utf8_lossy(&html),
        &ExtractOptions {
            profile,
            ..ExtractOptions::default()
        },
    )?;
    writeln!(std::io::stdout().lock(), "{}", page.text)?;
    Ok(())
}
