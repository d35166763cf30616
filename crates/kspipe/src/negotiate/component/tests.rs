//! A component is solved alike in one go and in stages. `KSPIPE_STAGED_GRAPHS` is the number of graphs of each kind (400).

use super::Component;
use crate::graph::PinId;
use crate::negotiate::around::Watch;
use crate::negotiate::counted::Counted;
use crate::negotiate::facts::Facts;
use crate::negotiate::keys::Keys;
use crate::negotiate::problem::Problem;
use crate::negotiate::random_graphs::{Dice, Kind, random_graph};
use crate::negotiate::table::Effort;
use crate::negotiate::trace::Solution;

type Found = (Option<(Solution, Keys)>, Effort);

/// What is found in one go, however much work that is, or in stages.
fn found(problem: &Problem<'_>, pins: &[PinId], may_cut: bool, in_one_go: bool) -> Found {
    let ground = problem.ground(pins, &Counted::EVERYTHING);
    let component = Component::of(problem, pins, &Counted::EVERYTHING);
    let mut effort = Effort::up_to(u64::MAX);
    let mut found = if in_one_go {
        component.run(&ground, &mut effort, may_cut, Watch::Nothing)
    } else {
        component.best(&ground, &mut effort, may_cut, 0)
    };
    if let Some((solution, _)) = &mut found {
        solution.sort();
    }
    (found, effort)
}

#[test]
fn stages_find_what_one_go_finds() {
    let graphs = std::env::var("KSPIPE_STAGED_GRAPHS").ok().and_then(|graphs| graphs.parse().ok()).unwrap_or(400);
    for kind in [Kind::Chain, Kind::Tees, Kind::WideTee, Kind::Mixers, Kind::Tangled] {
        let (mut plans, mut cut) = (0, 0);
        for seed in 1..=graphs {
            let mut dice = Dice(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15) | 1);
            let filters = 2 + dice.roll(20);
            let graph = random_graph(&mut dice, kind, filters);
            let Ok(facts) = Facts::of(&graph) else { continue };
            let problem = Problem::new(&facts);
            for pins in facts.components().map(|component| facts.component(component)) {
                for may_cut in [false, true] {
                    let (in_one_go, effort) = found(&problem, pins, may_cut, true);
                    if effort.exhausted {
                        continue;
                    }
                    let (in_stages, effort) = found(&problem, pins, may_cut, false);
                    if effort.exhausted {
                        continue;
                    }
                    assert_eq!(in_stages, in_one_go, "seed {seed}, {kind:?}, may cut: {may_cut}, {graph:#?}");
                    plans += u32::from(in_stages.is_some());
                    cut += u32::from(in_stages.is_some_and(|(solution, _)| !solution.cuts.is_empty()));
                }
            }
        }
        println!("{kind:?}: {plans} plans, {cut} with cuts");
        assert!(plans > 60 && cut > 20, "{kind:?}: {plans} plans, {cut} with cuts");
    }
}
