//! What is said of a pin among its filter, its routes and its neighbours.

use super::codes;
use super::references::*;
use crate::finding::{Severity, Topic};

codes! { GRAPH;
    SIZE_IN_BITS = "KS047" {
        name: "size-in-bits", topic: Topic::Graph,
        title: "a size is in bits",
        explanation: "Frame sizes are bytes. A size that is exactly eight times what the format's frame takes was computed from \
            bits: bits per sample times samples, or biBitCount times width and height. Eight times the memory is used, and audio \
            frames last eight times as long, which is latency.",
        example: "SampleRate * BitsPerSample * Channels / 30  // 47040 where 5880 bytes are needed",
        fix: Some("Divide by 8."),
        references: &[FRAMING_ITEM, AVSSAMP],
    }
    SIZE_IN_PIXELS = "KS048" {
        name: "size-in-pixels", topic: Topic::Graph,
        title: "a size is in pixels",
        explanation: "Frame sizes are bytes. A size that is exactly width times height was computed without the bytes of a pixel; \
            the picture does not fit.",
        example: "size = 921600  # 1280 x 720 pixels; NV12 takes 1382400 bytes, RGB24 2764800",
        fix: Some("Use the size of the format's frame: biSizeImage."),
        references: &[FRAMING_ITEM, BARESIP_2467],
    }
    SIZE_UNDER_MEDIA = "KS049" {
        name: "size-under-media", topic: Topic::Graph,
        title: "a size is smaller than the frame it must carry",
        explanation: "The connected format says how many bytes one frame takes, and the pin's framing declares less. kspipe gives \
            the frame its size all the same, or finds no plan where a required maximum is in the way; a client that follows the \
            framing allocates too little, and the driver writes past the end or drops the frame.",
        example: "media-size = 153600, framing = [{ size = 8192 }]",
        fix: Some("Declare at least the size of the format's frame; edit the framing when the format is set."),
        references: &[CODECS, BARESIP_2467],
    }
    CANNOT_WIN = "KS052" {
        name: "allocator-cannot-win", topic: Topic::Graph,
        title: "a pin offers to allocate where it never can",
        explanation: "A kernel-mode pin that can, prefers to or must allocate never does in a pipe with a user-mode pin: what a \
            kernel-mode allocator gives out cannot reach user mode, unless it is device memory mapped there. And one pin of a pipe \
            allocates: one that must goes before all others. KSProxy passes such an allocator over without a message; its \
            InitializeAllocator is not called.",
        example: "a kernel-mode camera with can-allocate, connected to a user-mode recorder",
        fix: Some("Leave the flag out, keep the pipe in the kernel, or offer device memory that user mode can map."),
        references: &[ALLOCATORS, INITIALIZE_ALLOCATOR, SAMPLE_791],
    }
    FRAMES_UNDER_HOLDS = "KS054" {
        name: "frames-under-holds", topic: Topic::Graph,
        title: "fewer frames are asked for than the pipe's pins hold",
        explanation: "A pipe needs one frame more than its pins hold at once, or its source finds none to fill and the stream \
            stands still. A plan of kspipe counts what pins hold; a framing cannot say it, so another proxy has only Frames to go \
            by, and none of the pins asks for enough.",
        example: "camera.capture: frames = 4; recorder.in: holds = 4",
        fix: Some("Ask for at least one frame more than are held in the pipe."),
        references: &[TSDUCK_681, SCHEMES, RULES],
    }
    CODEC_FRAMES = "KS055" {
        name: "codec-frames", topic: Topic::Graph,
        title: "a codec's pin asks for fewer than three frames",
        explanation: "Microsoft recommends that encoders and decoders support at least three outstanding frames at both of their \
            pins, for a smooth flow: one is filled, one on its way, one in use. For in pins Frames is what counts, as their sizes \
            are not used.",
        example: "pin.in = { direction = \"in\", framing = [{ frames = 2 }] }  # of a kernel-mode filter that copies",
        fix: Some("Ask for three frames or more."),
        references: &[CODECS],
    }
    INPUT_SIZE = "KS057" {
        name: "input-size", severity: Severity::Note, topic: Topic::Graph,
        title: "an in pin of a codec states sizes that KSProxy does not read",
        explanation: "kspipe keeps to the physical range of an in pin. KSProxy is documented not to use it for codecs: in pins only \
            pass samples on, and the size comes from upstream. The driver has to take frames of the size the media type gives.",
        example: "pin.in = { direction = \"in\", framing = [{ physical = { min = 4096, max = 65536 } }] }",
        fix: Some("Take any size at the in pin, and set internal structures when the media type is set."),
        references: &[CODECS, PIN_DESCRIPTOR_EX],
        ksproxy_differs: true,
    }
    IN_PLACE_AND_COPY = "KS062" {
        name: "in-place-and-copy", topic: Topic::Graph,
        title: "INPLACE_MODIFIER is set at a pin whose routes do not modify in place",
        explanation: "The framing says that the filter modifies frames where they are, the routes say that it fills new ones, or \
            passes them on untouched. With a copy the flag still makes the pin a writer, so its pipe cannot be shared with other \
            branches; with `pass` the item cannot be chosen at all (rule 7).",
        example: "pin.in = { direction = \"in\", framing = [{ requirements = [\"inplace-modifier\"] }] }\nroutes = [\"in -> out copy\"]",
        fix: Some("Clear the flag, or state the route as `in-place` or `either`."),
        references: &[FRAMING, RULES],
    }
    INTEGRITY_AND_WRITER = "KS064" {
        name: "integrity-and-writer", topic: Topic::Graph,
        title: "FRAME_INTEGRITY meets a filter that writes into frames",
        explanation: "FRAME_INTEGRITY asks that filters downstream leave the contents of frames alone, and one of them writes in \
            place. The two cannot share a pipe: the frames are copied in between where the graph allows it, and there is no plan \
            where it does not. An item that has both flags says it of itself.",
        example: "camera.capture: frame-integrity; overlay: routes = [\"in -> out in-place\"]",
        fix: Some("Let the writer copy (`either` lets the plan choose), or clear FRAME_INTEGRITY where a change does no harm."),
        references: &[FRAMING, SPLITTERS, RULES],
    }
    NO_PLAN = "KS078" {
        name: "no-plan", severity: Severity::Error, topic: Topic::Graph,
        title: "the graph cannot be negotiated",
        explanation: "No choice of bridges, routes and items meets what the pins require, or the graph has a cycle. The message \
            names the pins that cannot agree and what each asks. KSProxy would answer VFW_E_NO_ALLOCATOR, or connect and give \
            frames that do not serve.",
        example: "a.out requires frames of 100 bytes, b.in of 200; bridges = \"forbid\"",
        fix: Some("Relax one of the asks that the message names; kspipe negotiate shows them in the file."),
        references: &[RULES, PLAN],
    }
}
