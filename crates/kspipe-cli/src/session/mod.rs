//! Graphs that processes run together: `kspipe serve`, `attach`, `status` and `top`, and `kspipe run` where filters have
//! processes of their own. `docs/sessions.md` tells what goes on between them.

pub(crate) mod arguments;
mod attach;
mod connect;
mod failures;
mod mediated;
mod progress;
mod run_kind;
mod serve;
mod served;
mod status;
pub(crate) mod supervise;
mod text;
mod top;
mod user;

pub(crate) use attach::attach;
pub(crate) use serve::serve;
pub(crate) use status::status;
pub(crate) use top::top;
