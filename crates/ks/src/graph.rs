//! DirectShow's side of a graph (strmif.h): what pins and filters say of themselves.

use crate::{Native, PointerWidth};

open_enum! {
    /// `PIN_DIRECTION`: which way samples go.
    PinDirection {
        /// Into the filter.
        INPUT = 0, PINDIR_INPUT;
        /// Out of the filter.
        OUTPUT = 1, PINDIR_OUTPUT;
    }

    /// `FILTER_STATE`: what a filter does at the moment.
    FilterState {
        /// Nothing.
        STOPPED = 0, State_Stopped;
        /// It has its resources, and holds the samples it gets.
        PAUSED = 1, State_Paused;
        /// It works.
        RUNNING = 2, State_Running;
    }
}

/// The UTF-16 units of a name in [`PinInfoFor`] and [`FilterInfoFor`], the zero at its end included
/// (`MAX_PIN_NAME`, `MAX_FILTER_NAME`).
pub const MAX_NAME_UNITS: usize = 128;

/// `PIN_INFO`: what `IPin::QueryPinInfo` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct PinInfoFor<P: PointerWidth> {
    /// `pFilter`: the filter (`IBaseFilter`) with a reference that the caller gives up, or null.
    pub p_filter: P::Pointer,
    /// `dir`.
    pub dir: PinDirection,
    /// `achName`: the name in UTF-16, ending in a zero.
    pub ach_name: [u16; MAX_NAME_UNITS],
}

/// [`PinInfoFor`] this program.
pub type PinInfo = PinInfoFor<Native>;

/// `FILTER_INFO`: what `IBaseFilter::QueryFilterInfo` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct FilterInfoFor<P: PointerWidth> {
    /// `achName`: the name in UTF-16, ending in a zero.
    pub ach_name: [u16; MAX_NAME_UNITS],
    /// `pGraph`: the graph (`IFilterGraph`) with a reference that the caller gives up, or null.
    pub p_graph: P::Pointer,
}

/// [`FilterInfoFor`] this program.
pub type FilterInfo = FilterInfoFor<Native>;

impl<P: PointerWidth> Default for PinInfoFor<P> {
    fn default() -> Self {
        Self { p_filter: P::Pointer::default(), dir: PinDirection::INPUT, ach_name: [0; MAX_NAME_UNITS] }
    }
}

impl<P: PointerWidth> Default for FilterInfoFor<P> {
    fn default() -> Self {
        Self { ach_name: [0; MAX_NAME_UNITS], p_graph: P::Pointer::default() }
    }
}

assert_layout_by_width!(PinInfoFor: 272 | 264, 8 | 4 { p_filter: 0 | 0, dir: 8 | 4, ach_name: 12 | 8 });
assert_layout_by_width!(FilterInfoFor: 264 | 260, 8 | 4 { ach_name: 0 | 0, p_graph: 256 | 256 });
