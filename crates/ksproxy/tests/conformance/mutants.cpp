// The replaced vtables, and the exports.
#include "mutants.hpp"

#include <cstdio>
#include <dlfcn.h>
#include <string>
#include <vector>

namespace mutants {
namespace {

constexpr size_t slots[Faces] = {11, 11, 21};

struct Mutation {
    const char *mistake;
    Face face;
    size_t slot;
    void *function;
};

std::vector<Mutation> &mutations() {
    static std::vector<Mutation> all;
    return all;
}

const std::string &mistake() {
    static const std::string name = [] {
        const char *given = std::getenv("KSP_MUTATION");
        return std::string(given == nullptr ? "" : given);
    }();
    return name;
}

void **real[Faces];
std::vector<void *> replaced[Faces];
std::mutex replacing;

// Gives an object the replaced vtable of its kind.
void take(Face face, void *object) {
    auto *place = static_cast<std::atomic<void **> *>(object);
    std::lock_guard<std::mutex> guard(replacing);
    if (real[face] == nullptr) {
        real[face] = place->load();
        replaced[face].assign(real[face], real[face] + slots[face]);
        if (face == Memory) {
            replaced[face][7] = reinterpret_cast<void *>(get_buffer); // every mistake has to do with samples
        }
        for (const Mutation &mutation : mutations()) {
            if (mutation.face == face && mistake() == mutation.mistake) {
                replaced[face][mutation.slot] = mutation.function;
            }
        }
    }
    place->store(replaced[face].data());
}

} // namespace

void *real_method(Face face, size_t slot) { return real[face][slot]; }

Registration::Registration(const char *mistake, Face face, size_t slot, void *function) {
    mutations().push_back({mistake, face, slot, function});
}

HRESULT get_buffer(void *self, IMediaSample **out, REFERENCE_TIME *start, REFERENCE_TIME *end, DWORD flags) {
    HRESULT answer = call(Memory, 7, self, out, start, end, flags);
    if (SUCCEEDED(answer)) {
        take(Sample, *out);
    }
    return answer;
}

namespace {

// A function of the real library. A mistake that is not there would prove nothing.
template <typename Function> Function real_export(const char *name) {
    static void *const library = [] {
        bool known = mistake() == "none";
        for (const Mutation &mutation : mutations()) {
            known |= mistake() == mutation.mistake;
        }
        const char *path = std::getenv("KSP_MUTATED");
        void *loaded = path == nullptr || !known ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (loaded == nullptr) {
            std::fputs("KSP_MUTATED must name a library, KSP_MUTATION a mistake\n", stderr);
            std::_Exit(2);
        }
        return loaded;
    }();
    return reinterpret_cast<Function>(dlsym(library, name));
}

} // namespace
} // namespace mutants

using namespace mutants;

extern "C" HRESULT KspCreateAllocator(REFIID iid, void **object) {
    HRESULT answer = real_export<KspCreateAllocatorFunction>("KspCreateAllocator")(iid, object);
    if (FAILED(answer)) {
        return answer;
    }
    auto *made = static_cast<IUnknown *>(*object);
    const IID *const faces[] = {&IID_IKsAllocatorEx, &IID_IMemAllocatorCallbackTemp};
    void *found[2];
    for (int face : {Ks, Memory}) {
        if (FAILED(made->QueryInterface(*faces[face], &found[face]))) {
            std::_Exit(2);
        }
        static_cast<IUnknown *>(found[face])->Release();
    }
    take(Ks, found[Ks]);
    take(Memory, found[Memory]);
    return answer;
}

extern "C" HRESULT KspCreateSinkPin(HANDLE *handle) {
    return real_export<KspCreateSinkPinFunction>("KspCreateSinkPin")(handle);
}
