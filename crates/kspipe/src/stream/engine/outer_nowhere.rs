//! Where no process shares its frames with another: there is none of what [`outer`](super::outer) has elsewhere.

use super::pool::Held;
use super::queue::Item;
use crate::allocator::FrameHeader;
use crate::graph::PinId;
use crate::stream::filters::FilterError;
use std::time::Duration;

#[derive(Debug)]
pub(super) enum OuterFrame {}

impl OuterFrame {
    pub(super) fn data(&self) -> &[u8] {
        match *self {}
    }

    pub(super) fn header(&self) -> FrameHeader {
        match *self {}
    }

    pub(super) fn set_header(&mut self, _: FrameHeader) {
        match *self {}
    }

    pub(super) fn exclusive(&mut self) -> Option<&mut [u8]> {
        match *self {}
    }

    pub(super) fn another(&self) -> OuterFrame {
        match *self {}
    }
}

#[derive(Debug)]
pub(in crate::stream) enum OuterPool {}

impl OuterPool {
    pub(super) fn frames(&self) -> u32 {
        match *self {}
    }

    pub(super) fn try_acquire(&self, _: u32, _: PinId) -> Result<OuterFrame, FilterError> {
        match *self {}
    }

    pub(super) fn acquire(&self, _: u32, _: PinId, _: Option<Duration>) -> Result<OuterFrame, FilterError> {
        match *self {}
    }

    pub(super) fn in_use(&self) -> (u32, u32) {
        match *self {}
    }

    pub(super) fn held_here(&self) -> u32 {
        match *self {}
    }

    pub(super) fn acquires(&self) -> u64 {
        match *self {}
    }

    pub(super) fn waits(&self) -> u64 {
        match *self {}
    }

    pub(super) fn interrupt(&self) {
        match *self {}
    }
}

#[derive(Debug)]
pub(in crate::stream) enum Ring {}

impl Ring {
    pub(super) fn try_pop(&self) -> Result<Option<Item>, FilterError> {
        match *self {}
    }

    pub(super) fn is_ready(&self) -> bool {
        match *self {}
    }

    pub(super) fn wait(&self) {
        match *self {}
    }

    pub(super) fn abandon(&self) {
        match *self {}
    }
}

#[derive(Debug)]
pub(in crate::stream) enum Door {}

impl Door {
    pub(super) fn hand_over(&self, _: u32, _: Held) -> Result<u32, FilterError> {
        match *self {}
    }

    pub(super) fn end(&self) {
        match *self {}
    }

    pub(super) fn is_over(&self) -> bool {
        match *self {}
    }
}
