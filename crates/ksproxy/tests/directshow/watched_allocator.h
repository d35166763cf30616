// An allocator that passes every call on to another and counts it, so that a test sees who calls what and who waits.
#pragma once

#include "../windows/reference.h"

#include <atomic>
#include <dshow.h>

struct Calls {
    unsigned set_properties = 0;
    unsigned commit = 0;
    unsigned decommit = 0;
    unsigned get_buffer_waiting = 0; // calls without AM_GBF_NOWAIT that gave a sample
    unsigned get_buffer_failed = 0;  // that did not
    unsigned waiting = 0;            // that are not back
};

class WatchedAllocator final : public IMemAllocator {
public:
    // One reference, the caller's.
    static Reference<WatchedAllocator> create(Reference<IMemAllocator> watched) {
        return Reference<WatchedAllocator>(new WatchedAllocator(std::move(watched)));
    }

    Calls calls() {
        AcquireSRWLockShared(&lock);
        Calls copy = counted;
        ReleaseSRWLockShared(&lock);
        return copy;
    }

    // Waits until a thread has called GetBuffer while no sample was free, that is until it waits or is about to.
    void wait_until_one_waits() {
        AcquireSRWLockExclusive(&lock);
        while (counted.waiting == 0) {
            SleepConditionVariableSRW(&changed, &lock, INFINITE, 0);
        }
        ReleaseSRWLockExclusive(&lock);
    }

    STDMETHODIMP QueryInterface(REFIID iid, void **object) override {
        bool known = iid == __uuidof(IUnknown) || iid == __uuidof(IMemAllocator);
        *object = known ? this : nullptr;
        if (known) {
            AddRef();
        }
        return known ? S_OK : E_NOINTERFACE;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return ++references; }
    STDMETHODIMP_(ULONG) Release() override {
        ULONG left = --references;
        if (left == 0) {
            delete this;
        }
        return left;
    }

    STDMETHODIMP SetProperties(ALLOCATOR_PROPERTIES *request, ALLOCATOR_PROPERTIES *actual) override {
        count(&Calls::set_properties, 1);
        return allocator->SetProperties(request, actual);
    }
    STDMETHODIMP GetProperties(ALLOCATOR_PROPERTIES *properties) override {
        return allocator->GetProperties(properties);
    }
    STDMETHODIMP Commit() override {
        count(&Calls::commit, 1);
        return allocator->Commit();
    }
    STDMETHODIMP Decommit() override {
        count(&Calls::decommit, 1);
        return allocator->Decommit();
    }
    STDMETHODIMP GetBuffer(IMediaSample **sample, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) override {
        if (flags & AM_GBF_NOWAIT) {
            return allocator->GetBuffer(sample, start, end, flags);
        }
        count(&Calls::waiting, 1);
        HRESULT answer = allocator->GetBuffer(sample, start, end, flags);
        count(SUCCEEDED(answer) ? &Calls::get_buffer_waiting : &Calls::get_buffer_failed, 1);
        count(&Calls::waiting, -1);
        return answer;
    }
    STDMETHODIMP ReleaseBuffer(IMediaSample *sample) override { return allocator->ReleaseBuffer(sample); }

private:
    explicit WatchedAllocator(Reference<IMemAllocator> watched) : allocator(std::move(watched)) {}
    ~WatchedAllocator() = default;

    void count(unsigned Calls::*which, int by) {
        AcquireSRWLockExclusive(&lock);
        counted.*which += static_cast<unsigned>(by);
        WakeAllConditionVariable(&changed);
        ReleaseSRWLockExclusive(&lock);
    }

    std::atomic<ULONG> references{1};
    Reference<IMemAllocator> allocator;
    SRWLOCK lock = SRWLOCK_INIT;
    CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
    Calls counted;
};
