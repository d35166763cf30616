//! What is said of a plan: its JSON, its properties, its reasons and its warnings.

#[path = "describe/graphs.rs"]
mod graphs;

use graphs::camera_overlay_recorder;
use kspipe::negotiate::{plan_json};
use kspipe::negotiate::describe::plan_text;

#[test]
fn x() {
    let g = camera_overlay_recorder();
    let p = graphs::camera_plan(&g);
    println!("{}", serde_json::to_string_pretty(&plan_json(&g, &p)).unwrap());
    println!("{}", plan_text(&g, &p, true));
}
