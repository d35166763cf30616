//! The pipe objects of a plan: one [`KsAllocator`] per pipe, with everything that was negotiated, linked.

use super::com_pin::{ComPin, identity, is_same};
use super::error::NegotiatePinsError;
use super::pin_graph::PinGraph;
use crate::face::KsAllocator;
use crate::hresult::*;
use crate::interfaces::IMemAllocator;
use core::ffi::c_void;
use ks::{AllocatorProperties, AllocatorPropertiesEx, KsAllocatorMode};
use ksobject::ObjectAccess;
use kspipe::allocator::{self, Allocator, MemoryKind};
use kspipe::graph::{Direction, Graph, Mode, PinId, RouteKind};
use kspipe::negotiate::describe::Description;
use kspipe::negotiate::{AllocatorKind, Pipe, PipeId, Plan};
use std::collections::HashSet;
use std::sync::Arc;
use windows_core::Interface;

/// A pipe of a plan and the object that will be it.
pub(super) struct NegotiatedPipe {
    pub(super) object: KsAllocator,
    /// The plan's pins of the pipe, upstream before downstream.
    pub(super) pins: Vec<PinId>,
    /// The pin that allocates, or on whose handle the allocator is made.
    pub(super) host: Option<PinId>,
    /// The frames come from an allocator behind the host's handle.
    pub(super) in_kernel: bool,
    /// The host's own allocator, which the frames come from; `None`: the pipe object.
    pub(super) hosts_own: Option<HostsOwn>,
    /// The out pins at which the pipe begins: they take frames from the allocator.
    pub(super) sources: Vec<PinId>,
    /// The first four members of the negotiated properties.
    pub(super) properties: AllocatorProperties,
}

/// An allocator that a user-mode pin has and insists on, or prefers.
pub(super) struct HostsOwn {
    pub(super) allocator: IMemAllocator,
    /// Without it there is no pipe.
    pub(super) required: bool,
}

/// Makes the objects. No pin is changed.
pub(super) fn make(
    pins: &PinGraph,
    plan: &Plan,
    access: &Arc<dyn ObjectAccess>,
) -> Result<Vec<NegotiatedPipe>, NegotiatePinsError> {
    let graph = &pins.graph;
    let description = Description::new(graph, plan);
    let ids = || (0..).map(PipeId).zip(&plan.pipes);
    let mut negotiated: Vec<(AllocatorPropertiesEx, Option<PipeId>, Vec<PipeId>)> =
        Vec::with_capacity(plan.pipes.len());
    for (id, pipe) in ids() {
        let properties = description.properties(id);
        let told = properties.to_ks().map_err(|number| {
            let pins = pipe.pins.iter().map(|pin| graph.pin_name(*pin)).collect();
            NegotiatePinsError::DoesNotFit { pins, number }
        })?;
        negotiated.push((told, properties.previous, properties.next));
    }
    let objects: Vec<KsAllocator> = plan.pipes.iter().map(|pipe| object(pipe, access)).collect();
    let addresses: Vec<*mut c_void> = objects.iter().map(|object| object.interface().as_raw()).collect();
    for (object, (properties, previous, next)) in objects.iter().zip(&negotiated) {
        object.set_properties_ex(properties);
        let next = next.iter().map(|pipe| addresses[pipe.index()]).collect::<Vec<_>>().into_boxed_slice();
        object.link_segments(previous.map(|pipe| addresses[pipe.index()]), next);
    }
    let joined: HashSet<PinId> = joined_out_pins(graph);
    let pipes = plan.pipes.iter().zip(objects).zip(&negotiated);
    Ok(pipes
        .map(|((pipe, object), (properties, ..))| NegotiatedPipe {
            object,
            pins: pipe.pins.clone(),
            host: pipe.allocator.pin,
            in_kernel: pipe.mode == Mode::Kernel && pipe.allocator.pin.is_some(),
            hosts_own: hosts_own(pins, pipe),
            sources: pipe.pins.iter().copied().filter(|pin| is_source(graph, *pin, &joined)).collect(),
            properties: properties.allocator_properties(),
        })
        .collect())
}

/// The object of a pipe, in user mode; its memory half has the properties that were negotiated.
fn object(pipe: &Pipe, access: &Arc<dyn ObjectAccess>) -> KsAllocator {
    let engine = Allocator::new(MemoryKind::default());
    let properties = allocator::AllocatorProperties {
        // It is a LONG, or the pipe would not have come here.
        frames: u32::try_from(pipe.frames).unwrap_or(u32::MAX),
        size: pipe.frame_size,
        alignment: pipe.alignment,
        prefix: pipe.prefix,
    };
    // A new allocator, and a power of two: there is nothing to refuse.
    let set = engine.set_properties(properties);
    debug_assert!(set.is_ok(), "{set:?}");
    KsAllocator::with_access(engine, access.clone())
}

/// The out pins that frames come to through their filter, without being copied.
fn joined_out_pins(graph: &Graph) -> HashSet<PinId> {
    graph.routes().iter().filter(|route| route.kind != RouteKind::Copy).map(|route| route.to).collect()
}

fn is_source(graph: &Graph, pin: PinId, joined: &HashSet<PinId>) -> bool {
    graph.pin(pin).direction() == Direction::Out && !joined.contains(&pin)
}

/// The allocator that a user-mode host has already, where it is because of it that the pin is the host. One that came
/// with an earlier pipe is not the host's own.
fn hosts_own(pins: &PinGraph, pipe: &Pipe) -> Option<HostsOwn> {
    let kinds = [AllocatorKind::MustAllocate, AllocatorKind::Prefers, AllocatorKind::Exists];
    if pipe.mode != Mode::User || !kinds.contains(&pipe.allocator.kind) {
        return None;
    }
    let host: &ComPin = pins.pin(pipe.allocator.pin?);
    let allocator = host.allocator()?;
    let is_pipes = host.current_pipe().is_some_and(|pipe| match (identity(&pipe), identity(&allocator)) {
        (Ok(pipe), Ok(allocator)) => is_same(&pipe, &allocator),
        _ => false,
    });
    let required = pipe.allocator.kind == AllocatorKind::MustAllocate;
    (!is_pipes).then_some(HostsOwn { allocator, required })
}

impl NegotiatedPipe {
    /// Where the frames come from, as the pins are told it.
    pub(super) fn frames(&self) -> IMemAllocator {
        match &self.hosts_own {
            Some(own) => own.allocator.clone(),
            None => self.object.clone().into(),
        }
    }

    /// Creates the allocator on the host's handle, and makes the object a kernel-mode one. No pin is changed.
    pub(super) fn create_in_kernel(&self, pins: &PinGraph) -> Result<(), NegotiatePinsError> {
        let Some(host) = self.host.filter(|_| self.in_kernel) else { return Ok(()) };
        let created = pins.pin(host).ks_pin.as_ref().map(|pin| self.object.create_allocator(pin));
        if !created.is_some_and(|handle| handle.is_object()) {
            return Err(NegotiatePinsError::Refused {
                pin: pins.graph.pin_name(host),
                call: "KsCreateAllocatorAndGetHandle",
                code: VFW_E_NO_ALLOCATOR,
                not_undone: Vec::new(),
            });
        }
        self.object.set_mode(KsAllocatorMode::KERNEL);
        Ok(())
    }
}
