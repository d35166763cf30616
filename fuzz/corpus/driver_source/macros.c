#include "deep.h"
#if FIRST
#define FRAMES 2
#elif SECOND
#define FRAMES 3
#else
#define FRAMES 4
#endif
#ifndef SIZE
#define SIZE ALIGN(640 * 480, 16)
#endif
#define ALIGN(x, a) (((x) + (a) - 1) & ~((a) - 1))
#define NAME(a, b) a##b
#define INIT(f, ...) { 2, NonPagedPool, f, __VA_ARGS__ }
static const KSALLOCATOR_FRAMING NAME(Fra, ming) = INIT(FRAMES, SIZE, 0, 0);
#undef FRAMES
#define FRAMES FRAMES + 1
KSALLOCATOR_FRAMING Other = { 2, 1, FRAMES, sizeof(KSDATARANGE), 3, 0 };
