//! A graph and its plan as a picture: who allocates, what is shared, where frames are copied and why. As SVG with a
//! layout of its own, and as DOT for Graphviz. First the words, then their places, then the lines.

mod dot;
mod layers;
mod layout;
mod legend;
mod svg;
mod text;
mod words;

pub use dot::{conflict_dot, plan_dot};
pub use svg::{conflict_svg, plan_svg};
