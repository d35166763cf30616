//! How much memory negotiation takes at its peak, over the graph it is given, by the number of pins.
//!
//! `cargo bench -p kspipe --bench negotiate_memory`; `-- --quick` leaves the largest graphs out.

mod families;

use families::FAMILIES;
use kspipe::negotiate::negotiate;
use peak_alloc::PeakAlloc;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let sizes: &[u32] = if quick { &[1_000] } else { &[1_000, 100_000, 1_000_000] };
    println!("{:<40} {:>9} {:>16} {:>16}", "family", "pins", "peak bytes a pin", "plan bytes a pin");
    for (name, family) in FAMILIES {
        for pins in sizes {
            let graph = family(*pins);
            let count = graph.pins().len();
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            let plan = negotiate(&graph).expect("a plan");
            let (peak, kept) = (HEAP.peak_usage() - before, HEAP.current_usage() - before);
            println!("{name:<40} {count:>9} {:>16} {:>16}", peak / count, kept / count);
            drop(plan);
        }
    }
}
