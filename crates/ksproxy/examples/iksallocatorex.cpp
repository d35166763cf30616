// Frames through IKsAllocatorEx, from C++.
//
//     g++ -std=c++17 -Iinclude examples/iksallocatorex.cpp -o iksallocatorex -ldl && ./iksallocatorex libksproxy.so
//
// It loads the library; a program may as well link with -lksproxy and call KspCreateAllocator by its name.

#include "kspipe.h"

#include <cstdio>
#include <cstring>
#include <dlfcn.h>

int main(int count, char **arguments) {
    void *library = dlopen(count == 2 ? arguments[1] : "libksproxy.so", RTLD_NOW);
    if (library == nullptr) {
        return 2;
    }
    auto create = reinterpret_cast<KspCreateAllocatorFunction>(dlsym(library, "KspCreateAllocator"));

    IKsAllocatorEx *allocator = nullptr;
    IMemAllocator *memory = nullptr;
    if (FAILED(create(IID_IKsAllocatorEx, reinterpret_cast<void **>(&allocator)))) {
        return 1;
    }
    allocator->QueryInterface(IID_IMemAllocator, reinterpret_cast<void **>(&memory));

    // What was negotiated for the pipe: the live structure, which the allocator owns.
    allocator->KsGetProperties()->MemoryType = KSMEMORY_TYPE_USER;

    ALLOCATOR_PROPERTIES request = {3, 4000, 4096, 0}, actual;
    memory->SetProperties(&request, &actual);
    memory->Commit();

    IMediaSample *sample = nullptr;
    if (SUCCEEDED(memory->GetBuffer(&sample, nullptr, nullptr, 0))) {
        BYTE *buffer = nullptr;
        sample->GetPointer(&buffer);
        std::memset(buffer, 0x80, static_cast<size_t>(sample->GetSize()));

        KSSTREAMALLOCATOR_STATUS status;
        allocator->KsGetAllocatorStatus(&status);
        std::printf("%u frames of %u bytes, %u in use\n", status.Framing.Frames, status.Framing.FrameSize,
                    status.AllocatedFrames);
        sample->Release();
    }

    memory->Decommit(); // A committed allocator refers to itself.
    memory->Release();
    allocator->Release();
    return 0;
}
