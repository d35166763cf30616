// Deliberately wrong allocators: each proves that the suite finds one mistake.
//
// A library like the one under test, which it loads: $KSP_MUTATED names that one, $KSP_MUTATION the mistake. The vtables
// of the real objects are replaced by copies in which the mistaken slots are functions of this file. "none" is no
// mistake: the vtables are replaced all the same. Which statements find a mistake: mutations.tsv.
#include "kspipe.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <string>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace {

// ---- Replacing slots ----

const std::string &mistake() {
    static const std::string name = [] {
        const char *given = std::getenv("KSP_MUTATION");
        return std::string(given == nullptr ? "" : given);
    }();
    return name;
}

enum Face { Ks, Memory, Sample, Faces };
constexpr size_t slots[Faces] = {11, 11, 21};

struct Mutation {
    const char *name;
    Face face;
    size_t slot;
    void *function;
};

std::vector<Mutation> &mutations() {
    static std::vector<Mutation> all;
    return all;
}

void **real[Faces];
std::vector<void *> replaced[Faces];
std::mutex replacing;

// Gives an object the replaced vtable of its kind.
void take(Face face, void *object) {
    auto *place = static_cast<std::atomic<void **> *>(object);
    std::lock_guard<std::mutex> guard(replacing);
    if (real[face] == nullptr) {
        real[face] = place->load();
        replaced[face].assign(real[face], real[face] + slots[face]);
        for (const Mutation &mutation : mutations()) {
            if (mutation.face == face && mistake() == mutation.name) {
                replaced[face][mutation.slot] = mutation.function;
            }
        }
    }
    place->store(replaced[face].data());
}

// The real method behind a slot.
template <typename Answer = HRESULT, typename... Arguments>
Answer call(Face face, size_t slot, void *self, Arguments... arguments) {
    return reinterpret_cast<Answer (*)(void *, Arguments...)>(real[face][slot])(self, arguments...);
}

struct Registration {
    template <typename Function> Registration(const char *name, Face face, size_t slot, Function function) {
        mutations().push_back({name, face, slot, reinterpret_cast<void *>(function)});
    }
};

#define JOINED(a, b) a##b
#define NAMED(a, b) JOINED(a, b)
// MISTAKE(name, face, slot, lambda)
#define MISTAKE(name, face, slot, ...) const Registration NAMED(mistake_, __COUNTER__)(name, face, slot, +__VA_ARGS__);

// ---- The methods by name ----

ALLOCATOR_PROPERTIES properties_of(void *self) {
    ALLOCATOR_PROPERTIES now = {};
    call(Memory, 4, self, &now);
    return now;
}
HRESULT set_properties(void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
    return call(Memory, 3, self, request, actual);
}
HRESULT commit(void *self) { return call(Memory, 5, self); }
HRESULT decommit(void *self) { return call(Memory, 6, self); }
HRESULT set_notify(void *self, IMemAllocatorNotifyCallbackTemp *client) { return call(Memory, 9, self, client); }
LONG free_count(void *self) {
    LONG count = 0;
    call(Memory, 10, self, &count);
    return count;
}
HRESULT get_buffer(void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
    HRESULT answer = call(Memory, 7, self, out, start, end, flags);
    if (SUCCEEDED(answer)) {
        take(Sample, *out);
    }
    return answer;
}
ULONG release_sample(void *self) { return call<ULONG>(Sample, 2, self); }
bool is_last(void *self) {
    call<ULONG>(Sample, 1, self);
    return release_sample(self) == 1;
}

void nap() {
    timespec time = {0, 1000000};
    nanosleep(&time, nullptr);
}

// What the mistakes remember. A case has one allocator that matters.
std::atomic<IMemAllocatorNotifyCallbackTemp *> client{nullptr};
std::atomic<void *> pending{nullptr};
std::atomic<IMediaSample *> last_out{nullptr};
std::recursive_mutex big_lock;

// Every mistake that does not replace GetBuffer needs the samples all the same.
struct EverySample {
    EverySample() { mutations().push_back({mistake().c_str(), Memory, 7, reinterpret_cast<void *>(get_buffer)}); }
};
const EverySample every_sample;

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

// ---- SetProperties ----

MISTAKE("a refused request answers no zeros", Memory, 3,
        [](void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
            ALLOCATOR_PROPERTIES before = actual == nullptr ? ALLOCATOR_PROPERTIES{} : *actual;
            HRESULT answer = set_properties(self, request, actual);
            if (FAILED(answer) && actual != nullptr) {
                *actual = before;
            }
            return answer;
        })
MISTAKE("the alignment is not checked", Memory, 3,
        [](void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
            ALLOCATOR_PROPERTIES good = *request;
            good.cbAlign = good.cbAlign == 3 ? 4 : good.cbAlign;
            return set_properties(self, &good, actual);
        })
MISTAKE("the rounded size is not told", Memory, 3,
        [](void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
            HRESULT answer = set_properties(self, request, actual);
            if (SUCCEEDED(answer)) {
                actual->cbBuffer = request->cbBuffer;
            }
            return answer;
        })
