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
    session: Option<&'a Value>,
}

/// A pipe: what the run counted, and what its allocator says with the header's member names.
struct PipeDocument<'a> {
    report: &'a PipeReport,
    properties: Value,
    status: Value,
}

/// What was run, and what it did.
pub(crate) struct Of<'a> {
    /// The graph file's name as it was given.
    pub(crate) name: &'a str,
    pub(crate) graph: &'a Graph,
    pub(crate) plan: &'a Plan,
    pub(crate) report: &'a Report,
    /// Of a graph that processes ran together: who had part in it.
    pub(crate) session: Option<&'a Value>,
}

/// Writes the reports that were asked for.
pub(crate) fn write(files: &[ReportFile], of: &Of<'_>) -> Result<(), Failure> {
    if files.is_empty() {
        return Ok(());
    }
    let Of { name, graph, plan, report, session } = *of;
    let description = Description::new(graph, plan);
    let warnings = description.warnings();
    // One process's report has the pipes that it had to do with.
    let pipes = report.pipes.iter().filter_map(|report| {
        let pipe = plan.pipes.get(PipeId(report.id).index())?;
        Some(PipeDocument {
            report,
            properties: properties::json(&description.properties(PipeId(report.id))),
            status: status::json(pipe, report),
        })
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
        session,
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
    if let Some(session) = document.session {
        value["session"] = session.clone();
    }
    if let Some(pipes) = value["pipes"].as_array_mut() {
        for (value, pipe) in pipes.iter_mut().zip(&document.pipes) {
            value["ALLOCATOR_PROPERTIES_EX"] = pipe.properties.clone();
            value["KSSTREAMALLOCATOR_STATUS"] = pipe.status.clone();
        }
    }
    Ok(value)
}
