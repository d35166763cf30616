// A COM reference that is released at the end of its scope.
#pragma once

#include <unknwn.h>
#include <utility>

template <typename Interface> class Reference {
public:
    Reference() = default;
    // Takes over a reference; does not add one.
    explicit Reference(Interface *taken_over) : pointer(taken_over) {}
    Reference(Reference &&other) noexcept : pointer(other.detach()) {}
    Reference(const Reference &other) : pointer(other.pointer) {
        if (pointer != nullptr) {
            pointer->AddRef();
        }
    }
    Reference &operator=(Reference other) noexcept {
        std::swap(pointer, other.pointer);
        return *this;
    }
    ~Reference() { reset(); }

    // One reference more to what somebody else holds.
    static Reference to(Interface *held) {
        held->AddRef();
        return Reference(held);
    }

    Interface *operator->() const { return pointer; }
    Interface *get() const { return pointer; }
    explicit operator bool() const { return pointer != nullptr; }

    // For a call that gives a reference: &pointer of an empty one.
    Interface **put() {
        reset();
        return &pointer;
    }
    void **put_void() { return reinterpret_cast<void **>(put()); }

    Interface *detach() { return std::exchange(pointer, nullptr); }

    // Releases it; the answer is what Release said, 0 for an empty one.
    ULONG reset() {
        Interface *given = detach();
        return given != nullptr ? given->Release() : 0;
    }

    // Another interface of the same object; empty where it has none.
    template <typename Other> Reference<Other> query() const {
        Reference<Other> other;
        if (FAILED(pointer->QueryInterface(__uuidof(Other), other.put_void()))) {
            other.detach();
        }
        return other;
    }

private:
    Interface *pointer = nullptr;
};

// COM for the thread that has it, with no apartment: every object may be called from every thread.
class ComRuntime {
public:
    ComRuntime() { CoInitializeEx(nullptr, COINIT_MULTITHREADED); }
    ~ComRuntime() { CoUninitialize(); }
    ComRuntime(const ComRuntime &) = delete;
    ComRuntime &operator=(const ComRuntime &) = delete;
};
