static KSALLOCATOR_FRAMING_EX Fr = { .CountItems = 2, .OutputCompression = { 1, 2 }, .FramingItem = { [0] = { .MemoryType = { STATIC_KSMEMORY_TYPE_USER }, .Frames = 2 },
#ifdef BIG
 [1].Frames = 9, [1].FramingRange.Range.MaxFrameSize = 1 << 20
#else
 [1] = { .Flags = 0x8000u }
#endif
} };
