//! The fewest frames that put a token on every circle.
//!
//! That is a covering problem in whole numbers (with circles of one frame each it is the smallest set of arcs that meets
//! all cycles, which nobody can find quickly in general), so circles are found one after the other, and what covers those
//! found so far is exact by branch and bound; graphs of media have few circles.

use super::circles::{Circle, Search, search};
use super::model::Model;

/// Choices tried for pipes that hang together.
const CHOICES: usize = 200_000;
/// Times that circles are looked for.
const ROUNDS: usize = 200;

/// Frames to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frames {
    /// By pipe.
    pub(super) added: Vec<i128>,
    /// No fewer would do.
    pub(super) smallest: bool,
}

/// The fewest frames to add so that no circle is left, of those the fewest `bytes`, of those the earliest pipes the most.
/// `circles` and `enough` are what a search without any found; the circles found on the way are added.
pub(super) fn cure(model: &Model, bytes: &[u128], circles: &mut Vec<Circle>, mut enough: Vec<i128>) -> Frames {
    // What a circle lacks is what it lacks in the plan, not after others had been cured.
    for circle in circles.iter_mut() {
        circle.missing = lacks(model, circle);
    }
    for _ in 0..ROUNDS {
        let Some(added) = cover(circles, bytes, model.frames.len()) else { break };
        match search(model, added.clone()) {
            Search::Done { circles: more, .. } if more.is_empty() => return Frames { added, smallest: true },
            Search::Done { circles: more, added, .. } => {
                enough = added;
                circles.extend(more.into_iter().map(|mut circle| {
                    circle.missing = lacks(model, &circle);
                    circle
                }));
            }
            Search::Incurable(_) | Search::Limit => break,
        }
    }
    Frames { added: enough, smallest: false }
}

fn lacks(model: &Model, circle: &Circle) -> i128 {
    1 - circle.edges.iter().map(|edge| model.edges[*edge].tokens).sum::<i128>()
}

/// The best whole numbers that meet every circle; `None` where there are too many choices.
fn cover(circles: &[Circle], bytes: &[u128], pipes: usize) -> Option<Vec<i128>> {
    let mut added = vec![0i128; pipes];
    // One pipe alone must have what it lacks.
    for circle in circles {
        if let [pipe] = circle.pipes[..] {
            added[pipe] = added[pipe].max(circle.missing);
        }
    }
    let open: Vec<&Circle> = circles.iter().filter(|circle| left(circle, &added) > 0).collect();
    for group in groups(&open) {
        let mut best = Best { value: None, left: CHOICES };
        branch(&group, bytes, &mut added.clone(), &added, &mut best);
        if best.left == 0 {
            return None;
        }
        let (_, chosen) = best.value?;
        for pipe in group.iter().flat_map(|circle| &circle.pipes) {
            added[*pipe] = chosen[*pipe];
        }
    }
    Some(added)
}

fn left(circle: &Circle, added: &[i128]) -> i128 {
    circle.missing - circle.pipes.iter().map(|pipe| added[*pipe]).sum::<i128>()
}

/// Circles that share pipes, together.
fn groups<'c>(circles: &[&'c Circle]) -> Vec<Vec<&'c Circle>> {
    let mut groups: Vec<Vec<&Circle>> = Vec::new();
    for circle in circles {
        let shares =
            |group: &Vec<&Circle>| group.iter().any(|other| other.pipes.iter().any(|pipe| circle.pipes.contains(pipe)));
        let mut joined = vec![*circle];
        let (shared, apart): (Vec<_>, Vec<_>) = groups.into_iter().partition(shares);
        joined.extend(shared.into_iter().flatten());
        groups = apart;
        groups.push(joined);
    }
    groups
}

/// Frames, bytes, and the frames of each pipe, earliest first, more before fewer.
type Value = (i128, u128, Vec<i128>);

struct Best {
    value: Option<(Value, Vec<i128>)>,
    left: usize,
}

fn branch(circles: &[&Circle], bytes: &[u128], added: &mut Vec<i128>, floor: &[i128], best: &mut Best) {
    best.left = best.left.saturating_sub(1);
    if best.left == 0 {
        return;
    }
    let spent: i128 = added.iter().zip(floor).map(|(now, floor)| now - floor).sum();
    // Circles without a pipe in common each need their own.
    let mut seen: Vec<usize> = Vec::new();
    let mut bound = spent;
    let mut worst: Option<&Circle> = None;
    for circle in circles {
        let missing = left(circle, added);
        if missing <= 0 {
            continue;
        }
        if !circle.pipes.iter().any(|pipe| seen.contains(pipe)) {
            bound += missing;
            seen.extend(&circle.pipes);
        }
        if worst.is_none_or(|worst| missing > left(worst, added)) {
            worst = Some(circle);
        }
    }
    if best.value.as_ref().is_some_and(|((frames, ..), _)| bound > *frames) {
        return;
    }
    let Some(circle) = worst else {
        let more = |pipe: &usize| u128::try_from(added[*pipe] - floor[*pipe]).unwrap_or(0);
        let mut pipes: Vec<usize> = circles.iter().flat_map(|circle| circle.pipes.iter().copied()).collect();
        pipes.sort_unstable();
        pipes.dedup();
        let cost = pipes.iter().fold(0u128, |sum, pipe| sum.saturating_add(more(pipe).saturating_mul(bytes[*pipe])));
        let value = (spent, cost, pipes.iter().map(|pipe| -added[*pipe]).collect());
        if best.value.as_ref().is_none_or(|(best, _)| value < *best) {
            best.value = Some((value, added.clone()));
        }
        return;
    };
    // All that is missing in the first pipe, or one less there and the rest in the others, and so on.
    share(circle, 0, left(circle, added), circles, bytes, added, floor, best);
}

/// Deals `missing` frames out to the pipes of a circle from `place` on.
#[expect(clippy::too_many_arguments, reason = "one recursion with `branch`")]
fn share(
    circle: &Circle,
    place: usize,
    missing: i128,
    circles: &[&Circle],
    bytes: &[u128],
    added: &mut Vec<i128>,
    floor: &[i128],
    best: &mut Best,
) {
    let Some(pipe) = circle.pipes.get(place).copied() else { return };
    let is_last = place + 1 == circle.pipes.len();
    let mut now = missing;
    loop {
        added[pipe] += now;
        if now == missing {
            branch(circles, bytes, added, floor, best);
        } else {
            share(circle, place + 1, missing - now, circles, bytes, added, floor, best);
        }
        added[pipe] -= now;
        if now == 0 || is_last || best.left == 0 {
            return;
        }
        now -= 1;
    }
}
