//! The report as a page that needs nothing else: the plan as a picture, and what the run did in tables.

use super::{Document, PipeDocument};
use crate::units;
use kspipe::stream::{FilterReport, Latency, Outcome, Report};
use std::fmt::{self, Display, Write};

/// The page.
pub(super) fn page(document: &Document<'_>) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, document);
    page
}

/// Text, with the characters that mean something in HTML escaped.
struct Text<T>(T);

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.to_string().chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

fn write_page(page: &mut String, document: &Document<'_>) -> fmt::Result {
    let Document { name, report, .. } = document;
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - kspipe</title>\n<style>\n{style}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
         <p class=\"quiet\">{outcome} after {duration}; strategy {strategy}; kspipe {version}</p>\n",
        title = Text(name),
        style = include_str!("style.css"),
        outcome = outcome(report.outcome),
        duration = units::seconds(report.duration),
        strategy = document.plan.strategy,
        version = env!("CARGO_PKG_VERSION"),
    )?;
    for error in &report.errors {
        let filter = error.filter.as_deref().unwrap_or("graph");
        writeln!(page, "<p class=\"warning\"><b>{}</b>: {}</p>", Text(filter), Text(&error.message))?;
    }
    write_tiles(page, report)?;
    writeln!(page, "<h2>Plan</h2>\n<div class=\"picture\">{}</div>", document.picture)?;
    for warning in document.warnings {
        writeln!(
            page,
            "<p class=\"warning\"><b>{}</b> {}{} <span class=\"quiet\">{}</span></p>",
            warning.code,
            Text(warning.pin.map_or_else(String::new, |pin| document.graph.pin_name(pin) + " ")),
            Text(&warning.message),
            Text(&warning.help)
        )?;
    }
    write_pipes(page, &document.pipes)?;
    write_filters(page, &in_flow_order(report))?;
    write_properties(page, &document.pipes)?;
    page.push_str("</body>\n</html>\n");
    Ok(())
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "Finished",
        Outcome::Stopped => "Stopped",
        Outcome::Failed => "Failed",
    }
}

fn write_tiles(page: &mut String, report: &Report) -> fmt::Result {
    let graph = &report.graph;
    let out: u64 = report.pipes.iter().map(|pipe| pipe.frames_out_at_end).sum();
    let verdict = |good: bool| if good { "good" } else { "bad" };
    let tiles = [
        ("", units::grouped(graph.source_frames), "frames"),
        ("", units::rate(graph.source_frames, report.duration), "frames a second"),
        (
            if graph.copies_per_frame == 0.0 { "good" } else { "" },
            units::decimal(graph.copies_per_frame),
            if graph.copies_per_frame == 1.0 { "copy per frame" } else { "copies per frame" },
        ),
        ("", units::bytes(graph.bytes_moved_without_copying), "moved without copying"),
        ("", units::bytes(graph.bytes_copied), "copied"),
        (verdict(graph.drops == 0), units::grouped(graph.drops), "dropped"),
        (verdict(out == 0), units::grouped(out), "frames out at the end"),
    ];
    page.push_str("<div class=\"tiles\">\n");
    for (class, value, label) in tiles {
        writeln!(page, "<div class=\"tile {class}\"><b>{value}</b><span>{label}</span></div>")?;
    }
    page.push_str("</div>\n");
    Ok(())
}

fn write_pipes(page: &mut String, pipes: &[PipeDocument<'_>]) -> fmt::Result {
    page.push_str(
        "<h2>Pipes</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>pipe</th><th>pins</th><th>memory</th>\
         <th class=\"number\">frames</th><th class=\"number\">bytes each</th><th class=\"number\">peak in use</th>\
         <th class=\"number\">acquired</th><th class=\"number\">waits</th><th class=\"number\">bytes carried</th></tr>\
         </thead>\n<tbody>\n",
    );
    for PipeDocument { report, .. } in pipes {
        let memory = if report.memory == report.memory_type {
            report.memory.clone()
        } else {
            format!("{}, {}", report.memory_type, report.memory)
        };
        writeln!(
            page,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td></tr>",
            report.id,
            report.pins.iter().map(|pin| Text(pin).to_string()).collect::<Vec<_>>().join(", "),
            Text(memory),
            units::grouped(report.frames),
            units::grouped(report.frame_size),
            units::grouped(report.peak_in_use),
            units::grouped(report.acquires),
            units::grouped(report.waits),
            units::bytes(report.bytes),
        )?;
    }
    page.push_str("</tbody></table></div>\n");
    Ok(())
}

/// The filters, upstream before downstream, as the plan orders their pins.
fn in_flow_order(report: &Report) -> Vec<&FilterReport> {
    let pins = || report.pipes.iter().flat_map(|pipe| &pipe.pins);
    let place = |filter: &&FilterReport| {
        pins().position(|pin| pin.strip_prefix(&filter.name).is_some_and(|rest| rest.starts_with('.')))
    };
    let mut filters: Vec<&FilterReport> = report.filters.iter().collect();
    filters.sort_by_cached_key(place);
    filters
}

fn write_filters(page: &mut String, filters: &[&FilterReport]) -> fmt::Result {
    page.push_str(
        "<h2>Filters</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>filter</th><th>kind</th>\
         <th class=\"number\">frames in</th><th class=\"number\">frames out</th><th class=\"number\">bytes</th>\
         <th class=\"number\">latency, median</th><th class=\"number\">p99</th>\
         <th class=\"number\">end to end, median</th><th class=\"number\">p99</th></tr></thead>\n<tbody>\n",
    );
    let time = |latency: Option<Latency>, of: fn(&Latency) -> u64| {
        latency.as_ref().map_or_else(|| "-".to_owned(), |latency| units::nanoseconds(of(latency)))
    };
    for filter in filters {
        write!(
            page,
            "<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td>\
             <td class=\"number\">{}</td>",
            Text(&filter.name),
            Text(&filter.kind),
            units::grouped(filter.frames_in),
            units::grouped(filter.frames_out),
            units::bytes(filter.bytes),
        )?;
        for latency in [Some(filter.latency), filter.end_to_end] {
            let (median, p99) = (time(latency, |l| l.median_ns), time(latency, |l| l.p99_ns));
            write!(page, "<td class=\"number\">{median}</td><td class=\"number\">{p99}</td>")?;
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
    for filter in filters {
        if let Some(digest) = &filter.digest {
            writeln!(page, "<p>{}: <code>{}</code></p>", Text(&filter.name), Text(digest))?;
        }
    }
    Ok(())
}

fn write_properties(page: &mut String, pipes: &[PipeDocument<'_>]) -> fmt::Result {
    page.push_str("<h2>What IKsAllocatorEx says of each pipe</h2>\n");
    for pipe in pipes {
        for (structure, value) in
            [("ALLOCATOR_PROPERTIES_EX", &pipe.properties), ("KSSTREAMALLOCATOR_STATUS", &pipe.status)]
        {
            // A JSON value written as text cannot fail: its keys are strings.
            let text = serde_json::to_string_pretty(value).unwrap_or_default();
            writeln!(
                page,
                "<details><summary>pipe {}: <code>{structure}</code></summary><pre>{}</pre></details>",
                pipe.report.id,
                Text(text)
            )?;
        }
    }
    Ok(())
}
