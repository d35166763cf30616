// The allocator under test: that of a DLL which exports KspCreateAllocator, or the system's own for comparison.
#pragma once

#include "reference.h"

#include <dshow.h>
#include <stdexcept>
#include <string>

// What a DLL that cannot be used ends with.
class Unusable : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// The allocator that quartz.dll has registered.
inline Reference<IMemAllocator> create_system_allocator() {
    Reference<IMemAllocator> allocator;
    HRESULT answer = CoCreateInstance(CLSID_MemoryAllocator, nullptr, CLSCTX_INPROC_SERVER, __uuidof(IMemAllocator),
                                      allocator.put_void());
    if (FAILED(answer)) {
        throw Unusable("the system has no CLSID_MemoryAllocator");
    }
    return allocator;
}

class Subject {
public:
    // The path of a DLL, or `--quartz` for CLSID_MemoryAllocator.
    explicit Subject(const std::string &argument) {
        if (argument == "--quartz") {
            return;
        }
        module = LoadLibraryA(argument.c_str());
        if (module == nullptr) {
            throw Unusable(argument + " cannot be loaded, error " + std::to_string(GetLastError()));
        }
        create = function<CreateFunction>("KspCreateAllocator");
    }

    // Whether it is the system's own allocator that is tested.
    bool is_system() const { return module == nullptr; }

    Reference<IMemAllocator> create_allocator() const {
        if (is_system()) {
            return create_system_allocator();
        }
        Reference<IMemAllocator> allocator;
        if (FAILED(create(__uuidof(IMemAllocator), allocator.put_void()))) {
            throw Unusable("KspCreateAllocator makes no IMemAllocator");
        }
        return allocator;
    }

private:
    using CreateFunction = HRESULT(STDAPICALLTYPE *)(REFIID, void **);

    template <typename Function> Function function(const char *name) const {
        FARPROC address = GetProcAddress(module, name);
        if (address == nullptr) {
            throw Unusable(std::string("the DLL does not export ") + name);
        }
        return reinterpret_cast<Function>(reinterpret_cast<void *>(address));
    }

    HMODULE module = nullptr;
    CreateFunction create = nullptr;
};
