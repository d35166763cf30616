// The library under test, and its allocators.
#pragma once

#include "headers.hpp"
#include "platform.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>

namespace library {

// Loads it, and finds out how an allocator is created: by KspCreateAllocator, or by its class where one is given.
bool load(const char *path, const char *class_id, std::string *why);
HRESULT create_allocator(REFIID iid, void **object);
// Frees what IMediaSample::GetMediaType gave.
void delete_media_type(AM_MEDIA_TYPE *type);
// Memory that a pin takes over: CoTaskMemAlloc.
void *task_memory(size_t bytes);

} // namespace library

inline bool equal(const GUID &a, const GUID &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

// The number of references to an object.
inline ULONG references(IUnknown *object) {
    object->AddRef();
    return object->Release();
}

// A slot of an object's vtable as a function of C: its object first, by the platform's convention for interfaces.
template <typename Function> Function slot(void *object, size_t index) {
    return reinterpret_cast<Function>((*static_cast<void ***>(object))[index]);
}

// A reference that is released at the end of its scope.
template <typename Object> class Reference {
public:
    Reference() = default;
    explicit Reference(Object *taken_over) : pointer(taken_over) {}
    Reference(Reference &&other) noexcept : pointer(other.detach()) {}
    Reference(const Reference &) = delete;
    Reference &operator=(const Reference &) = delete;
    Reference &operator=(Reference &&other) noexcept {
        Object *taken_over = other.detach();
        reset();
        pointer = taken_over;
        return *this;
    }
    ~Reference() { reset(); }

    Object *operator->() const { return pointer; }
    Object *get() const { return pointer; }
    // Where a function writes a reference; an old one is released first.
    Object **put() {
        reset();
        return &pointer;
    }
    void **put_void() { return reinterpret_cast<void **>(put()); }
    Object *detach() {
        Object *given = pointer;
        pointer = nullptr;
        return given;
    }
    void reset() {
        if (Object *given = detach()) {
            given->Release();
        }
    }
    explicit operator bool() const { return pointer != nullptr; }

private:
    Object *pointer = nullptr;
};

using Sample = Reference<IMediaSample>;

// A fresh allocator by its two faces. It is decommitted at the end, because a committed one refers to itself.
struct Allocator {
    Reference<IKsAllocatorEx> ks;
    Reference<IMemAllocatorCallbackTemp> memory;

    // Throws std::runtime_error if the library makes none, which fails the case.
    Allocator();
    ~Allocator();
    Allocator(const Allocator &) = delete;
    Allocator &operator=(const Allocator &) = delete;

    // P(n, s, a, p) of the statements.
    HRESULT set(LONG count, LONG size, LONG align, LONG prefix, ALLOCATOR_PROPERTIES *actual = nullptr) const;
    // P and Commit.
    HRESULT commit(LONG count, LONG size, LONG align = 1, LONG prefix = 0) const;
    HRESULT get(IMediaSample **sample, DWORD flags = AM_GBF_NOWAIT) const {
        return memory->GetBuffer(sample, nullptr, nullptr, flags);
    }
    // A free sample, or none.
    Sample sample() const;
    LONG free() const;
    // Both faces' references, given up.
    void drop() {
        ks.reset();
        memory.reset();
    }
};

// A thread in GetBuffer without AM_GBF_NOWAIT.
class Waiter {
public:
    explicit Waiter(const Allocator &allocator, DWORD flags = 0);
    ~Waiter();
    // Whether the thread was blocked in GetBuffer before the call came back.
    bool was_blocked();
    // The call's answer, after its end.
    HRESULT answer();
    // The sample it got, after its end.
    Sample take();
    platform::Thread &thread() { return *runs; }
    bool is_back() const { return back; }

private:
    std::atomic<bool> called{false}, back{false};
    HRESULT result = S_OK;
    IMediaSample *got = nullptr;
    std::unique_ptr<platform::Thread> runs;
};

// An object of the suite's own, which counts its references and outlives them.
template <typename Base> class Counted : public Base {
public:
    ULONG STDMETHODCALLTYPE AddRef() override { return ++count; }
    ULONG STDMETHODCALLTYPE Release() override {
        ULONG left = --count;
        if (left == 0) {
            ++ends;
        }
        return left;
    }
    std::atomic<ULONG> count{1};
    std::atomic<int> ends{0}; // how often the count came to 0

protected:
    HRESULT give(void **object, bool known, IUnknown *face) {
        *object = known ? face : nullptr;
        if (known) {
            AddRef();
        }
        return known ? S_OK : E_NOINTERFACE;
    }
};

// The client of an allocator's notifications.
class Client final : public Counted<IMemAllocatorNotifyCallbackTemp> {
public:
    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void **object) override {
        return give(object, equal(iid, IID_IUnknown) || equal(iid, IID_IMemAllocatorNotifyCallbackTemp), this);
    }
    HRESULT STDMETHODCALLTYPE NotifyRelease() override {
        ++notified;
        if (then) {
            then();
        }
        return answer;
    }
    std::atomic<int> notified{0};
    std::function<void()> then;
    HRESULT answer = S_OK;
};

