//! A plan as a picture: filters as boxes, connections as arrows in the colour of their pipe, bridges dashed. As SVG
//! with a layout of its own, and as DOT for Graphviz.

mod dot;
mod layers;
mod layout;
mod svg;

pub use dot::plan_dot;
pub use svg::plan_svg;

/// A number of bytes in a few characters: `3.11 MB`. Pictures have no room for the digits; tool tips and the legend do.
fn short_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("EB", 1_000_000_000_000_000_000),
        ("PB", 1_000_000_000_000_000),
        ("TB", 1_000_000_000_000),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
    ];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => {
            // Hundredths, rounded down: a picture never claims more than is copied.
            let hundredths = u128::from(bytes) * 100 / u128::from(*unit);
            format!("{}.{:02} {name}", hundredths / 100, hundredths % 100)
        }
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::short_bytes;

    #[test]
    fn bytes_are_short() {
        let table = [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (3_110_400, "3.11 MB"), (u64::MAX, "18.44 EB")];
        for (bytes, text) in table {
            assert_eq!(short_bytes(bytes), text);
        }
    }
}
