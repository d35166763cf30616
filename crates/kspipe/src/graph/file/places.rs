//! Where the keys of pins and items stand in a graph file, looked up in its text when somebody asks.

use super::GraphFile;
use crate::finding::Span;
use crate::graph::PinId;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key of a graph file with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// From the key's first byte to the value's last.
    pub whole: Span,
    /// The value.
    pub value: Span,
}

/// The keys of a graph file's pins. Making it reads the text once more; a graph file keeps only the places of pins and
/// items, because a graph of a million pins has many keys that nobody asks about.
#[derive(Debug)]
pub struct KeyPlaces<'a> {
    file: &'a GraphFile,
    table: Spanned<DeTable<'a>>,
}

impl<'a> KeyPlaces<'a> {
    /// Reads the file's text again.
    pub fn of(file: &'a GraphFile) -> Self {
        let (table, _) = DeTable::parse_recoverable(file.text());
        KeyPlaces { file, table }
    }

    /// A key of a pin's table, such as `compression`, then of the table that is its value, and so on.
    pub fn of_pin(&self, pin: PinId, path: &[&str]) -> Option<KeyPlace> {
        follow(self.pin(pin)?, path)
    }

    /// A key of a framing item's table, the same way. `None` also where the items come from a blob.
    pub fn of_item(&self, pin: PinId, item: usize, path: &[&str]) -> Option<KeyPlace> {
        let items = self.pin(pin)?.get("framing")?.get_ref().as_array()?;
        follow(items.get(item)?.get_ref().as_table()?, path)
    }

    fn pin(&self, pin: PinId) -> Option<&DeTable<'a>> {
        let graph = &self.file.graph;
        let pin = graph.pins().get(pin.index())?;
        let filters = self.table.get_ref().get("filter")?.get_ref().as_table()?;
        let filter = filters.get(graph.filter(pin.filter()).name())?.get_ref().as_table()?;
        filter.get("pin")?.get_ref().as_table()?.get(pin.name())?.get_ref().as_table()
    }
}

fn follow<'a>(table: &DeTable<'a>, path: &[&str]) -> Option<KeyPlace> {
    let (first, rest) = path.split_first()?;
    let (key, value) = table.get_key_value(*first)?;
    if !rest.is_empty() {
        let DeValue::Table(inner) = value.get_ref() else { return None };
        return follow(inner, rest);
    }
    let (key, value) = (Span::from(key.span()), Span::from(value.span()));
    Some(KeyPlace { whole: Span { start: key.start.min(value.start), end: value.end.max(key.end) }, value })
}
