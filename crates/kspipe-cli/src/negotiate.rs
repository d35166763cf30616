//! `kspipe negotiate`: a graph's plan, shown.

use crate::arguments::{NegotiateArguments, PlanFormat};
use crate::failure::Failure;
use crate::progress::while_working;
use crate::{graph, output, overwriting};
use kspipe::negotiate::describe::plan_text;
use kspipe::negotiate::{
    NegotiateError, conflict_dot, conflict_svg, error_json, explained_plan_json, negotiate as make_plan, plan_dot,
    plan_json, plan_svg,
};
use kspipe::stream;

/// Reads, negotiates, shows. Media are looked into for the sizes their headers fix; one that cannot be is only noted.
pub(crate) fn negotiate(arguments: &NegotiateArguments) -> Result<(), Failure> {
    let mut file = graph::read(&arguments.graph)?;
    output::tell(graph::findings(&file));
    for note in stream::probe_formats(&mut file.graph) {
        output::tell(format_args!("{}: {}: {}\n", file.name(), note.filter, note.message));
    }
    let target = arguments.output.as_deref();
    if let Some(target) = target {
        overwriting::refuse("-o", target, &arguments.graph.graph, &file.graph)?;
    }
    let plan = match while_working("negotiating", || make_plan(&file.graph)) {
        Ok(plan) => plan,
        Err(error) if arguments.format == PlanFormat::Json => {
            output::write(target, &format!("{:#}\n", error_json(&file.graph, &error)))?;
            return Err(match error {
                NegotiateError::Undecided { .. } => Failure::SystemSaid,
                _ => Failure::GraphSaid,
            });
        }
        Err(error) => {
            // A picture shows where the conflict is; what it is, standard error says as well.
            match arguments.format {
                PlanFormat::Svg => output::write(target, &conflict_svg(&file.graph, &error))?,
                PlanFormat::Dot => output::write(target, &conflict_dot(&file.graph, &error))?,
                PlanFormat::Text | PlanFormat::Json => {}
            }
            return Err(graph::negotiation_failure(&file, &error));
        }
    };
    let show = || match arguments.format {
        PlanFormat::Text => plan_text(&file.graph, &plan, arguments.explain),
        PlanFormat::Json if arguments.explain => format!("{:#}\n", explained_plan_json(&file.graph, &plan)),
        PlanFormat::Json => format!("{:#}\n", plan_json(&file.graph, &plan)),
        PlanFormat::Dot => plan_dot(&file.graph, &plan),
        PlanFormat::Svg => plan_svg(&file.graph, &plan),
    };
    output::write(target, &while_working("describing the plan", show))
}
