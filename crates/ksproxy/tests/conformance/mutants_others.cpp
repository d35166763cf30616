// Mistakes of identity, of slots, of samples and of IKsAllocatorEx.
#include "mutants.hpp"

namespace mutants {
namespace {

// ---- Identity and lifetime ----

HRESULT keeps_pointer(Face face, void *self, REFIID iid, void **object) {
    void *before = object == nullptr ? nullptr : *object;
    HRESULT answer = call(face, 0, self, &iid, object);
    if (answer == E_NOINTERFACE) {
        *object = before;
    }
    return answer;
}
MISTAKE("no interface keeps the pointer", Ks, 0,
        [](void *self, REFIID iid, void **object) { return keeps_pointer(Ks, self, iid, object); })
MISTAKE("identity by face", Memory, 0, [](void *self, REFIID iid, void **object) {
    HRESULT answer = call(Memory, 0, self, &iid, object);
    if (std::memcmp(&iid, &IID_IUnknown, sizeof iid) == 0) {
        *object = self;
    }
    return answer;
})
MISTAKE("no reference to itself", Memory, 5, [](void *self) {
    HRESULT answer = commit(self);
    call<ULONG>(Memory, 2, self);
    return answer;
})

// ---- Slots ----

MISTAKE("slots of IKsAllocatorEx swapped", Ks, 9,
        [](void *self, IKsPin *pin) { return call<HANDLE>(Ks, 10, self, pin); })
MISTAKE("slots of IKsAllocatorEx swapped", Ks, 10, [](void *self, HANDLE handle) { call<void>(Ks, 9, self, handle); })
MISTAKE("slots of IMemAllocator swapped", Memory, 9, [](void *self, LONG *count) { return call(Memory, 10, self, count); })
MISTAKE("slots of IMemAllocator swapped", Memory, 10,
        [](void *self, IMemAllocatorNotifyCallbackTemp *given) { return set_notify(self, given); })

// ---- Samples ----

AM_MEDIA_TYPE *kept_type;
MISTAKE("the media type survives reuse", Sample, 2, [](void *self) {
    if (is_last(self)) {
        call(Sample, 13, self, &kept_type);
    }
    return release_sample(self);
})
MISTAKE("the media type survives reuse", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
            HRESULT answer = get_buffer(self, out, start, end, flags);
            if (SUCCEEDED(answer) && kept_type != nullptr) {
                (*out)->SetMediaType(kept_type);
            }
            return answer;
        })
MISTAKE("the buffer is aligned, not its prefix", Sample, 3, [](void *self, BYTE **out) {
    HRESULT answer = call(Sample, 3, self, out);
    uintptr_t address = reinterpret_cast<uintptr_t>(*out);
    *out = reinterpret_cast<BYTE *>((address + 63) & ~uintptr_t(63));
    return answer;
})
MISTAKE("a length above the size is cut", Sample, 12, [](void *self, LONG length) {
    LONG size = call<LONG>(Sample, 4, self);
    return call(Sample, 12, self, length > size ? size : length);
})
MISTAKE("GetTime writes without times", Sample, 5, [](void *self, REFERENCE_TIME *start, REFERENCE_TIME *end) {
    *start = *end = 0;
    return call(Sample, 5, self, start, end);
})
MISTAKE("media times are never set", Sample, 18, [](void *self, LONGLONG *start, LONGLONG *end) {
    return start != nullptr && end == nullptr ? E_POINTER : call(Sample, 18, self, (LONGLONG *)nullptr, end);
})
MISTAKE("a media type is kept by pointer", Sample, 14, [](void *, AM_MEDIA_TYPE *given) {
    kept_type = given;
    return S_OK;
})
MISTAKE("a media type is kept by pointer", Sample, 13, [](void *, AM_MEDIA_TYPE **out) {
    *out = kept_type;
    return kept_type == nullptr ? S_FALSE : S_OK;
})
MISTAKE("GetProperties writes more than asked", Sample, 19, [](void *self, DWORD length, BYTE *out) {
    if (length >= 16 && length <= 20) {
        out[length] = 0;
    }
    return call(Sample, 19, self, length, out);
})
MISTAKE("undefined flags are accepted", Sample, 20, [](void *self, DWORD length, const BYTE *given) {
    AM_SAMPLE2_PROPERTIES copy = {};
    std::memcpy(&copy, given, length < sizeof copy ? length : sizeof copy);
    copy.dwSampleFlags &= ~0x20u;
    return call(Sample, 20, self, length, reinterpret_cast<const BYTE *>(&copy));
})

// ---- IKsAllocator and IKsAllocatorEx ----

std::atomic<int> told_mode{0};
MISTAKE("the mode is only remembered", Ks, 6, [](void *, KSALLOCATORMODE mode) { told_mode = mode; })
MISTAKE("the mode is only remembered", Ks, 4, [](void *) { return KSALLOCATORMODE(told_mode.load()); })
MISTAKE("KsGetProperties answers a copy", Ks, 7, [](void *self) {
    auto *copy = new ALLOCATOR_PROPERTIES_EX;
    *copy = *call<ALLOCATOR_PROPERTIES_EX *>(Ks, 7, self);
    return copy;
})
MISTAKE("KsGetProperties answers one copy", Ks, 7, [](void *self) {
    static ALLOCATOR_PROPERTIES_EX copy;
    copy = *call<ALLOCATOR_PROPERTIES_EX *>(Ks, 7, self);
    return &copy;
})
MISTAKE("KsSetProperties of a null pointer crashes", Ks, 8, [](void *self, ALLOCATOR_PROPERTIES_EX *given) {
    *call<ALLOCATOR_PROPERTIES_EX *>(Ks, 7, self) = *given;
})
MISTAKE("segments are references", Ks, 8, [](void *self, ALLOCATOR_PROPERTIES_EX *given) {
    if (given != nullptr && given->PrevSegment != nullptr) {
        given->PrevSegment->AddRef();
    }
    call<void>(Ks, 8, self, given);
})
MISTAKE("a handle is closed twice", Ks, 9, [](void *self, HANDLE handle) {
    HANDLE before = call<HANDLE>(Ks, 3, self);
    call<void>(Ks, 9, self, handle);
    if (before != nullptr) {
        close(static_cast<int>(reinterpret_cast<intptr_t>(before)));
    }
})
MISTAKE("a handle is never closed", Ks, 9, [](void *self, HANDLE handle) {
    int copy = handle == nullptr ? 0 : dup(static_cast<int>(reinterpret_cast<intptr_t>(handle)));
    call<void>(Ks, 9, self, reinterpret_cast<HANDLE>(intptr_t(copy)));
})
MISTAKE("a creation that fails answers -1", Ks, 10, [](void *self, IKsPin *pin) {
    HANDLE made = call<HANDLE>(Ks, 10, self, pin);
    return made == nullptr ? INVALID_HANDLE_VALUE : made;
})
MISTAKE("the alignment is no mask", Ks, 10, [](void *self, IKsPin *pin) {
    auto *properties = call<ALLOCATOR_PROPERTIES_EX *>(Ks, 7, self);
    properties->cbAlign *= 2;
    HANDLE made = call<HANDLE>(Ks, 10, self, pin);
    properties->cbAlign /= 2;
    return made;
})
MISTAKE("the pool is always the paged one", Ks, 10, [](void *self, IKsPin *pin) {
    auto *properties = call<ALLOCATOR_PROPERTIES_EX *>(Ks, 7, self);
    auto before = properties->LogicalMemoryType;
    properties->LogicalMemoryType = KS_MemoryTypeKernelPaged;
    HANDLE made = call<HANDLE>(Ks, 10, self, pin);
    properties->LogicalMemoryType = before;
    return made;
})
MISTAKE("a created allocator keeps its pin", Ks, 10, [](void *self, IKsPin *pin) {
    if (pin != nullptr) {
        pin->AddRef();
    }
    return call<HANDLE>(Ks, 10, self, pin);
})
MISTAKE("the status is an empty success", Ks, 5, [](void *, KSSTREAMALLOCATOR_STATUS *) { return S_OK; })

} // namespace
} // namespace mutants
