/*
 * Frames through IKsAllocatorEx, from C.
 *
 *     gcc -std=c11 -Iinclude examples/iksallocatorex.c -o iksallocatorex -ldl && ./iksallocatorex libksproxy.so
 */

#include "kspipe.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int count, char **arguments) {
    void *library = dlopen(count == 2 ? arguments[1] : "libksproxy.so", RTLD_NOW);
    if (library == NULL) {
        return 2;
    }
    KspCreateAllocatorFunction create;
    *(void **)&create = dlsym(library, "KspCreateAllocator");

    IKsAllocatorEx *allocator = NULL;
    IMemAllocator *memory = NULL;
    if (FAILED(create(&IID_IKsAllocatorEx, (void **)&allocator))) {
        return 1;
    }
    allocator->lpVtbl->QueryInterface(allocator, &IID_IMemAllocator, (void **)&memory);

    /* What was negotiated for the pipe: the live structure, which the allocator owns. */
    allocator->lpVtbl->KsGetProperties(allocator)->MemoryType = KSMEMORY_TYPE_USER;

    ALLOCATOR_PROPERTIES request = {3, 4000, 4096, 0}, actual;
    memory->lpVtbl->SetProperties(memory, &request, &actual);
    memory->lpVtbl->Commit(memory);

    IMediaSample *sample = NULL;
    if (SUCCEEDED(memory->lpVtbl->GetBuffer(memory, &sample, NULL, NULL, 0))) {
        BYTE *buffer = NULL;
        sample->lpVtbl->GetPointer(sample, &buffer);
        memset(buffer, 0x80, (size_t)sample->lpVtbl->GetSize(sample));

        KSSTREAMALLOCATOR_STATUS status;
        allocator->lpVtbl->KsGetAllocatorStatus(allocator, &status);
        printf("%u frames of %u bytes, %u in use\n", status.Framing.Frames, status.Framing.FrameSize,
               status.AllocatedFrames);
        sample->lpVtbl->Release(sample);
    }

    memory->lpVtbl->Decommit(memory); /* A committed allocator refers to itself. */
    memory->lpVtbl->Release(memory);
    allocator->lpVtbl->Release(allocator);
    return 0;
}
