// The module of IKsAllocatorEx as a COM server: class factory, registration, loading and unloading.
//
// module LIBRARY [register|pin]
//
// LIBRARY is loaded and must export DllGetClassObject, DllCanUnloadNow, DllRegisterServer and DllUnregisterServer. With
// "register" the class is registered, created by COM, and removed again (on Linux: is not registered). With "pin" (Linux)
// a KS object of the library's is all that is made. Each line of the output is "ok what"
// or "FAIL what". Exit code 1 if one failed, 2 if the library cannot be used.
//
// Linux:   g++ -std=c++17 -I../../include module.cpp -ldl
// Windows: x86_64-w64-mingw32-g++ -std=c++17 -static module.cpp -lole32 -ladvapi32

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define __STREAMS__
#include <windows.h>
#include <objbase.h>
#include <olectl.h>
#include <strmif.h>
#include <ks.h>
#include <ksproxy.h>
#else
#include "kspipe.h"
#include <dlfcn.h>
#define WINAPI
#endif

#include <cstdio>
#include <cstring>
#include <string>

namespace {

// By value, so that no library of identifiers is needed.
const GUID CLASS_ALLOCATOR = {0x5FA6F11F, 0x72A3, 0x4A16, {0xA1, 0x3C, 0x00, 0xB3, 0xCB, 0xED, 0x2B, 0xAE}};
const GUID UNKNOWN = {0x00000000, 0x0000, 0x0000, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
const GUID CLASS_FACTORY = {0x00000001, 0x0000, 0x0000, {0xC0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46}};
const GUID KS_ALLOCATOR_EX = {0x091BB63A, 0x603F, 0x11D1, {0xB0, 0x67, 0x00, 0xA0, 0xC9, 0x06, 0x28, 0x02}};
const GUID MEM_ALLOCATOR = {0x56A8689C, 0x0AD4, 0x11CE, {0xB0, 0x3A, 0x00, 0x20, 0xAF, 0x0B, 0xA7, 0x70}};
const GUID NOBODYS = {0x12345678, 0x1234, 0x1234, {1, 2, 3, 4, 5, 6, 7, 8}};

typedef HRESULT(WINAPI *GetClassObject)(const GUID *, const GUID *, void **);
typedef HRESULT(WINAPI *NoArguments)();

int failures;

void check(bool holds, const char *what) {
    std::printf("%s %s\n", holds ? "ok" : "FAIL", what);
    failures += !holds;
}

// The library under test, as a host loads and unloads it.
class Module {
public:
    GetClassObject get_class_object = nullptr;
    NoArguments can_unload_now = nullptr, register_server = nullptr, unregister_server = nullptr;

    bool load(const char *path) {
#ifdef _WIN32
        library = LoadLibraryA(path);
#else
        library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
#endif
        return library != nullptr && find("DllGetClassObject", &get_class_object) &&
               find("DllCanUnloadNow", &can_unload_now) && find("DllRegisterServer", &register_server) &&
               find("DllUnregisterServer", &unregister_server);
    }

    void unload() {
#ifdef _WIN32
        FreeLibrary(library);
#else
        dlclose(library);
#endif
    }

    static bool is_loaded(const char *path) {
#ifdef _WIN32
        return GetModuleHandleA(path) != nullptr;
#else
        void *loaded = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
        if (loaded != nullptr) {
            dlclose(loaded);
        }
        return loaded != nullptr;
#endif
    }

private:
    template <typename Function> bool find(const char *name, Function *function) {
#ifdef _WIN32
        FARPROC found = GetProcAddress(library, name);
#else
        void *found = dlsym(library, name);
#endif
        static_assert(sizeof found == sizeof *function, "both are addresses");
        std::memcpy(function, &found, sizeof found);
        return found != nullptr;
    }

#ifdef _WIN32
    HMODULE library = nullptr;
#else
    void *library = nullptr;
#endif
};

// What a program does with an allocator: a frame out and home. Takes the reference over.
bool use(IKsAllocatorEx *allocator) {
    IMemAllocator *memory = nullptr;
    bool worked = allocator->QueryInterface(MEM_ALLOCATOR, reinterpret_cast<void **>(&memory)) == S_OK;
    ALLOCATOR_PROPERTIES request = {2, 4096, 64, 0}, actual = {};
    worked = worked && memory->SetProperties(&request, &actual) == S_OK && memory->Commit() == S_OK;
    IMediaSample *sample = nullptr;
    if (worked && memory->GetBuffer(&sample, nullptr, nullptr, 0) == S_OK) {
        BYTE *buffer = nullptr;
        sample->GetPointer(&buffer);
        std::memset(buffer, 0xA5, 4096);
        worked = sample->Release() == 0 && memory->Decommit() == S_OK;
    } else {
        worked = false;
    }
    if (memory != nullptr) {
        memory->Release();
    }
    return allocator->Release() == 0 && worked;
}

IClassFactory *factory_of(const Module &module) {
    IClassFactory *factory = nullptr;
    module.get_class_object(&CLASS_ALLOCATOR, &CLASS_FACTORY, reinterpret_cast<void **>(&factory));
    return factory;
}

IKsAllocatorEx *allocator_of(IClassFactory *factory) {
    IKsAllocatorEx *allocator = nullptr;
    factory->CreateInstance(nullptr, KS_ALLOCATOR_EX, reinterpret_cast<void **>(&allocator));
    return allocator;
}

// Loaded and unloaded with nothing made of it, the library goes.
void unused(const char *path) {
    bool went = true, agreed = true;
    for (int round = 0; round < 20; ++round) {
        Module module;
        if (!module.load(path)) {
            check(false, "the library loads again");
            return;
        }
        agreed &= module.can_unload_now() == S_OK;
        module.unload();
        went &= !Module::is_loaded(path);
    }
    check(agreed, "a library of which nothing was made can be unloaded");
    check(went, "and goes when it is");
}

void class_object(const Module &module) {
    void *object = &failures;
    check(module.get_class_object(&CLASS_ALLOCATOR, &CLASS_FACTORY, nullptr) == E_POINTER, "DllGetClassObject to NULL");
    check(module.get_class_object(nullptr, &CLASS_FACTORY, &object) == E_POINTER && object == nullptr, "of no class");
    object = &failures;
    check(module.get_class_object(&CLASS_ALLOCATOR, nullptr, &object) == E_POINTER && object == nullptr,
          "by no interface");
    object = &failures;
    check(module.get_class_object(&NOBODYS, &CLASS_FACTORY, &object) == CLASS_E_CLASSNOTAVAILABLE && object == nullptr,
          "of a class that is not there");
    object = &failures;
    check(module.get_class_object(&CLASS_ALLOCATOR, &KS_ALLOCATOR_EX, &object) == E_NOINTERFACE && object == nullptr,
          "by an interface that a factory has not");
    check(module.can_unload_now() == S_OK, "none of this keeps the library");

    IUnknown *unknown = nullptr;
    check(module.get_class_object(&CLASS_ALLOCATOR, &UNKNOWN, reinterpret_cast<void **>(&unknown)) == S_OK,
          "a factory by IUnknown");
    check(module.can_unload_now() == S_FALSE, "a factory keeps the library");
    check(unknown->Release() == 0 && module.can_unload_now() == S_OK, "until it is released");

    IClassFactory *factory = factory_of(module);
    check(factory->LockServer(0) == E_UNEXPECTED, "a lock that was not taken is not given up");
    check(factory->LockServer(1) == S_OK && factory->LockServer(1) == S_OK, "LockServer counts");
    factory->Release();
    check(module.can_unload_now() == S_FALSE, "a lock keeps the library without a factory");
    factory = factory_of(module);
    check(factory->LockServer(0) == S_OK, "one lock is given up");
    factory->Release();
    check(module.can_unload_now() == S_FALSE, "the other still counts");
    factory = factory_of(module);
    factory->LockServer(0);

    check(factory->CreateInstance(nullptr, KS_ALLOCATOR_EX, nullptr) == E_POINTER, "CreateInstance to NULL");
    object = &failures;
    check(factory->CreateInstance(factory, UNKNOWN, &object) == CLASS_E_NOAGGREGATION && object == nullptr,
          "as part of another object");
    factory->Release();
    check(module.can_unload_now() == S_OK, "neither made an object");
}

void objects(Module &module, const char *path) {
    IClassFactory *factory = factory_of(module);
    void *object = &failures;
    check(factory->CreateInstance(nullptr, NOBODYS, &object) == E_NOINTERFACE && object == nullptr,
          "an interface that the object has not");
    IKsAllocatorEx *allocator = allocator_of(factory);
    check(allocator != nullptr && use(allocator), "an object of the factory works");
    factory->Release();
    check(module.can_unload_now() == S_FALSE, "from the first object on the library stays");

    factory = factory_of(module);
    allocator = allocator_of(factory);
    module.unload();
    check(Module::is_loaded(path), "unloaded all the same, it stays");
    IKsAllocatorEx *second = allocator_of(factory);
    check(use(allocator) && second != nullptr && use(second), "and its objects go on working");
    factory->Release();
    check(module.can_unload_now() == S_FALSE, "and it says so");

    bool works = true;
    for (int round = 0; round < 100; ++round) {
        Module again;
        works &= again.load(path);
        IClassFactory *its_factory = factory_of(again);
        IKsAllocatorEx *its_allocator = allocator_of(its_factory);
        if (round % 2 == 0) {
            again.unload();
        }
        works &= use(its_allocator) && again.can_unload_now() == S_FALSE;
        its_factory->Release();
        if (round % 2 != 0) {
            again.unload();
        }
    }
    check(works, "loaded, used and unloaded a hundred times");
}

#ifdef _WIN32

const char KEY[] = "SOFTWARE\\Classes\\CLSID\\{5FA6F11F-72A3-4A16-A13C-00B3CBED2BAE}";

std::string value(HKEY root, const std::string &key, const char *name) {
    char text[1024] = "";
    DWORD size = sizeof text;
    return RegGetValueA(root, key.c_str(), name, RRF_RT_REG_SZ, nullptr, text, &size) == ERROR_SUCCESS ? text : "";
}

bool is_there(HKEY root, const std::string &key) {
    HKEY opened;
    if (RegOpenKeyExA(root, key.c_str(), 0, KEY_READ, &opened) != ERROR_SUCCESS) {
        return false;
    }
    RegCloseKey(opened);
    return true;
}

void registration(const Module &module, const char *path) {
    char full[MAX_PATH];
    GetFullPathNameA(path, MAX_PATH, full, nullptr);
    CoInitializeEx(nullptr, COINIT_MULTITHREADED);
    void *object = nullptr;
    check(CoCreateInstance(CLASS_ALLOCATOR, nullptr, CLSCTX_INPROC_SERVER, KS_ALLOCATOR_EX, &object) ==
              REGDB_E_CLASSNOTREG,
          "COM does not know the class yet");
    check(module.unregister_server() == S_OK, "removing what is not there succeeds");

    check(module.register_server() == S_OK && module.register_server() == S_OK, "registered, and again");
    HKEY root = is_there(HKEY_LOCAL_MACHINE, KEY) ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
    std::string server = std::string(KEY) + "\\InprocServer32";
    check(lstrcmpiA(value(root, server, nullptr).c_str(), full) == 0, "InprocServer32 is the library's path");
    check(value(root, server, "ThreadingModel") == "Both", "ThreadingModel is Both");
    IKsAllocatorEx *allocator = nullptr;
    HRESULT made = CoCreateInstance(CLASS_ALLOCATOR, nullptr, CLSCTX_INPROC_SERVER, KS_ALLOCATOR_EX,
                                    reinterpret_cast<void **>(&allocator));
    check(made == S_OK && use(allocator), "CoCreateInstance makes an allocator");
    CoFreeUnusedLibrariesEx(0, 0);
    allocator = nullptr;
    CoCreateInstance(CLASS_ALLOCATOR, nullptr, CLSCTX_INPROC_SERVER, KS_ALLOCATOR_EX,
                     reinterpret_cast<void **>(&allocator));
    check(allocator != nullptr && use(allocator), "also after COM freed what is unused");

    // A key of a stranger's below the class's stays, and the class's key with it.
    HKEY stranger;
    std::string strange = std::string(KEY) + "\\Stranger";
    RegCreateKeyExA(root, strange.c_str(), 0, nullptr, 0, KEY_WRITE, nullptr, &stranger, nullptr);
    RegCloseKey(stranger);
    check(module.unregister_server() == SELFREG_E_CLASS && is_there(root, strange) && !is_there(root, server),
          "nothing else than what was registered is removed");
    RegDeleteKeyA(root, strange.c_str());
    check(module.unregister_server() == S_OK && !is_there(HKEY_LOCAL_MACHINE, KEY) && !is_there(HKEY_CURRENT_USER, KEY),
          "removed");
    CoUninitialize();
}

#else

// A KS object of this process lives in the library as others do.
void sink_pin(Module &module, const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
    auto create = reinterpret_cast<KspCreateSinkPinFunction>(dlsym(library, "KspCreateSinkPin"));
    HANDLE pin = nullptr;
    check(module.can_unload_now() == S_OK && create(nullptr) == E_POINTER && module.can_unload_now() == S_OK,
          "no pin is made, and none keeps the library");
    check(create(&pin) == S_OK && module.can_unload_now() == S_FALSE, "a pin does");
    dlclose(library);
    module.unload();
    check(Module::is_loaded(path) && create(&pin) == S_OK, "also when it is unloaded");
}

void registration(const Module &module, const char *) {
    check(module.register_server() == SELFREG_E_CLASS, "there is no registry to register in");
    check(module.unregister_server() == S_OK, "and nothing to remove");
}

#endif

} // namespace

int main(int count, char **arguments) {
    std::string task = count == 3 ? arguments[2] : "";
    Module module;
    if (count < 2 || count > 3 || (count == 3 && task != "register" && task != "pin") || !module.load(arguments[1])) {
        std::fprintf(stderr, "usage: %s LIBRARY [register|pin]\nLIBRARY must be a COM server\n", arguments[0]);
        return 2;
    }
    std::setvbuf(stdout, nullptr, _IONBF, 0);
    module.unload();
    unused(arguments[1]);
    if (!module.load(arguments[1])) {
        return 2;
    }
    class_object(module);
#ifndef _WIN32
    if (task == "pin") {
        sink_pin(module, arguments[1]);
    }
#endif
    if (task != "pin") {
        objects(module, arguments[1]);
    }
    if (task == "register") {
        registration(module, arguments[1]);
    }
    std::printf("%d failed\n", failures);
    return failures == 0 ? 0 : 1;
}