// The KS object of a pin.
class Object final : public Counted<IKsObject> {
public:
    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void **object) override {
        return give(object, equal(iid, IID_IUnknown) || equal(iid, IID_IKsObject), this);
    }
    HANDLE STDMETHODCALLTYPE KsGetObjectHandle() override {
        ++asked;
        return handle;
    }
    HANDLE handle = nullptr;
    int asked = 0;
};

// A pin, which an allocator may ask for its KS object and for nothing else.
class Pin final : public Counted<IKsPin> {
public:
    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID iid, void **result) override {
        ++queries;
        if (object != nullptr && equal(iid, IID_IKsObject)) {
            return object->QueryInterface(iid, result);
        }
        return give(result, equal(iid, IID_IUnknown) || equal(iid, IID_IKsPin), this);
    }
    HRESULT STDMETHODCALLTYPE KsQueryMediums(KSMULTIPLE_ITEM **) override { return unexpected(); }
    HRESULT STDMETHODCALLTYPE KsQueryInterfaces(KSMULTIPLE_ITEM **) override { return unexpected(); }
    HRESULT STDMETHODCALLTYPE KsCreateSinkPinHandle(BY_REFERENCE(KSPIN_INTERFACE),
                                                    BY_REFERENCE(KSPIN_MEDIUM)) override {
        return unexpected();
    }
    HRESULT STDMETHODCALLTYPE KsGetCurrentCommunication(KSPIN_COMMUNICATION *, KSPIN_INTERFACE *,
                                                        KSPIN_MEDIUM *) override {
        return unexpected();
    }
    HRESULT STDMETHODCALLTYPE KsPropagateAcquire() override { return unexpected(); }
    HRESULT STDMETHODCALLTYPE KsDeliver(IMediaSample *, ULONG) override { return unexpected(); }
    HRESULT STDMETHODCALLTYPE KsMediaSamplesCompleted(KSSTREAM_SEGMENT *) override { return unexpected(); }
    IMemAllocator *STDMETHODCALLTYPE KsPeekAllocator(KSPEEKOPERATION) override {
        unexpected();
        return nullptr;
    }
    HRESULT STDMETHODCALLTYPE KsReceiveAllocator(IMemAllocator *) override { return unexpected(); }
    HRESULT STDMETHODCALLTYPE KsRenegotiateAllocator() override { return unexpected(); }
    LONG STDMETHODCALLTYPE KsIncrementPendingIoCount() override { return unexpected(); }
    LONG STDMETHODCALLTYPE KsDecrementPendingIoCount() override { return unexpected(); }
    HRESULT STDMETHODCALLTYPE KsQualityNotify(ULONG, REFERENCE_TIME) override { return unexpected(); }

    Object *object = nullptr;
    int queries = 0;
    int unexpected_calls = 0;

private:
    HRESULT unexpected() {
        ++unexpected_calls;
        return E_UNEXPECTED;
    }
};
