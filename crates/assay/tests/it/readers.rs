//! Documents are read by pyarrow, polars, duckdb, pandas and datasets, with FineWeb's columns and ours.

use std::path::Path;
use std::process::Command;

use assay_refine::output::read_docs;
use serde_json::{Value, json};

use crate::pack::run_python;
use crate::pages;
use crate::support::{folder, line, only_unit, python, skip};

/// Each reader prints its columns and types, and what it finds in the first row and in sums.
const READERS: [(&str, &str); 5] = [
    (
        "pyarrow",
        "
import json, sys, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
columns = {f.name: str(f.type) for f in table.schema}
rows = table.to_pylist()
meta = pq.read_metadata(sys.argv[1])
codecs = {meta.row_group(g).column(c).compression for g in range(meta.num_row_groups) for c in range(meta.num_columns)}
assert codecs == {'ZSTD'}, codecs
",
    ),
    (
        "polars",
        "
import json, sys, polars as pl
frame = pl.read_parquet(sys.argv[1])
columns = {name: str(kind) for name, kind in frame.schema.items()}
rows = frame.to_dicts()
",
    ),
    (
        "duckdb",
        "
import json, sys, duckdb
relation = duckdb.sql(f\"select * from read_parquet('{sys.argv[1]}')\")
columns = dict(zip(relation.columns, map(str, relation.types)))
rows = [dict(zip(relation.columns, row)) for row in relation.fetchall()]
",
    ),
    (
        "pandas",
        "
import json, sys, pandas as pd
frame = pd.read_parquet(sys.argv[1])
columns = {name: str(kind) for name, kind in frame.dtypes.items()}
rows = frame.to_dict('records')
",
    ),
    (
        "datasets",
        "
import json, sys, tempfile, datasets
datasets.disable_progress_bars()
cache = tempfile.mkdtemp(dir=sys.argv[2])
data = datasets.load_dataset('parquet', data_files=sys.argv[1], split='train', cache_dir=cache)
columns = {name: feature.dtype for name, feature in data.features.items()}
rows = list(data)
",
    ),
];

const ANSWER: &str = "
json.dump({'columns': columns, 'count': len(rows), 'tokens': sum(int(r['token_count']) for r in rows),
           'text': rows[0]['text'], 'url': rows[0]['url'], 'score': float(rows[0]['language_score']),
           'offset': int(rows[0]['warc_offset']), 'digest': rows[0]['record_digest']}, sys.stdout)
";

/// Columns as pyarrow and datasets name their types; the first nine are FineWeb's.
const COLUMNS: [(&str, &str, &str); 13] = [
    ("text", "string", "string"),
    ("id", "string", "string"),
    ("dump", "string", "string"),
    ("url", "string", "string"),
    ("date", "string", "string"),
    ("file_path", "string", "string"),
    ("language", "string", "string"),
    ("language_score", "double", "float64"),
    ("token_count", "int64", "int64"),
    ("warc_offset", "uint64", "uint64"),
    ("warc_length", "uint32", "uint32"),
    ("record_digest", "string", "string"),
    ("recipe_id", "string", "string"),
];

fn has(python: &Path, module: &str) -> bool {
    let output = Command::new(python)
        .args(["-c", &format!("import {module}")])
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn other_programs_read_the_documents() {
    let Some(python) = python() else { return };
    let folder = folder();
    let archive = pages::mixed_archive(folder.path());
    let out = folder.path().join("out");
    let report = line("refine {} --out {} --json", &[&archive, &out])
        .with_code(0)
        .json();
    let docs = only_unit(&out).join("docs-00000.parquet");
    let rows = read_docs(fs_err::File::open(&docs).unwrap().into_file()).unwrap();
    let first = &rows[0];
    for (reader, program) in READERS {
        if !has(&python, reader) {
            skip(&format!("{reader} is not installed beside ASSAY_PYTHON"));
            continue;
        }
        let answer = run_python(&python, &format!("{program}{ANSWER}"), &[&docs, folder.path()]);
        let found: Value = serde_json::from_str(&answer.stdout).unwrap();
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
        let columns = found["columns"].as_object().unwrap();
        assert_eq!(columns.len(), names.len(), "{reader}: {columns:?}");
        for (name, pyarrow, datasets) in COLUMNS {
            match reader {
                "pyarrow" => assert_eq!(columns[name], pyarrow, "{reader}: {name}"),
                "datasets" => assert_eq!(columns[name], datasets, "{reader}: {name}"),
                _ => assert!(columns.contains_key(name), "{reader}: {name}"),
            }
        }
        assert_eq!(found["count"], report["data"]["kept"], "{reader}");
        assert_eq!(found["tokens"], report["data"]["tokens"], "{reader}");
        let expected = json!({
            "text": first.text, "url": first.url, "score": first.language_score_f64(), "offset": first.warc_offset,
            "digest": first.record_digest,
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(found[key], *value, "{reader}: {key}");
        }
        eprintln!("{reader} reads {} documents", found["count"]);
    }
}

/// Order matters to loaders that take columns by place; ledger and bands are plain Parquet, too.
#[test]
fn the_tables_have_their_columns_in_order() {
    let Some(python) = python() else { return };
    if !has(&python, "pyarrow") {
        return skip("pyarrow is not installed beside ASSAY_PYTHON");
    }
    let folder = folder();
    let archive = pages::mixed_archive(folder.path());
    let out = folder.path().join("out");
    line("refine {} --out {} --features -q", &[&archive, &out]).with_code(0);
    let program = "
import json, sys, pyarrow.parquet as pq
out = {}
for name in ['docs-00000', 'ledger', 'bands', 'features']:
    table = pq.read_table(f'{sys.argv[1]}/{name}.parquet')
    out[name] = {'columns': [f'{f.name}: {f.type}' for f in table.schema], 'rows': table.num_rows}
json.dump(out, sys.stdout)
";
    let found: Value =
        serde_json::from_str(&run_python(&python, program, &[&only_unit(&out)]).stdout).unwrap();
    let docs: Vec<Value> = COLUMNS
        .iter()
        .map(|(name, kind, _)| json!(format!("{name}: {kind}")))
        .collect();
    assert_eq!(found["docs-00000"]["columns"], json!(docs));
    insta::assert_json_snapshot!("tables", found);
}
