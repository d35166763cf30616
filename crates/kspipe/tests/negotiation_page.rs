//! `docs/negotiation.md` cannot lie: each graph on the page is negotiated, and the plan that stands below it is compared.
//! `KSPIPE_WRITE_PAGE=1` writes the plans anew; look at what changed.

use kspipe::graph::Graph;
use kspipe::graph::file::GraphFile;
use kspipe::negotiate::describe::memory_name;
use kspipe::negotiate::{NegotiateError, negotiate, verify};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/negotiation.md")
}

/// The plan in the few lines that the page explains.
fn told(graph: &Graph) -> String {
    let mut text = String::new();
    let plan = match negotiate(graph) {
        Ok(plan) => plan,
        Err(NegotiateError::Infeasible(infeasible)) => {
            let names: Vec<String> = infeasible.pins.iter().map(|pin| graph.pin_name(*pin)).collect();
            return format!("no plan: {}\n", names.join(", "));
        }
        Err(error) => return format!("no plan: {}\n", error.describe(graph)),
    };
    assert_eq!(verify(graph, &plan), Ok(()));
    assert_eq!(usize::from(plan.proven), plan.cost.keys(graph.strategy()).len(), "the plan is proven");
    for (place, pipe) in plan.pipes.iter().enumerate() {
        let memory = memory_name(graph, pipe.memory_type);
        let allocator = match pipe.allocator.pin {
            Some(pin) => format!("{}: {}", pipe.allocator.kind.name(), graph.pin_name(pin)),
            None => pipe.allocator.kind.name().to_owned(),
        };
        let pins: Vec<String> = pipe.pins.iter().map(|pin| graph.pin_name(*pin)).collect();
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "pipe {place}: {memory}, {} x {} bytes, aligned to {}, {allocator}",
            pipe.frames, pipe.frame_size, pipe.alignment
        );
        let _ = writeln!(text, "        {}", pins.join(", "));
    }
    for bridge in &plan.bridges {
        let (from, to) = (graph.pin_name(bridge.connection.from), graph.pin_name(bridge.connection.to));
        let _ = writeln!(text, "bridge: {from} -> {to}, {} bytes", bridge.bytes);
    }
    for copy in plan.copies.iter().filter(|copy| copy.chosen) {
        let (from, to) = (graph.pin_name(copy.route.from), graph.pin_name(copy.route.to));
        let _ = writeln!(text, "copied: {from} -> {to}, {} bytes", copy.bytes);
    }
    text
}

/// The page with the plan below each graph as it is today, and how many graphs there are.
fn written_anew(page: &str) -> (String, usize) {
    const GRAPH: &str = "```toml\n";
    const PLAN: &str = "```text\n";
    let (mut text, mut count) = (String::new(), 0);
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(GRAPH) {
        let (graph, after) = after.split_once("```\n").expect("a block ends");
        let (between, after) = after.split_once(PLAN).expect("a plan stands below each graph");
        assert!(!between.contains("```") && !between.contains("\n#"), "a plan stands below each graph:\n{graph}");
        let (_, after) = after.split_once("```\n").expect("a block ends");
        let file = GraphFile::parse("negotiation.md", graph, Path::new(".")).unwrap_or_else(|error| {
            panic!("{error:?} in\n{graph}");
        });
        let _ = write!(text, "{before}{GRAPH}{graph}```\n{between}{PLAN}{}```\n", told(&file.graph));
        count += 1;
        rest = after;
    }
    text.push_str(rest);
    (text, count)
}

#[test]
fn every_graph_on_the_page_has_the_plan_that_stands_below_it() {
    let today = std::fs::read_to_string(page()).expect("the page is there").replace("\r\n", "\n");
    let (anew, count) = written_anew(&today);
    if std::env::var_os("KSPIPE_WRITE_PAGE").is_some() {
        std::fs::write(page(), &anew).expect("the page can be written");
    }
    assert!(count >= 12, "{count} graphs");
    for (today, anew) in today.lines().zip(anew.lines()) {
        assert_eq!(today, anew);
    }
    assert_eq!(today.len(), anew.len());
}

#[test]
fn each_rule_has_an_example() {
    let page = std::fs::read_to_string(page()).expect("the page is there").replace("\r\n", "\n");
    let rules: Vec<&str> = page.split("\n### Rule ").skip(1).collect();
    assert_eq!(rules.len(), 8);
    for (place, rule) in rules.iter().enumerate() {
        assert!(rule.starts_with(&format!("{}: ", place + 1)), "{rule}");
        assert!(rule.split("\n## ").next().is_some_and(|rule| rule.contains("```toml\n")), "{rule}");
    }
}

#[test]
fn no_line_of_the_page_is_too_long_to_read() {
    let page = std::fs::read_to_string(page()).expect("the page is there");
    for line in page.lines().filter(|line| !line.starts_with('|')) {
        assert!(line.chars().count() <= 120, "{line}");
    }
}