MISTAKE("the request is written to", Memory, 3,
        [](void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
            HRESULT answer = set_properties(self, request, actual);
            if (SUCCEEDED(answer)) {
                *request = *actual;
            }
            return answer;
        })
MISTAKE("a count of 0 is refused at once", Memory, 3,
        [](void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
            return request->cBuffers == 0 && request->cbAlign == 1 ? E_INVALIDARG : set_properties(self, request, actual);
        })
MISTAKE("an early return keeps the lock", Memory, 3,
        [](void *self, ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) {
            if (request == nullptr || actual == nullptr) {
                big_lock.lock();
            }
            return set_properties(self, request, actual);
        })
MISTAKE("an early return keeps the lock", Memory, 4, [](void *self, ALLOCATOR_PROPERTIES *out) {
    std::lock_guard<std::recursive_mutex> guard(big_lock);
    return call(Memory, 4, self, out);
})

// ---- Commit and Decommit ----

MISTAKE("a second Commit is S_FALSE", Memory, 5, [](void *self) {
    ALLOCATOR_PROPERTIES now = properties_of(self), unused;
    return set_properties(self, &now, &unused) == VFW_E_ALREADY_COMMITTED ? S_FALSE : commit(self);
})
MISTAKE("a size of 0 is committed", Memory, 5,
        [](void *self) { return properties_of(self).cbBuffer == 0 ? S_OK : commit(self); })
MISTAKE("Commit leaks", Memory, 5, [](void *self) {
    static std::atomic<void *> leaked;
    leaked = std::malloc(100);
    return commit(self);
})
MISTAKE("a pending Decommit is not taken back", Memory, 5, [](void *self) {
    ALLOCATOR_PROPERTIES now = properties_of(self), unused;
    if (set_properties(self, &now, &unused) == VFW_E_BUFFERS_OUTSTANDING) {
        pending = self;
    }
    return commit(self);
})
MISTAKE("a pending Decommit is not taken back", Sample, 2, [](void *self) {
    ULONG left = release_sample(self);
    if (void *allocator = left == 0 ? pending.exchange(nullptr) : nullptr) {
        decommit(allocator);
    }
    return left;
})

// ---- GetBuffer ----

// Waits by asking again, as long as `goes_on` says so of the answer.
template <typename GoesOn>
HRESULT ask_again(void *self, IMediaSample **out, DWORD flags, GoesOn goes_on) {
    HRESULT answer = get_buffer(self, out, nullptr, nullptr, flags | AM_GBF_NOWAIT);
    if ((flags & AM_GBF_NOWAIT) == 0 && answer == VFW_E_TIMEOUT) {
        while (FAILED(answer) && goes_on(answer)) {
            answer = get_buffer(self, out, nullptr, nullptr, flags | AM_GBF_NOWAIT);
        }
    }
    return answer;
}
MISTAKE("Decommit forgets who waits", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *, REFERENCE_TIME *, DWORD flags) {
            return ask_again(self, out, flags, [](HRESULT) {
                nap();
                return true;
            });
        })
MISTAKE("who waits carries on after Decommit and Commit", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *, REFERENCE_TIME *, DWORD flags) {
            int refused = 0;
            return ask_again(self, out, flags, [&](HRESULT answer) {
                nap();
                refused = answer == VFW_E_TIMEOUT ? 0 : refused + 1;
                return refused < 50; // a Commit that follows at once is not missed
            });
        })
MISTAKE("who waits spins", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *, REFERENCE_TIME *, DWORD flags) {
            return ask_again(self, out, flags, [](HRESULT answer) { return answer == VFW_E_TIMEOUT; });
        })
MISTAKE("who waits gives up in the end", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *, REFERENCE_TIME *, DWORD flags) {
            int asked = 0;
            return ask_again(self, out, flags, [&](HRESULT answer) {
                nap();
                return answer == VFW_E_TIMEOUT && ++asked < 3;
            });
        })
MISTAKE("a sample is given twice", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
            HRESULT answer = get_buffer(self, out, start, end, flags);
            if (answer == VFW_E_TIMEOUT) {
                *out = last_out;
                return S_OK;
            }
            last_out = *out;
            return answer;
        })
MISTAKE("a failed GetBuffer keeps the pointer", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
            IMediaSample *before = out == nullptr ? nullptr : *out;
            HRESULT answer = get_buffer(self, out, start, end, flags);
            if (FAILED(answer) && out != nullptr) {
                *out = before;
            }
            return answer;
        })
MISTAKE("the times of GetBuffer are the sample's", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
            HRESULT answer = get_buffer(self, out, start, end, flags);
            if (SUCCEEDED(answer)) {
                (*out)->SetTime(start, end);
            }
            return answer;
        })
MISTAKE("the length is reset on reuse", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
            HRESULT answer = get_buffer(self, out, start, end, flags);
            if (SUCCEEDED(answer)) {
                (*out)->SetActualDataLength((*out)->GetSize());
            }
            return answer;
        })
