//! `docs/graph-file.schema.json` knows what the reader knows: no key more, none less.

use super::{data, graph_files};
use kspipe::graph::file::keys::{self, Table};
use kspipe::graph::{PixelFormat, Strategy};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/graph-file.schema.json");
    let text = std::fs::read_to_string(path).expect("the schema is part of the project");
    serde_json::from_str(&text).expect("the schema is JSON")
}

fn at<'s>(schema: &'s Value, pointer: &str) -> &'s Value {
    schema.pointer(pointer).unwrap_or_else(|| panic!("the schema has no {pointer}"))
}

fn words(value: &Value) -> BTreeSet<&str> {
    value.as_array().expect("a list").iter().map(|word| word.as_str().expect("a word")).collect()
}

fn properties(object: &Value) -> BTreeSet<&str> {
    assert_eq!(object["additionalProperties"], Value::Bool(false), "unknown keys are errors");
    object["properties"].as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn the_schema_has_the_readers_keys() {
    let schema = schema();
    let table = |pointer: &str, table: &Table| {
        let keys: BTreeSet<&str> = table.keys.iter().copied().collect();
        assert_eq!(properties(at(&schema, pointer)), keys, "{}", table.name);
    };
    table("", &keys::FILE);
    table("/$defs/filter", &keys::FILTER);
    table("/$defs/pin", &keys::PIN);
    table("/$defs/item", &keys::ITEM);
    table("/$defs/range", &keys::RANGE);
    table("/$defs/compression", &keys::COMPRESSION);
    table("/$defs/memory", &keys::MEMORY);
    assert_eq!(keys::TABLES.len(), 7, "one line above for each");
    let kinds = at(&schema, "/$defs/run/anyOf").as_array().expect("a list");
    assert_eq!(kinds.len(), keys::KINDS.len());
    for (object, kind) in kinds.iter().zip(&keys::KINDS) {
        assert_eq!(object["title"], kind.table.name);
        assert_eq!(object["properties"]["kind"]["const"], kind.name);
        assert_eq!(properties(object), kind.table.keys.iter().copied().collect(), "{}", kind.table.name);
        assert_eq!(words(&object["required"]), kind.required.iter().copied().collect(), "{}", kind.table.name);
    }
}

#[test]
fn the_schema_has_the_readers_words() {
    fn names<T>(table: &[(&'static str, T)]) -> BTreeSet<&'static str> {
        table.iter().map(|(name, _)| *name).collect()
    }
    let schema = schema();
    for (pointer, expected) in [
        ("/properties/strategy/enum", names(&Strategy::ALL)),
        ("/properties/bridges/enum", names(&keys::BRIDGES)),
        ("/$defs/filter/properties/mode/enum", names(&keys::MODES)),
        ("/$defs/filter/properties/restart/enum", names(&keys::RESTARTS)),
        ("/$defs/pin/properties/direction/enum", names(&keys::DIRECTIONS)),
        ("/$defs/item/properties/memory/anyOf/0/enum", names(&keys::MEMORY_NAMES)),
        ("/$defs/item/properties/requirements/items/enum", names(&keys::REQUIREMENTS)),
        ("/$defs/item/properties/flags/items/enum", names(&keys::FLAGS)),
        ("/$defs/format/enum", names(&PixelFormat::ALL)),
    ] {
        assert_eq!(words(at(&schema, pointer)), expected, "{pointer}");
    }
    let routes = at(&schema, "/$defs/filter/properties/routes/items/pattern").as_str().expect("a pattern");
    let kinds: Vec<&str> = keys::ROUTE_KINDS.iter().map(|(name, _)| *name).collect();
    assert!(routes.contains(&kinds.join("|")), "{routes}");
}

/// Bad files whose fault lies between their parts, which a schema does not see.
const ONLY_THE_READER_SEES: [&str; 17] = [
    "compression-of-a-blob-on-either",
    "compression-on-either",
    "connected-twice",
    "connection-the-wrong-way",
    "connection-to-an-unknown-pin",
    "connection-with-escapes",
    "framing-blob-bad",
    "framing-blob-and-compression",
    "range-that-holds-no-frame",
    "range-upside-down",
    "routes-wrong",
    "run-paths",
    "run-routes",
    "run-shape",
    "syntax-key-twice",
    "syntax-one",
    "syntax-several",
];

#[test]
fn the_schema_accepts_good_files_and_rejects_bad_ones() {
    let schema = jsonschema::validator_for(&schema()).expect("it is a JSON schema");
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let examples = if examples.is_dir() { graph_files(&examples) } else { Vec::new() };
    for (name, text) in graph_files(&data("good")).into_iter().chain(examples) {
        let value: Value = toml::from_str(&text).expect("it is TOML");
        let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    for (name, text) in graph_files(&data("bad")) {
        let Ok(value) = toml::from_str::<Value>(&text) else {
            let whole_numbers_of_64_bits = name == "number-of-many-digits";
            assert!(name.starts_with("syntax") || whole_numbers_of_64_bits, "{name} is not TOML");
            continue;
        };
        let expected = ONLY_THE_READER_SEES.contains(&name.as_str());
        assert_eq!(schema.is_valid(&value), expected, "{name}");
    }
}
