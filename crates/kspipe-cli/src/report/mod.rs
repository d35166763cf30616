//! What is written when a graph has run: the JSON and the HTML report.

mod html;
mod properties;
mod status;

use crate::arguments::{ReportFile, ReportFormat};
use crate::failure::Failure;
use crate::output;
use kspipe::graph::Graph;
use kspipe::negotiate::describe::Description;
use kspipe::negotiate::{PipeId, Plan, Warning, plan_json, plan_svg};
use kspipe::stream::{PipeReport, Report};
use serde_json::{Value, json};

/// Everything a report is made of.
struct Document<'a> {
    name: &'a str,
    graph: &'a Graph,
    plan: &'a Plan,
    plan_json: Value,
    picture: String,
    warnings: &'a [Warning],
    report: &'a Report,
    pipes: Vec<PipeDocument<'a>>,
}

/// A pipe: what the run counted, and what its allocator says with the header's member names.
struct PipeDocument<'a> {
    report: &'a PipeReport,
    properties: Value,
    status: Value,
}

/// Writes the reports that were asked for.
pub(crate) fn write(
    files: &[ReportFile],
    name: &str,
    graph: &Graph,
    plan: &Plan,
    report: &Report,
) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    let description = Description::new(graph, plan);
    let warnings = description.warnings();
    let pipes = report.pipes.iter().zip(&plan.pipes).map(|(report, pipe)| PipeDocument {
        report,
        properties: properties::json(&description.properties(PipeId(report.id))),
        status: status::json(pipe, report),
    });
    let document = Document {
        name,
        graph,
        plan,
        plan_json: plan_json(graph, plan),
        picture: plan_svg(graph, plan),
        warnings: &warnings,
        report,
        pipes: pipes.collect(),
    };
    for file in files {
        let text = match file.format {
            ReportFormat::Html => html::page(&document),
            ReportFormat::Json => format!("{:#}\n", document_json(&document)?),
        };
        output::write(Some(&file.path), &text)?;
    }
    Ok(())
}

/// The run's report, with the graph's name and plan, and in each pipe the two structures.
fn document_json(document: &Document<'_>) -> Result<Value, Failure> {
    let mut value =
        serde_json::to_value(document.report).map_err(|error| Failure::system("write the report as JSON", error))?;
    value["file"] = json!(document.name);
    value["plan"] = document.plan_json.clone();
    if let Some(pipes) = value["pipes"].as_array_mut() {
        for (value, pipe) in pipes.iter_mut().zip(&document.pipes) {
            value["ALLOCATOR_PROPERTIES_EX"] = pipe.properties.clone();
            value["KSSTREAMALLOCATOR_STATUS"] = pipe.status.clone();
        }
    }
    Ok(value)
}