MISTAKE("fresh buffers are not zero", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
            HRESULT answer = get_buffer(self, out, start, end, flags);
            if (SUCCEEDED(answer)) {
                BYTE *buffer = nullptr;
                (*out)->GetPointer(&buffer);
                buffer[(*out)->GetSize() - 1] = 0xCD;
            }
            return answer;
        })

// ---- ReleaseBuffer and notification ----

MISTAKE("GetFreeCount answers what is used", Memory, 10, [](void *self, LONG *count) {
    if (count == nullptr) {
        return E_POINTER;
    }
    *count = properties_of(self).cBuffers - free_count(self);
    return S_OK;
})
MISTAKE("a foreign sample is taken", Memory, 8, [](void *, IMediaSample *sample) { return sample == nullptr ? E_POINTER : S_OK; })
MISTAKE("the last Release answers 1", Sample, 2, [](void *self) { return release_sample(self) | 1; })
MISTAKE("every Release notifies", Memory, 9, [](void *self, IMemAllocatorNotifyCallbackTemp *given) {
    client = given;
    return set_notify(self, given);
})
MISTAKE("every Release notifies", Sample, 2, [](void *self) {
    ULONG left = release_sample(self);
    if (left != 0 && client != nullptr) {
        client.load()->NotifyRelease();
    }
    return left;
})
MISTAKE("the last Release notifies twice", Memory, 9, [](void *self, IMemAllocatorNotifyCallbackTemp *given) {
    client = given;
    return set_notify(self, given);
})
MISTAKE("the last Release notifies twice", Sample, 2, [](void *self) {
    ULONG left = release_sample(self);
    if (left == 0 && client != nullptr) {
        client.load()->NotifyRelease();
    }
    return left;
})
MISTAKE("NotifyRelease comes too early", Memory, 9, [](void *self, IMemAllocatorNotifyCallbackTemp *given) {
    client = given; // the real one is told of none
    return given == nullptr ? set_notify(self, given) : S_OK;
})
MISTAKE("NotifyRelease comes too early", Sample, 2, [](void *self) {
    if (client != nullptr && is_last(self)) {
        client.load()->NotifyRelease();
    }
    return release_sample(self);
})
MISTAKE("Decommit forgets the client", Memory, 6, [](void *self) {
    HRESULT answer = decommit(self);
    set_notify(self, nullptr);
    return answer;
})
MISTAKE("NotifyRelease under the lock", Sample, 2, [](void *self) {
    std::lock_guard<std::recursive_mutex> guard(big_lock);
    return release_sample(self);
})
MISTAKE("NotifyRelease under the lock", Memory, 10, [](void *self, LONG *count) {
    std::lock_guard<std::recursive_mutex> guard(big_lock);
    return call(Memory, 10, self, count);
})
MISTAKE("the client is released before it is taken again", Memory, 9,
        [](void *self, IMemAllocatorNotifyCallbackTemp *given) {
            set_notify(self, nullptr);
            return set_notify(self, given);
        })
MISTAKE("the client is not released", Memory, 9, [](void *self, IMemAllocatorNotifyCallbackTemp *given) {
    if (given != nullptr) {
        given->AddRef();
    }
    return set_notify(self, given);
})

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

// ---- The exports ----

namespace {

// A function of the real library. A mistake that is not there would prove nothing.
template <typename Function> Function real_export(const char *name) {
    static void *const library = [] {
        bool known = mistake() == "none";
        for (size_t i = 1; i < mutations().size(); ++i) { // the first is no mistake: EverySample
            known |= mistake() == mutations()[i].name;
        }
        const char *path = std::getenv("KSP_MUTATED");
        void *loaded = path == nullptr || !known ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (loaded == nullptr) {
            std::fputs("KSP_MUTATED must name a library, KSP_MUTATION a mistake\n", stderr);
            std::_Exit(2);
        }
        return loaded;
    }();
    return reinterpret_cast<Function>(dlsym(library, name));
}

} // namespace

extern "C" HRESULT KspCreateAllocator(REFIID iid, void **object) {
    HRESULT answer = real_export<KspCreateAllocatorFunction>("KspCreateAllocator")(iid, object);
    if (FAILED(answer)) {
        return answer;
    }
    auto *made = static_cast<IUnknown *>(*object);
    const IID *const faces[] = {&IID_IKsAllocatorEx, &IID_IMemAllocatorCallbackTemp};
    void *found[2];
    for (int face : {Ks, Memory}) {
        if (FAILED(made->QueryInterface(*faces[face], &found[face]))) {
            std::_Exit(2);
        }
        static_cast<IUnknown *>(found[face])->Release();
    }
    take(Ks, found[Ks]);
    take(Memory, found[Memory]);
    return answer;
}

extern "C" HRESULT KspCreateSinkPin(HANDLE *handle) {
    return real_export<KspCreateSinkPinFunction>("KspCreateSinkPin")(handle);
}
