//! Any graph, of any numbers: negotiating it for every strategy, checking the plan and saying all there is to say of it ends
//! without a panic, and the verifier accepts the plan.

use arbitrary::{Arbitrary, Result, Unstructured};
use ks::{
    AllocatorFlags, Guid, KSMEMORY_TYPE_DEVICE_UNKNOWN, KSMEMORY_TYPE_KERNEL_NONPAGED, KSMEMORY_TYPE_KERNEL_PAGED,
    KSMEMORY_TYPE_SYSTEM, KSMEMORY_TYPE_USER, KSMEMORY_TYPE_WILDCARD, RequirementFlags,
};
use kspipe::graph::{
    Bridges, Compression, DeviceMemory, Direction, FrameRange, Framing, FramingItem, Graph, GraphBuilder, Mode,
    RouteKind, Strategy,
};
use kspipe::negotiate::describe::plan_text;
use kspipe::negotiate::{NegotiateError, error_json, negotiate, plan_dot, plan_json, plan_svg, verify};

/// The most pins of a graph.
const MOST_PINS: usize = 200;
/// The most pins of a graph whose plans are explained: that negotiates again for each ask.
const MOST_EXPLAINED: usize = 12;
/// The most filters of a graph at which ways can meet; more of them would only use up the negotiation's limit of work.
const MOST_MEETINGS: usize = 3;

const DEVICES: [Guid; 2] = [Guid::from_u128(0xA), Guid::from_u128(0xB)];

/// Panics where that does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Some(graph) = graph(&mut Unstructured::new(bytes)).ok().flatten() else { return };
    for (_, strategy) in Strategy::ALL {
        let graph = graph.clone().with_strategy(strategy);
        match negotiate(&graph) {
            Ok(plan) => {
                assert_eq!(verify(&graph, &plan), Ok(()));
                assert!(usize::from(plan.proven) <= plan.cost.keys(strategy).len());
                assert!(!plan_json(&graph, &plan).to_string().is_empty());
                assert!(!plan_text(&graph, &plan, graph.pins().len() <= MOST_EXPLAINED).is_empty());
                assert!(!plan_svg(&graph, &plan).is_empty() && !plan_dot(&graph, &plan).is_empty());
            }
            Err(error) => {
                match &error {
                    NegotiateError::Cycle(pins) => assert!(pins.len() > 1, "a cycle has pins"),
                    NegotiateError::Infeasible(infeasible) => assert!(!infeasible.pins.is_empty(), "somebody is named"),
                    NegotiateError::Undecided { .. } => {}
                }
                assert!(!error.describe(&graph).is_empty() && error_json(&graph, &error).is_object());
            }
        }
    }
}

/// A graph; `None` where what was read makes none.
pub(crate) fn graph(bytes: &mut Unstructured<'_>) -> Result<Option<Graph>> {
    let mut graph = Graph::builder();
    graph.bridges(if bytes.ratio(1, 8)? { Bridges::Forbid } else { Bridges::Allow });
    for memory in DEVICES {
        if bytes.ratio(3, 4)? {
            let name = format!("device-{}", memory.data4[7]);
            let (host_mappable, user_mappable) = bytes.arbitrary()?;
            graph.memory(memory, DeviceMemory { name, host_mappable, user_mappable });
        }
    }
    let (mut pins, mut meetings) = (0, 0);
    let (mut free_in, mut free_out): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for number in 0.. {
        let (mut ins, outs) = (bytes.int_in_range(0..=2)?, bytes.int_in_range(0..=3)?);
        if ins > 1 {
            meetings += 1;
            if meetings > MOST_MEETINGS {
                ins = 1;
            }
        }
        pins += ins + outs;
        if bytes.is_empty() || pins > MOST_PINS {
            break;
        }
        let filter = format!("f{number}");
        graph.filter(&filter).mode(mode(bytes)?).only_stated_routes();
        for (direction, count, free) in [(Direction::In, ins, &mut free_in), (Direction::Out, outs, &mut free_out)] {
            for place in 0..count {
                let name = pin_name(direction, place);
                add_pin(&mut graph, &filter, &name, direction, bytes)?;
                free.push(format!("{filter}.{name}"));
            }
        }
        for from in 0..ins {
            for to in 0..outs {
                if bytes.ratio(7, 8)? {
                    let kind =
                        *bytes.choose(&[RouteKind::Pass, RouteKind::Either, RouteKind::InPlace, RouteKind::Copy])?;
                    let (from, to) = (pin_name(Direction::In, from), pin_name(Direction::Out, to));
                    graph.filter(&filter).route(&from, &to, kind);
                }
            }
        }
        // In pins are connected as they come, to any out pin there is, their own filter's too.
        for to in std::mem::take(&mut free_in) {
            if free_out.is_empty() || bytes.ratio(1, 16)? {
                continue;
            }
            let newest = free_out.len().saturating_sub(1 + outs);
            let place = if bytes.ratio(7, 8)? { newest } else { bytes.choose_index(free_out.len())? };
            let from = free_out.remove(place.min(free_out.len() - 1));
            graph.connect(&from, &to);
        }
    }
    Ok(graph.build().ok())
}

