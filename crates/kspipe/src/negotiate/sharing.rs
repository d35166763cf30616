//! Rule 7 as a half-built pipe needs to know it: who writes and who forbids it, seen from a pin at which the pipe goes on,
//! and what reaches the pipe's other end.

use super::facts::EdgeKind;

/// Who writes, and where nobody may, seen from one pin of a half-built pipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Sharing {
    /// A writer at this pin or downstream of it.
    pub(super) writes: bool,
    /// This pin, or one upstream of it, lets nobody downstream write.
    pub(super) protects: bool,
    /// Routes that leave this in pin and stay in the pipe: 0, 1, or more.
    branches: u8,
    /// A writer in one of those branches.
    branch_writes: bool,
}

impl Sharing {
    /// One pin by itself.
    pub(super) fn of_pin(writes: bool, protects: bool) -> Self {
        Sharing { writes, protects, branches: 0, branch_writes: false }
    }

    /// What two parts that meet at a pin are together, seen from that pin; `None` where one writes and the other forbids
    /// it, or where both are branches and one writes.
    pub(super) fn meet(self, other: Self) -> Option<Self> {
        let forbidden = self.protects && other.writes || other.protects && self.writes;
        let shared = self.branches > 0 && other.branches > 0;
        if forbidden || shared && (self.branch_writes || other.branch_writes) {
            return None;
        }
        Some(self.with(other))
    }

    fn with(self, other: Self) -> Self {
        Sharing {
            writes: self.writes | other.writes,
            protects: self.protects | other.protects,
            branches: (self.branches + other.branches).min(2),
            branch_writes: self.branch_writes | other.branch_writes,
        }
    }

    /// What lies below an edge, seen from the pin the edge leaves.
    pub(super) fn seen_from_above(self, edge: EdgeKind) -> Self {
        let writes = edge.writes() || self.writes;
        Sharing { writes, protects: false, branches: edge.is_route().into(), branch_writes: edge.is_route() && writes }
    }

    /// What lies above an edge, seen from the pin the edge leads to; `None` where the edge or another branch of the pin
    /// it leaves writes and may not.
    pub(super) fn seen_from_below(self, edge: EdgeKind) -> Option<Self> {
        let shared = self.is_shared_by(edge);
        if (self.protects || shared) && edge.writes() || shared && self.branch_writes {
            return None;
        }
        Some(Sharing { protects: self.protects || shared, ..Sharing::default() })
    }

    /// Whether this edge, leaving the pin, makes it a pin with several branches.
    fn is_shared_by(self, edge: EdgeKind) -> bool {
        edge.is_route() && self.branches > 0
    }

    /// Whether some route already leaves the pin in this pipe.
    pub(super) fn has_branches(self) -> bool {
        self.branches > 0
    }

    /// Whether several routes leave the pin in this pipe.
    pub(super) fn is_shared(self) -> bool {
        self.branches > 1
    }

    /// Whether a writer is in a branch that leaves the pin.
    pub(super) fn has_writing_branch(self) -> bool {
        self.branch_writes
    }

    /// At least as much is still allowed as with `other`.
    pub(super) fn is_as_free_as(self, other: Self) -> bool {
        self.writes <= other.writes
            && self.protects <= other.protects
            && self.branches <= other.branches
            && self.branch_writes <= other.branch_writes
    }
}

/// How the two ends of a path lie to each other: what of rule 7 passes from one to the other where one pipe has both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Link {
    /// Both ends are the same pin.
    same_pin: bool,
    /// Every edge of the path leads from the near end to the far end.
    near_is_above: bool,
    /// Every edge of the path leads from the far end to the near end.
    far_is_above: bool,
    /// The path's edge at the near end is a route that leaves it.
    route_leaves_near: bool,
    /// The path's edge at the far end is a route that leaves it.
    route_leaves_far: bool,
}

impl Link {
    /// A path of one pin.
    pub(super) const SAME_PIN: Link = Link {
        same_pin: true,
        near_is_above: false,
        far_is_above: false,
        route_leaves_near: false,
        route_leaves_far: false,
    };

    /// The path with one more edge, at its near end; `upwards`: the new near end is where the edge comes from.
    pub(super) fn longer(self, edge: EdgeKind, upwards: bool) -> Self {
        Link {
            same_pin: false,
            near_is_above: upwards && (self.same_pin || self.near_is_above),
            far_is_above: !upwards && (self.same_pin || self.far_is_above),
            route_leaves_near: upwards && edge.is_route(),
            route_leaves_far: if self.same_pin { !upwards && edge.is_route() } else { self.route_leaves_far },
        }
    }

    /// This path and one that begins where it ends.
    pub(super) fn followed_by(self, next: Self) -> Self {
        Link {
            same_pin: false,
            near_is_above: self.near_is_above && next.near_is_above,
            far_is_above: self.far_is_above && next.far_is_above,
            route_leaves_near: self.route_leaves_near,
            route_leaves_far: next.route_leaves_far,
        }
    }

    /// What becomes of the far end's view where the pipe goes on from its near end, whose view is `near`, over an edge.
    pub(super) fn far_beyond(self, far: Sharing, near: Sharing, edge: EdgeKind, upwards: bool) -> Sharing {
        if upwards {
            return far;
        }
        if self.same_pin {
            return far.with(Sharing {
                writes: edge.writes(),
                protects: false,
                branches: edge.is_route().into(),
                branch_writes: edge.is_route() && edge.writes(),
            });
        }
        let mut far = far;
        if self.far_is_above {
            far.writes |= edge.writes();
            far.branch_writes |= self.route_leaves_far && edge.writes();
        }
        if self.near_is_above && self.route_leaves_near {
            far.protects |= near.is_shared_by(edge);
        }
        far
    }

    /// What becomes of the far end's view where `gained` meets the pipe at its near end.
    pub(super) fn far_after(self, far: Sharing, gained: Sharing) -> Sharing {
        gained_across(far, gained, self.near_is_above, self.far_is_above, self.route_leaves_near, self.route_leaves_far)
    }

    /// What becomes of the near end's view where `gained` meets the pipe at its far end.
    pub(super) fn near_after(self, near: Sharing, gained: Sharing) -> Sharing {
        gained_across(
            near,
            gained,
            self.far_is_above,
            self.near_is_above,
            self.route_leaves_far,
            self.route_leaves_near,
        )
    }
}

/// The view from one end of a path after `gained` met it at the other end.
fn gained_across(
    view: Sharing,
    gained: Sharing,
    other_is_above: bool,
    this_is_above: bool,
    route_leaves_other: bool,
    route_leaves_this: bool,
) -> Sharing {
    let mut view = view;
    if other_is_above {
        view.protects |= gained.protects || route_leaves_other && gained.has_branches();
    }
    if this_is_above {
        view.writes |= gained.writes;
        view.branch_writes |= route_leaves_this && gained.writes;
    }
    view
}

/// An edge that leaves an end of a path, over which the path will go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WayOut {
    /// The edge leads away from the end.
    pub(super) leaves: bool,
    pub(super) kind: EdgeKind,
}

impl Sharing {
    /// What matters still where the pipe can only go on over this edge.
    pub(super) fn towards(mut self, way: WayOut) -> Self {
        if way.leaves {
            self.writes = false;
            if way.kind.is_route() {
                self.branches = self.branches.min(1);
            } else {
                self.branches = 0;
                self.branch_writes = false;
            }
        } else {
            self.protects = false;
            self.branches = 0;
            self.branch_writes = false;
        }
        self
    }
}
