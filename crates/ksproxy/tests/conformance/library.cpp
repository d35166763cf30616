#include "library.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#ifdef _WIN32
#include <objbase.h>
#endif

namespace library {
namespace {

typedef HRESULT(STDMETHODCALLTYPE *CreateAllocator)(REFIID iid, void **object);
typedef HRESULT(STDMETHODCALLTYPE *GetClassObject)(REFIID class_id, REFIID iid, void **object);
typedef HRESULT(STDMETHODCALLTYPE *CreateInstance)(void *factory, IUnknown *outer, REFIID iid, void **object);

CreateAllocator create;
IUnknown *factory;

// {00000001-0000-0000-C000-000000000046}
const GUID class_factory = {0x00000001, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

bool parse(const char *text, GUID *out) {
    unsigned one, two, three, rest[8];
    int end = 0;
    if (std::sscanf(text, "{%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x}%n", &one, &two, &three, rest, rest + 1, rest + 2,
                    rest + 3, rest + 4, rest + 5, rest + 6, rest + 7, &end) != 11 ||
        end == 0 || text[end] != 0) {
        return false;
    }
    out->Data1 = one;
    out->Data2 = static_cast<uint16_t>(two);
    out->Data3 = static_cast<uint16_t>(three);
    for (int i = 0; i < 8; ++i) {
        out->Data4[i] = static_cast<uint8_t>(rest[i]);
    }
    return true;
}

} // namespace

bool load(const char *path, const char *class_id, std::string *why) {
    if (!platform::load(path, why)) {
        return false;
    }
    if (class_id == nullptr) {
        create = reinterpret_cast<CreateAllocator>(platform::exported("KspCreateAllocator"));
        *why = "does not export KspCreateAllocator; --class names a class of DllGetClassObject's";
        return create != nullptr;
    }
    GUID id;
    if (!parse(class_id, &id)) {
        *why = "the class is not of the form {xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
        return false;
    }
    auto get = reinterpret_cast<GetClassObject>(platform::exported("DllGetClassObject"));
    *why = "does not export DllGetClassObject, or has no such class";
    return get != nullptr && SUCCEEDED(get(id, class_factory, reinterpret_cast<void **>(&factory)));
}

HRESULT create_allocator(REFIID iid, void **object) {
    if (create != nullptr) {
        return create(iid, object);
    }
    return slot<CreateInstance>(factory, 3)(factory, nullptr, iid, object);
}

#ifdef _WIN32

void delete_media_type(AM_MEDIA_TYPE *type) {
    if (type != nullptr) {
        if (type->pUnk != nullptr) {
            type->pUnk->Release();
        }
        CoTaskMemFree(type->pbFormat);
        CoTaskMemFree(type);
    }
}

void *task_memory(size_t bytes) { return CoTaskMemAlloc(bytes); }

#else

void delete_media_type(AM_MEDIA_TYPE *type) {
    if (type != nullptr) {
        if (type->pUnk != nullptr) {
            type->pUnk->Release();
        }
        std::free(type->pbFormat);
        std::free(type);
    }
}

// CoTaskMemAlloc there is malloc here (kspipe.h).
void *task_memory(size_t bytes) { return std::malloc(bytes); }

#endif

} // namespace library

namespace {

// Without an allocator there is nothing to check.
void created(HRESULT answer, void *object, const char *interface_name) {
    if (FAILED(answer) || object == nullptr) {
        char text[100];
        std::snprintf(text, sizeof text, "no allocator by %s: 0x%08X", interface_name, static_cast<unsigned>(answer));
        throw std::runtime_error(text);
    }
}

} // namespace

Allocator::Allocator() {
    HRESULT answer = library::create_allocator(IID_IKsAllocatorEx, ks.put_void());
    created(answer, ks.get(), "IKsAllocatorEx");
    answer = ks->QueryInterface(IID_IMemAllocatorCallbackTemp, memory.put_void());
    created(answer, memory.get(), "IMemAllocatorCallbackTemp");
}

Allocator::~Allocator() {
    if (memory) {
        memory->SetNotify(nullptr);
        memory->Decommit();
    }
}

HRESULT Allocator::set(LONG count, LONG size, LONG align, LONG prefix, ALLOCATOR_PROPERTIES *actual) const {
    ALLOCATOR_PROPERTIES request = {count, size, align, prefix}, unused;
    return memory->SetProperties(&request, actual == nullptr ? &unused : actual);
}

HRESULT Allocator::commit(LONG count, LONG size, LONG align, LONG prefix) const {
    HRESULT answer = set(count, size, align, prefix);
    return FAILED(answer) ? answer : memory->Commit();
}

Sample Allocator::sample() const {
    Sample out;
    get(out.put());
    return out;
}

LONG Allocator::free() const {
    LONG count = -1;
    memory->GetFreeCount(&count);
    return count;
}

Waiter::Waiter(const Allocator &allocator, DWORD flags) {
    IMemAllocator *memory = allocator.memory.get();
    runs.reset(new platform::Thread([this, memory, flags] {
        called = true;
        result = memory->GetBuffer(&got, nullptr, nullptr, flags);
        back = true;
    }));
}

Waiter::~Waiter() {
    runs->join();
    take();
}

bool Waiter::was_blocked() {
    while (!called) {
        platform::yield();
    }
    while (!back) {
        if (runs->sleeps() && !back) {
            return true;
        }
        platform::yield();
    }
    return false;
}

HRESULT Waiter::answer() {
    runs->join();
    return result;
}

Sample Waiter::take() {
    runs->join();
    IMediaSample *given = got;
    got = nullptr;
    return Sample(given);
}