fn pin_name(direction: Direction, place: usize) -> String {
    match direction {
        Direction::In => format!("in{place}"),
        Direction::Out => format!("out{place}"),
    }
}

fn add_pin(
    graph: &mut GraphBuilder,
    filter: &str,
    name: &str,
    direction: Direction,
    bytes: &mut Unstructured<'_>,
) -> Result<()> {
    let mut items = Vec::new();
    for _ in 0..*bytes.choose(&[0, 0, 0, 1, 1, 2, 3, 8])? {
        items.push(item(bytes)?);
    }
    let mut pin = graph.filter(filter).pin(name, direction);
    pin = pin.framing(match &items[..] {
        [] => Framing::None,
        [only] if bytes.arbitrary()? => Framing::Old(Box::new(only.clone())),
        _ => Framing::Extended(items),
    });
    if bytes.ratio(1, 8)? {
        pin = pin.mode(mode(bytes)?);
    }
    if bytes.ratio(1, 8)? {
        pin = pin.holds(number(bytes)?);
    }
    if bytes.ratio(1, 8)? {
        pin = pin.media_size(wide_number(bytes)?);
    }
    if bytes.ratio(1, 8)? {
        let (numerator, denominator, margin) = (number(bytes)?, number(bytes)?, number(bytes)?);
        pin.compression(Compression { numerator, denominator, margin });
    }
    Ok(())
}

pub(crate) fn item(bytes: &mut Unstructured<'_>) -> Result<FramingItem> {
    let memories = [
        KSMEMORY_TYPE_WILDCARD,
        KSMEMORY_TYPE_WILDCARD,
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_SYSTEM,
        KSMEMORY_TYPE_USER,
        KSMEMORY_TYPE_KERNEL_PAGED,
        KSMEMORY_TYPE_KERNEL_NONPAGED,
        KSMEMORY_TYPE_DEVICE_UNKNOWN,
        DEVICES[0],
        DEVICES[1],
        Guid::from_u128(0xC),
    ];
    let alignment = match bytes.int_in_range(0u32..=65)? {
        64 => 0,
        65 => u64::arbitrary(bytes)?,
        log => 1 << log,
    };
    Ok(FramingItem {
        memory: *bytes.choose(&memories)?,
        frames: number(bytes)?,
        alignment,
        physical: range(bytes)?,
        optimal: range(bytes)?,
        requirements: RequirementFlags::from_bits_truncate(u32::from(u8::arbitrary(bytes)?)),
        flags: AllocatorFlags::from_bits_truncate(u32::arbitrary(bytes)?),
        ..FramingItem::default()
    })
}

fn range(bytes: &mut Unstructured<'_>) -> Result<FrameRange> {
    if bytes.arbitrary()? {
        return Ok(FrameRange::OPEN);
    }
    Ok(FrameRange { min: number(bytes)?, max: number(bytes)?, step: number(bytes)? })
}

/// Any number, the small and the extreme more often.
pub(crate) fn number(bytes: &mut Unstructured<'_>) -> Result<u32> {
    let known = [0, 1, 1, 2, 3, 64, 100, 4096, 65_537, 1 << 31, 4_294_967_291, u32::MAX - 1, u32::MAX, u32::MAX];
    Ok(match bytes.choose_index(known.len() + 1)? {
        place if place < known.len() => known[place],
        _ => bytes.arbitrary()?,
    })
}

/// The same with 64 bits.
pub(crate) fn wide_number(bytes: &mut Unstructured<'_>) -> Result<u64> {
    let known = [1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX];
    Ok(match bytes.choose_index(known.len() + 2)? {
        place if place < known.len() => known[place],
        place if place == known.len() => bytes.arbitrary()?,
        _ => number(bytes)?.into(),
    })
}

pub(crate) fn mode(bytes: &mut Unstructured<'_>) -> Result<Mode> {
    Ok(if bytes.arbitrary()? { Mode::Kernel } else { Mode::User })
}
