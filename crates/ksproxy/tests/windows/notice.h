// Hears of every sample that comes home, and notices when its allocator is destroyed, for then it is released.
#pragma once

#include "reference.h"

#include <atomic>
#include <dshow.h>

// Counts references but does not go with the last: it belongs to who made it.
class Notice final : public IMemAllocatorNotifyCallbackTemp {
public:
    // Whether the allocator can tell; the system's cannot.
    bool attach(IMemAllocator *allocator) {
        auto teller = Reference<IMemAllocator>::to(allocator).query<IMemAllocatorCallbackTemp>();
        return teller && SUCCEEDED(teller->SetNotify(this));
    }

    bool is_held() const { return references != 0; }
    unsigned samples_home() const { return home; }

    STDMETHODIMP QueryInterface(REFIID iid, void **object) override {
        bool known = iid == __uuidof(IUnknown) || iid == __uuidof(IMemAllocatorNotifyCallbackTemp);
        *object = known ? this : nullptr;
        references += known;
        return known ? S_OK : E_NOINTERFACE;
    }
    STDMETHODIMP_(ULONG) AddRef() override { return ++references; }
    STDMETHODIMP_(ULONG) Release() override { return --references; }
    STDMETHODIMP NotifyRelease() override {
        ++home;
        return S_OK;
    }

private:
    std::atomic<ULONG> references{0};
    std::atomic<unsigned> home{0};
};
