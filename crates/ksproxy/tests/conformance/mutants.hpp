// Deliberately wrong allocators: each proves that the suite finds one mistake.
//
// A library like the one under test, which it loads: $KSP_MUTATED names that one, $KSP_MUTATION the mistake. The vtables
// of the real objects are replaced by copies in which the mistaken slots are functions of these files. "none" is no
// mistake: the vtables are replaced all the same. Which statements find a mistake: mutations.tsv.
#pragma once

#include "kspipe.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unistd.h>

namespace mutants {

enum Face { Ks, Memory, Sample, Faces };

// The real method in a slot.
void *real_method(Face face, size_t slot);

template <typename Answer = HRESULT, typename... Arguments>
Answer call(Face face, size_t slot, void *self, Arguments... arguments) {
    return reinterpret_cast<Answer (*)(void *, Arguments...)>(real_method(face, slot))(self, arguments...);
}

// One slot of one mistake. A mistake may have several.
struct Registration {
    Registration(const char *mistake, Face face, size_t slot, void *function);
    template <typename Function>
    Registration(const char *mistake, Face face, size_t slot, Function function)
        : Registration(mistake, face, slot, reinterpret_cast<void *>(function)) {}
};

#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)
// MISTAKE(name, face, slot, lambda)
#define MISTAKE(name, face, slot, ...) const Registration NAMED(mistake_, __COUNTER__)(name, face, slot, +__VA_ARGS__);

// ---- The real methods by name ----

inline ALLOCATOR_PROPERTIES properties_of(void *self) {
    ALLOCATOR_PROPERTIES now = {};
    call(Memory, 4, self, &now);
    return now;
}
inline HRESULT set_properties(void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
    return call(Memory, 3, self, request, actual);
}
inline HRESULT commit(void *self) { return call(Memory, 5, self); }
inline HRESULT decommit(void *self) { return call(Memory, 6, self); }
inline HRESULT set_notify(void *self, IMemAllocatorNotifyCallbackTemp *client) { return call(Memory, 9, self, client); }
// And gives the sample the replaced vtable.
HRESULT get_buffer(void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags);
inline ULONG release_sample(void *self) { return call<ULONG>(Sample, 2, self); }
inline bool is_last(void *self) {
    call<ULONG>(Sample, 1, self);
    return release_sample(self) == 1;
}

} // namespace mutants
