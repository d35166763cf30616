// Mistakes of IMemAllocator and IMemAllocatorCallbackTemp.
#include "mutants.hpp"

#include <time.h>

namespace mutants {
namespace {

// What the mistakes remember. A case has one allocator that matters.
std::atomic<IMemAllocatorNotifyCallbackTemp *> client{nullptr};
std::atomic<void *> pending{nullptr};
std::atomic<IMediaSample *> last_out{nullptr};
std::recursive_mutex big_lock;

void nap() {
    timespec time = {0, 1000000};
    nanosleep(&time, nullptr);
}

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
MISTAKE("nobody waits", Memory, 7,
        [](void *self, IMediaSample **out, REFERENCE_TIME *, REFERENCE_TIME *, DWORD flags) {
            return ask_again(self, out, flags, [](HRESULT) { return false; });
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
    HRESULT answer = call(Memory, 10, self, count);
    if (SUCCEEDED(answer)) {
        *count = properties_of(self).cBuffers - *count;
    }
    return answer;
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

} // namespace
} // namespace mutants
