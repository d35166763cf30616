// The system's allocator with one thing done wrong, to see that the comparison finds it.
#pragma once

#include "../windows/reference.h"

#include <atomic>
#include <dshow.h>

enum class Wrong {
    second_commit_fails,
    properties_of_a_committed_one_are_taken,
    times_are_applied_to_the_sample,
    samples_are_given_after_decommit,
};

class WrongAllocator final : public IMemAllocator {
public:
    static Reference<IMemAllocator> create(Reference<IMemAllocator> right, Wrong wrong) {
        return Reference<IMemAllocator>(new WrongAllocator(std::move(right), wrong));
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
        HRESULT answer = right->SetProperties(request, actual);
        if (wrong == Wrong::properties_of_a_committed_one_are_taken && answer == VFW_E_ALREADY_COMMITTED) {
            *actual = *request;
            return S_OK;
        }
        return answer;
    }
    STDMETHODIMP GetProperties(ALLOCATOR_PROPERTIES *properties) override { return right->GetProperties(properties); }
    STDMETHODIMP Commit() override {
        const bool second = committed;
        HRESULT answer = right->Commit();
        committed = SUCCEEDED(answer);
        return wrong == Wrong::second_commit_fails && second ? VFW_E_ALREADY_COMMITTED : answer;
    }
    STDMETHODIMP Decommit() override {
        committed = false;
        return wrong == Wrong::samples_are_given_after_decommit && !closing ? S_OK : right->Decommit();
    }
    STDMETHODIMP GetBuffer(IMediaSample **sample, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) override {
        HRESULT answer = right->GetBuffer(sample, start, end, flags);
        if (wrong == Wrong::times_are_applied_to_the_sample && SUCCEEDED(answer)) {
            (*sample)->SetTime(start, end);
        }
        return answer;
    }
    STDMETHODIMP ReleaseBuffer(IMediaSample *sample) override { return right->ReleaseBuffer(sample); }

private:
    WrongAllocator(Reference<IMemAllocator> inner, Wrong what) : right(std::move(inner)), wrong(what) {}
    ~WrongAllocator() {
        closing = true;
        Decommit();
    }

    std::atomic<ULONG> references{1};
    Reference<IMemAllocator> right;
    const Wrong wrong;
    bool committed = false;
    bool closing = false;
};
