//! The COM face: `IKsAllocatorEx` and the interfaces it lives among, over [`kspipe`]'s allocator.
