//! What is said of plans.

use super::codes;
use super::references::*;
use crate::finding::{Severity, Topic};

codes! { PLAN;
    PREFERRED_MEMORY = "KS001" {
        name: "preferred-memory", topic: Topic::Plan,
        title: "a preferred memory type is not had",
        explanation: "With KSALLOCATOR_REQUIREMENTF_PREFERENCES_ONLY the memory type of an item is a wish. The pipe's other \
            pins, or a side of the user / kernel boundary, decided otherwise. The driver gets frames in memory it did not \
            name, and has to be able to work with them.",
        example: "camera.capture prefers device; the pipe holds user",
        fix: Some("Clear PREFERENCES_ONLY if the pin cannot work with other memory; the plan then has a bridge, or none exists."),
        references: &[FRAMING, RULES],
    }
    PREFERRED_SIZE = "KS002" {
        name: "preferred-size", topic: Topic::Plan,
        title: "frames are smaller than a pin prefers",
        explanation: "A preferred physical minimum, or a capacity (the minimum of FramingRange), is over the size of the pipe's \
            frames, because a requirement of another pin keeps them small. What the pin writes or reads may not fit.",
        example: "b.in prefers frames of at least 200 bytes (FramingRange); the pipe's have 100",
        fix: Some("Look at the reasons of frame_size (kspipe negotiate --explain), which name the pins that keep frames small."),
        references: &[FRAMING_ITEM, RULES],
    }
    PREFERRED_FRAMES = "KS003" {
        name: "preferred-frames", topic: Topic::Plan,
        title: "there are fewer frames than a pin prefers",
        explanation: "The strategy minimize-frames puts fewer frames before preferences, so a pin has fewer than it likes. A \
            driver that queues all its frames to hardware runs dry.",
        example: "b.in prefers 8 frames; the pipe has 1",
        fix: Some("Choose another strategy, or clear PREFERENCES_ONLY if the pin cannot work with less."),
        references: &[FRAMING, RULES],
    }
    PREFERRED_ALLOCATOR = "KS004" {
        name: "preferred-allocator", topic: Topic::Plan,
        title: "a pin that prefers to allocate does not",
        explanation: "One pin of a pipe allocates. Of pins that only prefer to, the one farthest downstream does; a kernel-mode \
            pin may not where the pipe has a user-mode pin, because frames a kernel-mode allocator makes cannot reach user mode. \
            KSProxy then never calls the driver's allocator (InitializeAllocator), without a message.",
        example: "camera.capture prefers to allocate; the default allocator does",
        fix: Some("Keep the pipe in the kernel, or let the pin take frames from the allocator there is."),
        references: &[ALLOCATORS, INITIALIZE_ALLOCATOR, SAMPLE_791],
    }
    NOT_CONNECTED = "KS005" {
        name: "not-connected", topic: Topic::Plan,
        title: "a pin is not connected",
        explanation: "A pin that nobody connects is a pipe of its own: no frames come to it, or nobody gets them. In a graph \
            file that is mostly a connection that was forgotten.",
        example: "filter.camera has pin.capture and pin.preview; connections = [\"camera.capture -> viewer.in\"]",
        fix: Some("Connect it, or leave the pin out of the graph."),
        references: &[RULES],
    }
    OLD_DEVICE_MEMORY = "KS006" {
        name: "old-device-memory", topic: Topic::Plan,
        title: "an old framing asks for device memory",
        explanation: "In KSALLOCATOR_FRAMING a clear KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY means memory of the sink's device, \
            mapped into system space. Nobody but that device's driver can provide it, and PoolType is not read. Often the flag \
            was only forgotten.",
        example: "framing.RequirementsFlags = KSALLOCATOR_REQUIREMENTF_INPLACE_MODIFIER;  // and not SYSTEM_MEMORY",
        fix: Some("Set KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY where the pin works in host memory, and name the pool in PoolType."),
        references: &[FRAMING, DEFAULT_ALLOCATORS],
    }
    PREFERRED_MAXIMUM = "KS007" {
        name: "preferred-maximum", severity: Severity::Note, topic: Topic::Plan,
        title: "frames are larger than a pin's preferred physical maximum",
        explanation: "A maximum that is only preferred does not bound the pipe's frames: a larger frame serves a pin that uses a \
            part of it. A device that cannot take a larger buffer has to require its maximum.",
        example: "b.in prefers frames of at most 100 bytes (PhysicalRange); the pipe's have 200",
        fix: Some("Clear PREFERENCES_ONLY if the device cannot use a larger frame."),
        references: &[FRAMING_ITEM, RULES],
    }
    PREFERRED_STEPPING = "KS008" {
        name: "preferred-stepping", severity: Severity::Note, topic: Topic::Plan,
        title: "the frame size is not on a pin's preferred stepping",
        explanation: "A stepping that is only preferred does not round the size of the pipe's frames. A device that transfers \
            whole packets or rows only has to require it.",
        example: "b.in prefers sizes of 10 + k * 64 (PhysicalRange); the pipe's frames have 200 bytes",
        fix: Some("Clear PREFERENCES_ONLY if the device cannot use a size off the stepping."),
        references: &[FRAMING_RANGE, RULES],
    }
    OPTIMAL_MAXIMUM = "KS009" {
        name: "optimal-maximum", severity: Severity::Note, topic: Topic::Plan,
        title: "frames are larger than a pin's optimal maximum",
        explanation: "FramingRange says which sizes a pin likes. Its minimum is what the pin needs; its maximum binds nobody, \
            because other pins of the pipe may need more.",
        example: "b.in likes frames of at most 100 bytes (FramingRange); the pipe's have 200",
        fix: Some("State PhysicalRange if the device cannot use a larger frame."),
        references: &[FRAMING_ITEM, RULES],
    }
    IN_PIN_RANGE = "KS010" {
        name: "in-pin-range", topic: Topic::Plan,
        title: "the physical range of an in pin decided, which KSProxy ignores",
        explanation: "The physical range of an in pin changed the size of the pipe's frames. kspipe counts it; KSProxy is \
            documented not to use the sizes of in pins, so on Windows the frames have the other size that the message names.",
        example: "b.in: its PhysicalRange (500 to 800, step 7) makes the pipe's frames 500 bytes; without it they would have 1",
        fix: Some("State the range at the out pin that feeds it, or set the size when the media type is set."),
        references: &[CODECS, PIN_DESCRIPTOR_EX],
        ksproxy_differs: true,
    }
    COM_LIMITS = "KS011" {
        name: "com-limits", topic: Topic::Plan,
        title: "a pipe's numbers do not fit a COM allocator",
        explanation: "ALLOCATOR_PROPERTIES has LONG members, and an allocator has at most 2^31 - 1 bytes in all and an alignment \
            of at most 65536. The plan is valid; writing it to a COM allocator fails with E_OUTOFMEMORY.",
        example: "pipe 0: cbBuffer is 3000000000; a COM allocator has room for 2147483647",
        fix: Some("Ask for fewer or smaller frames in that pipe."),
        references: &[ALLOCATOR_PROPERTIES, COM],
    }
    UNDECLARED_MEMORY = "KS012" {
        name: "undeclared-memory", topic: Topic::Plan,
        title: "a memory type is not declared",
        explanation: "A memory type that ks.h does not define is a device's own. Unless the graph says who can map it, nobody is \
            taken to, so pins of other filters cannot share the pipe.",
        example: "framing = [{ memory = \"{8CB0FC28-0000-0000-0000-0000C0FFEE00}\" }]  # and no [memory] entry",
        fix: Some("Add a [memory.\"{GUID}\"] entry with name, host-mappable and user-mappable."),
        references: &[GRAPH_FILE, FRAMING_ITEM],
    }
    IDLE_COMPRESSION = "KS013" {
        name: "idle-compression", topic: Topic::Plan,
        title: "a compression is stated where it has no effect",
        explanation: "OutputCompression says how the size of frames changes on the way through a filter to an out pin. At an in \
            pin, and at an out pin that no route leads to, there is no such way.",
        example: "pin.in = { direction = \"in\", compression = { numerator = 1, denominator = 10 } }",
        fix: Some("State it at the out pin whose frames it describes, and the route that leads there."),
        references: &[COMPRESSION, FRAMING_EX],
    }
    LOCKED_USER_MEMORY = "KS014" {
        name: "locked-user-memory", severity: Severity::Note, topic: Topic::Plan,
        title: "locked user memory stands in for kernel memory",
        explanation: "The pipe has a user-mode pin, so its frames lie in a process, and an ask for paged or nonpaged memory is \
            met by pages of that process, locked while the kernel uses them. The driver sees no pool address.",
        example: "camera.capture asks kernel-nonpaged; the pipe has a user-mode pin, so locked user memory is used",
        fix: Some("Nothing, or keep the pipe in the kernel where pool memory is needed."),
        references: &[ALLOCATORS, CIRCUITS, RULES],
    }
    WORD_TWICE = "KS015" {
        name: "word-twice", topic: Topic::File,
        title: "a word is listed twice",
        explanation: "A requirement or flag stands twice in its list. It counts once; mostly another word was meant.",
        example: "flags = [\"can-allocate\", \"can-allocate\"]",
        fix: Some("Leave one out."),
        references: &[GRAPH_FILE],
    }
    NO_PINS = "KS016" {
        name: "filter-without-pins", topic: Topic::File,
        title: "a filter has no pins",
        explanation: "A filter without pins takes part in nothing: no frame comes to it and none leaves it. Mostly its pins stand \
            in the table of another name.",
        example: "[filter.viewer]\nmode = \"user\"",
        fix: Some("Add its pins, or leave the filter out."),
        references: &[GRAPH_FILE],
    }
    HOLD_COPIES = "KS017" {
        name: "hold-copies", topic: Topic::Graph,
        title: "a filter that only holds frames copies them",
        explanation: "A `hold` filter keeps frames and hands them on unchanged. On a route `copy` every frame it hands on is \
            copied, and what it holds is not part of the pipe that may starve.",
        example: "routes = [\"in -> out copy\"]\nrun = { kind = \"hold\", frames = 3 }",
        fix: Some("State the route as `pass`."),
        references: &[GRAPH_FILE],
    }
    HOLDS_TOO_FEW = "KS018" {
        name: "holds-too-few", topic: Topic::Graph,
        title: "`holds` says less than the filter keeps",
        explanation: "A pipe has one frame more than its pins hold. Where a pin keeps more than it says, the pipe can run out of \
            frames and stand still.",
        example: "pin.in = { direction = \"in\", holds = 1 }\nrun = { kind = \"hold\", frames = 3 }",
        fix: Some("Say at least what the filter keeps, or leave `holds` out."),
        references: &[GRAPH_FILE, TSDUCK_681],
    }
    UNDECIDED = "KS019" {
        name: "undecided", topic: Topic::Graph,
        title: "whether the graph has a plan was not decided within the limit",
        explanation: "Many alternatives with different steppings, or undirected cycles, can make a negotiation hard, so there is a \
            limit on its effort. It came before any plan was found; there may be one.",
        example: "thirty pins in a ring, each with four alternatives of different steppings",
        fix: Some("Give pins fewer alternatives with different steppings, or take undirected cycles out of the graph."),
        references: &[RULES],
    }
    UP_TO_A_BRIDGE = "KS020" {
        name: "up-to-a-bridge", topic: Topic::Plan,
        title: "frames of a pin that must allocate are copied at a bridge",
        explanation: "The pin allocates the frames of its pipe, but the pipe ends at a bridge: who comes after gets copies. Toward \
            user mode, Windows never calls a driver's allocator: its frames cannot be reached there.",
        example: "a.out must allocate and does, but only up to a.out -> b.in, where its frames are copied",
        fix: Some("Ask `kspipe negotiate --explain` what stands in the way; drop MUST_ALLOCATE where any frames will do."),
        references: &[INITIALIZE_ALLOCATOR, ALLOCATORS, RULES],
        ksproxy_differs: true,
    }
    OTHER_ITEM = "KS021" {
        name: "other-item-used", topic: Topic::Plan,
        title: "an item that asks to allocate is not the one used",
        explanation: "A plan uses one item of each pin. The one it uses does not ask to allocate, so the pin's allocator is not \
            used, though another item offers it.",
        example: "a.out asks to allocate in item 0 only; the plan uses item 1, so its allocator is not",
        fix: Some("Ask to allocate in every item that the pin could be used with."),
        references: &[FRAMING_EX, RULES],
    }
    NOT_ON_WINDOWS = "KS022" {
        name: "not-on-windows", topic: Topic::Plan,
        title: "a pin allocates where Windows would not call its allocator",
        explanation: "The pin's device memory can be mapped to user mode, so it may allocate for a pipe that reaches there. On \
            Windows a driver's allocator is called only for a connection in kernel mode.",
        example: "a.out allocates frames that b.in in user mode gets, in device memory that it can map",
        fix: Some("On Windows, keep the connection in kernel mode, or expect another allocator."),
        references: &[INITIALIZE_ALLOCATOR, ALLOCATORS],
        ksproxy_differs: true,
    }
    UPSTREAM_MAY_IGNORE = "KS023" {
        name: "upstream-may-ignore", topic: Topic::Plan,
        title: "a user-mode filter upstream may ignore a pin's size and alignment",
        explanation: "The plan meets what the pin asks. On Windows a user-mode filter upstream that allocates may ignore it, even \
            where it is required.",
        example: "b.in requires an alignment of 16 bytes, and a.out in user mode, which gives the frames, does not",
        fix: Some("Check each frame and copy those that do not fit, or let the pin upstream ask for the same."),
        references: &[PIN_DESCRIPTOR_EX],
        ksproxy_differs: true,
    }
    MORE_OUTSTANDING = "KS024" {
        name: "more-outstanding", topic: Topic::Plan,
        title: "a pipe has more than twice the frames a driver says it can have outstanding",
        explanation: "Frames is documented as the most frames outstanding at a pin. Others in the pipe ask for more frames, and \
            drivers are known that fail with more reads than they said.",
        example: "a.out says Frames 2; the pipe has 5 because of b.in",
        fix: Some("Queue no more reads at the pin than it says, or ask for fewer frames downstream."),
        references: &[CODECS],
    }
    NOT_TO_BE_SHARED = "KS025" {
        name: "not-to-be-shared", severity: Severity::Error, topic: Topic::Graph,
        title: "a filter has a process of its own, and its frames are in memory that processes cannot share",
        explanation: "The frames that go to a filter with `process = true`, or come from it, lie in memory that both processes \
            map: `user` or `kernel-paged`. The plan puts them into another one, mostly because a pin asks for it, or because \
            all pins of the pipe are in kernel mode. `kspipe run` and `kspipe serve` refuse such a graph.",
        example: "`recorder` has a process of its own, and the frames of recorder.in are in kernel-nonpaged memory (pipe 0), \
            which processes cannot share",
        fix: Some("Ask for `user` or `kernel-paged` memory at a pin of the pipe, or leave `process = true` out: filters without it \
            run together, in one process, which may use nonpaged memory, too."),
        references: &[GRAPH_FILE, SHARED_POOL],
    }
    STALLS = "KS030" {
        name: "stalls", topic: Topic::Plan,
        title: "the graph stalls",
        explanation: "Filters wait for each other in a circle: one for a free frame of a pipe, another for a frame that only comes \
            once the first goes on. Each pipe has what its own pins hold and one more, but where branches meet again one \
            branch's frames wait for the other's. It happens in every run, whatever the order in which filters get to work.",
        example: "pipe 0 has 1 frame and needs 4, or the graph stalls: join.now waits for delay, which keeps 3",
        fix: Some("Ask for the frames the message names, at the pin it names."),
        references: &[RULES],
    }
    MAY_STALL = "KS031" {
        name: "may-stall", topic: Topic::Plan,
        title: "the graph stalls where filters keep and send frames as late as they may",
        explanation: "`kspipe run` moves every frame of this graph. Another program whose pins keep any frames, as many as they \
            state, or whose filters send nothing before they have every frame they acquire, may stall with it.",
        example: "pipe 1 has 4 frames and needs 5, or the graph stalls, where filters keep any frames, as many as they may",
        fix: Some("Ask for the frames the message names, at the pin it names, if other programs run the graph."),
        references: &[RULES],
    }
    NOT_PROVEN_TO_MOVE = "KS032" {
        name: "not-proven-to-move", topic: Topic::Plan,
        title: "it is not proven that the graph always moves",
        explanation: "Several places acquire frames of one pipe in step. Whether each of them always gets one is not decided by \
            counting frames, or was not found out within the stated limit.",
        example: "pipe 0: whether each always gets one is not proven",
        fix: Some("Let all but one copy into another pipe: a `copy` route, or a bridge."),
        references: &[RULES],
    }
}
