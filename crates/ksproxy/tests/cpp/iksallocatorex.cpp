// IKsAllocatorEx from C++ on Linux: every slot of the allocator's two faces and of its samples, statement by statement.
//
// iksallocatorex LIBRARY
//
// LIBRARY is loaded and must export KspCreateAllocator, KspCreateSinkPin and KspDeleteMediaType (kspipe.h). Each line of
// the output is "ok N what" or "FAIL N what", N being the number of a statement (docs/com.md). Exit code 1 if one failed,
// 2 if the library cannot be used; ended by SIGALRM if one never ends.

#include "kspipe.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

KspCreateAllocatorFunction create_allocator;
KspCreateSinkPinFunction create_sink_pin;
KspDeleteMediaTypeFunction delete_media_type;
int failures;

void check(int statement, bool holds, const char *what) {
    std::printf("%s %d %s\n", holds ? "ok" : "FAIL", statement, what);
    failures += !holds;
}

bool equal(const GUID &a, const GUID &b) { return std::memcmp(&a, &b, sizeof a) == 0; }

int descriptor(HANDLE handle) { return static_cast<int>(reinterpret_cast<intptr_t>(handle)); }

bool is_open(HANDLE handle) { return fcntl(descriptor(handle), F_GETFD) != -1; }

// A handle that nobody else knows.
HANDLE new_handle() {
    return reinterpret_cast<HANDLE>(static_cast<intptr_t>(fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)));
}

// The number of references to an object.
ULONG references(IUnknown *object) {
    object->AddRef();
    return object->Release();
}

// A reference that is released at the end of its scope.
template <typename Interface> class Reference {
public:
    Reference() = default;
    explicit Reference(Interface *taken_over) : pointer(taken_over) {}
    Reference(Reference &&other) noexcept : pointer(other.detach()) {}
    Reference(const Reference &) = delete;
    Reference &operator=(const Reference &) = delete;
    ~Reference() { reset(); }

    Interface *operator->() const { return pointer; }
    Interface *get() const { return pointer; }
    Interface **put() { return &pointer; }
    Interface *detach() {
        Interface *given = pointer;
        pointer = nullptr;
        return given;
    }
    void reset() {
        if (Interface *given = detach()) {
            given->Release();
        }
    }

private:
    Interface *pointer = nullptr;
};

// An allocator by its two faces.
struct Allocator {
    Reference<IKsAllocatorEx> ks;
    Reference<IMemAllocatorCallbackTemp> memory;

    Allocator() {
        create_allocator(IID_IKsAllocatorEx, reinterpret_cast<void **>(ks.put()));
        ks->QueryInterface(IID_IMemAllocatorCallbackTemp, reinterpret_cast<void **>(memory.put()));
    }

    // A committed allocator refers to itself.
    ~Allocator() { memory->Decommit(); }

    HRESULT set(ALLOCATOR_PROPERTIES request, ALLOCATOR_PROPERTIES *actual) const {
        return memory->SetProperties(&request, actual);
    }

    void commit(LONG count, LONG size, LONG align = 1, LONG prefix = 0) const {
        ALLOCATOR_PROPERTIES actual;
        if (FAILED(set({count, size, align, prefix}, &actual)) || FAILED(memory->Commit())) {
            check(0, false, "an allocator can be committed");
        }
    }

    HRESULT get(IMediaSample **sample, DWORD flags = AM_GBF_NOWAIT) const {
        return memory->GetBuffer(sample, nullptr, nullptr, flags);
    }

    Reference<IMediaSample> sample(DWORD flags = AM_GBF_NOWAIT) const {
        Reference<IMediaSample> out;
        get(out.put(), flags);
        return out;
    }

    LONG free() const {
        LONG count = -1;
        memory->GetFreeCount(&count);
        return count;
    }
};

// The part of an object of ours that counts references; the tests own their objects.
template <typename Interface> class Counted : public Interface {
public:
    ULONG AddRef() override { return ++count; }
    ULONG Release() override { return --count; }
    std::atomic<ULONG> count{1};
};

class Client final : public Counted<IMemAllocatorNotifyCallbackTemp> {
public:
    HRESULT QueryInterface(REFIID iid, void **object) override {
        bool known = equal(iid, IID_IUnknown) || equal(iid, IID_IMemAllocatorNotifyCallbackTemp);
        *object = known ? this : nullptr;
        if (known) {
            AddRef();
        }
        return known ? S_OK : E_NOINTERFACE;
    }
    HRESULT NotifyRelease() override {
        ++notified;
        if (asks != nullptr) {
            seen = asks->free();
        }
        return E_FAIL;
    }
    std::atomic<int> notified{0};
    const Allocator *asks = nullptr;
    LONG seen = -1;
};

// A pin's KS object, and the pin. The allocator calls nothing of the pin but QueryInterface.
class Object final : public Counted<IKsObject> {
public:
    HRESULT QueryInterface(REFIID, void **object) override {
        *object = nullptr;
        return E_NOINTERFACE;
    }
    HANDLE KsGetObjectHandle() override { return handle; }
    HANDLE handle = nullptr;
};

class Pin final : public Counted<IKsPin> {
public:
    HRESULT QueryInterface(REFIID iid, void **result) override {
        *result = nullptr;
        if (object == nullptr || !equal(iid, IID_IKsObject)) {
            return E_NOINTERFACE;
        }
        object->AddRef();
        *result = static_cast<IKsObject *>(object);
        return S_OK;
    }
    HRESULT KsQueryMediums(KSMULTIPLE_ITEM **) override { return unexpected(); }
    HRESULT KsQueryInterfaces(KSMULTIPLE_ITEM **) override { return unexpected(); }
    HRESULT KsCreateSinkPinHandle(KSPIN_INTERFACE *, KSPIN_MEDIUM *) override { return unexpected(); }
    HRESULT KsGetCurrentCommunication(KSPIN_COMMUNICATION *, KSPIN_INTERFACE *, KSPIN_MEDIUM *) override {
        return unexpected();
    }
    HRESULT KsPropagateAcquire() override { return unexpected(); }
    HRESULT KsDeliver(IMediaSample *, ULONG) override { return unexpected(); }
    HRESULT KsMediaSamplesCompleted(KSSTREAM_SEGMENT *) override { return unexpected(); }
    IMemAllocator *KsPeekAllocator(KSPEEKOPERATION) override {
        unexpected();
        return nullptr;
    }
    HRESULT KsReceiveAllocator(IMemAllocator *) override { return unexpected(); }
    HRESULT KsRenegotiateAllocator() override { return unexpected(); }
    LONG KsIncrementPendingIoCount() override { return unexpected(); }
    LONG KsDecrementPendingIoCount() override { return unexpected(); }
    HRESULT KsQualityNotify(ULONG, REFERENCE_TIME) override { return unexpected(); }

    Object *object = nullptr;
    int unexpected_calls = 0;

private:
    HRESULT unexpected() {
        ++unexpected_calls;
        return E_UNEXPECTED;
    }
};

void layout() {
    check(1, sizeof(ALLOCATOR_PROPERTIES_EX) == 264 && offsetof(ALLOCATOR_PROPERTIES_EX, PrevSegment) == 232 &&
                 offsetof(ALLOCATOR_PROPERTIES_EX, CountNextSegments) == 240 &&
                 offsetof(ALLOCATOR_PROPERTIES_EX, NextSegments) == 248 &&
                 offsetof(ALLOCATOR_PROPERTIES_EX, NumberPins) == 260,
          "ALLOCATOR_PROPERTIES_EX has the 64-bit layout");
    check(3, offsetof(ALLOCATOR_PROPERTIES_EX, Input) == 52 && offsetof(ALLOCATOR_PROPERTIES_EX, Strategy) == 164,
          "the members before the pointers are where they are on every platform");
    check(6, sizeof(AM_SAMPLE2_PROPERTIES) == 64 && offsetof(AM_SAMPLE2_PROPERTIES, pbBuffer) == 48,
          "AM_SAMPLE2_PROPERTIES has the 64-bit layout");
}

void identity() {
    Allocator a;
    bool all = true;
    for (const IID *iid : {&IID_IUnknown, &IID_IKsAllocator, &IID_IKsAllocatorEx, &IID_IMemAllocator,
                           &IID_IMemAllocatorCallbackTemp}) {
        Reference<IUnknown> by_ks, by_memory;
        all &= a.ks->QueryInterface(*iid, reinterpret_cast<void **>(by_ks.put())) == S_OK;
        all &= a.memory->QueryInterface(*iid, reinterpret_cast<void **>(by_memory.put())) == S_OK;
        all &= by_ks.get() == by_memory.get();
    }
    check(14, all, "QueryInterface answers all interfaces from either face");
    Reference<IUnknown> one, other;
    a.ks->QueryInterface(IID_IUnknown, reinterpret_cast<void **>(one.put()));
    a.memory->QueryInterface(IID_IUnknown, reinterpret_cast<void **>(other.put()));
    check(15, one.get() != nullptr && one.get() == other.get(), "one identity");
    void *none = &a;
    check(16, a.ks->QueryInterface(IID_IMediaSample, &none) == E_NOINTERFACE && none == nullptr, "no other interface");
    Reference<IKsAllocatorEx> single;
    create_allocator(IID_IKsAllocatorEx, reinterpret_cast<void **>(single.put()));
    check(17, single->AddRef() == 2 && single->Release() == 1, "AddRef and Release count");

    HANDLE handle = new_handle();
    single->KsSetAllocatorHandle(handle);
    check(18, single.detach()->Release() == 0, "the last Release answers 0");
    check(23, !is_open(handle), "the stored handle is closed with the object");
}

void properties() {
    Allocator a;
    ALLOCATOR_PROPERTIES now = {9, 9, 9, 9}, actual;
    check(24, a.memory->GetProperties(&now) == S_OK && now.cBuffers == 0 && now.cbBuffer == 0 && now.cbAlign == 0 &&
                  now.cbPrefix == 0,
          "all zero at first");
    check(25, a.memory->GetProperties(nullptr) == E_POINTER, "GetProperties(NULL)");
    check(26, a.memory->SetProperties(nullptr, &actual) == E_POINTER &&
                  a.memory->SetProperties(&now, nullptr) == E_POINTER,
          "SetProperties with a NULL");
    check(27, a.set({0, 0, 0, 0}, &actual) == VFW_E_BADALIGN, "alignment 0");
    check(28, a.set({1, 1, 3, 0}, &actual) == VFW_E_BADALIGN, "alignment 3");
    check(29, a.set({1, 1, -1, 0}, &actual) == VFW_E_BADALIGN && a.set({1, 1, 131072, 0}, &actual) == VFW_E_BADALIGN,
          "alignments -1 and 131072");
    bool powers = true;
    for (LONG align = 1; align <= 65536; align *= 2) {
        powers &= a.set({1, 1, align, 0}, &actual) == S_OK && actual.cbAlign == align;
    }
    check(30, powers, "powers of two up to 65536");
    check(33, a.set({1, 1, 16, 1}, &actual) == S_OK && actual.cbBuffer == 15 && actual.cBuffers == 1 &&
                  actual.cbAlign == 16 && actual.cbPrefix == 1,
          "the size is rounded with its prefix");
    check(34, a.set({1, 17, 16, 0}, &actual) == S_OK && actual.cbBuffer == 32, "the size is rounded up");
    check(31, a.set({5, 5, 7, 0}, &actual) == VFW_E_BADALIGN && actual.cbBuffer == 0 &&
                  a.memory->GetProperties(&now) == S_OK && now.cbBuffer == 32,
          "a refused request answers zeros and changes nothing");
    a.commit(1, 64);
    check(37, a.set({1, 1, 1, 0}, &actual) == VFW_E_ALREADY_COMMITTED, "committed");
    Reference<IMediaSample> out = a.sample();
    check(40, a.set({1, 1, 1, 0}, &actual) == VFW_E_ALREADY_COMMITTED, "committed with a sample out");
    a.memory->Decommit();
    check(38, a.set({1, 1, 1, 0}, &actual) == VFW_E_BUFFERS_OUTSTANDING, "decommitted with a sample out");
    out.reset();
    check(39, a.set({1, 1, 1, 0}, &actual) == S_OK, "decommitted with all home");
}

void life_cycle() {
    ALLOCATOR_PROPERTIES actual;
    struct {
        int statement;
        ALLOCATOR_PROPERTIES asked;
        HRESULT answer;
        const char *what;
    } refused[] = {
        {43, {1, 0, 1, 0}, VFW_E_SIZENOTSET, "no size"},
        {44, {0, 16, 1, 0}, VFW_E_SIZENOTSET, "no count"},
        {45, {-1, 16, 1, 0}, VFW_E_SIZENOTSET, "a negative count"},
        {45, {1, -16, 1, 0}, VFW_E_SIZENOTSET, "a negative size"},
        {46, {1, 16, 1, -1}, E_OUTOFMEMORY, "a negative prefix"},
        {47, {0x7FFFFFFF, 0x7FFFFFFF, 1, 0}, E_OUTOFMEMORY, "as much as the numbers say"},
        {48, {65536, 65536, 1, 0}, E_OUTOFMEMORY, "4 GiB"},
    };
    {
        Allocator a;
        check(42, a.memory->Commit() == VFW_E_SIZENOTSET, "Commit without properties");
        check(50, a.memory->Decommit() == S_OK, "Decommit without Commit");
    }
    for (const auto &wrong : refused) {
        Allocator a;
        Reference<IMediaSample> none;
        a.set(wrong.asked, &actual);
        check(wrong.statement,
              a.memory->Commit() == wrong.answer && a.get(none.put()) == VFW_E_NOT_COMMITTED && none.get() == nullptr,
              wrong.what);
        check(58, a.set({1, 64, 1, 0}, &actual) == S_OK && a.memory->Commit() == S_OK, "mended");
        a.memory->Decommit();
    }
    Allocator a;
    a.commit(2, 65536);
    check(49, a.memory->Commit() == S_OK && a.free() == 2, "a second Commit");
    Reference<IMediaSample> sample = a.sample();
    BYTE *before = nullptr, *after = nullptr;
    sample->GetPointer(&before);
    check(51, a.memory->Decommit() == S_OK && a.memory->Decommit() == S_OK, "Decommit twice");
    std::memset(before, 0xAB, 65536);
    check(52, before[0] == 0xAB && before[65535] == 0xAB, "a sample stays writable after Decommit");
    Reference<IMediaSample> none;
    check(53, a.get(none.put(), 0) == VFW_E_NOT_COMMITTED, "GetBuffer after Decommit");
    bool called_off = a.memory->Commit() == S_OK;
    sample->GetPointer(&after);
    {
        Reference<IMediaSample> other = a.sample();
        check(54, called_off && before == after && other.get() != nullptr, "Commit calls a decommit off");
    }
    sample.reset();
    check(55, a.free() == 2 && a.sample().get() != nullptr, "the sample comes home to a committed allocator");
    a.memory->Decommit();
    bool always_three = a.set({3, 64, 1, 0}, &actual) == S_OK;
    for (int round = 0; round < 100; ++round) {
        a.memory->Commit();
        Reference<IMediaSample> one = a.sample(), two = a.sample(), three = a.sample();
        a.memory->Decommit();
        always_three &= one.get() != nullptr && two.get() != nullptr && three.get() != nullptr;
    }
    check(56, always_three, "Commit and Decommit a hundred times");
}

void buffers() {
    Allocator a;
    Reference<IMediaSample> none;
    check(59, a.get(none.put(), 0) == VFW_E_NOT_COMMITTED && none.get() == nullptr, "GetBuffer before Commit");
    a.commit(2, 100, 64, 10);
    check(60, a.memory->GetBuffer(nullptr, nullptr, nullptr, 0) == E_POINTER, "GetBuffer(NULL)");
    REFERENCE_TIME start = 1, end = 2;
    Reference<IMediaSample> first, second = a.sample();
    check(69, a.memory->GetBuffer(first.put(), &start, &end, 0) == S_OK &&
                  first->GetTime(&start, &end) == VFW_E_SAMPLE_TIME_NOT_SET,
          "the times given are not the sample's");
    BYTE *one = nullptr, *two = nullptr;
    first->GetPointer(&one);
    second->GetPointer(&two);
    check(61, first.get() != second.get() && (one + 118 <= two || two + 118 <= one), "two samples, disjoint memory");
    check(62, a.get(none.put()) == VFW_E_TIMEOUT && none.get() == nullptr, "AM_GBF_NOWAIT with none free");
    check(70, (reinterpret_cast<uintptr_t>(one) - 10) % 64 == 0 && first->GetSize() == 118, "alignment and size");
    bool zero = true;
    for (int i = 0; i < 118; ++i) {
        zero &= one[i] == 0 && two[i] == 0;
    }
    check(71, zero, "fresh buffers are zero");

    // However the two threads run, the one that waits ends with the sample that comes home.
    IMediaSample *expected = first.get(), *got = nullptr;
    std::thread waiting([&] { got = a.sample(0).detach(); });
    first.reset();
    waiting.join();
    check(63, got == expected, "who waits gets the sample that comes home");
    got->Release();
}

void waiters() {
    Allocator a;
    a.commit(1, 16);
    Reference<IMediaSample> out = a.sample();
    constexpr int threads = 4;
    HRESULT answers[threads];
    std::vector<std::thread> waiting;
    for (HRESULT &answer : answers) {
        waiting.emplace_back([&a, &answer] {
            IMediaSample *sample = nullptr;
            answer = a.get(&sample, 0);
        });
    }
    a.memory->Decommit();
    bool all_failed = true;
    for (int i = 0; i < threads; ++i) {
        waiting[i].join();
        all_failed &= answers[i] == VFW_E_NOT_COMMITTED;
    }
    check(65, all_failed, "Decommit fails everyone who waits");
}

void notification() {
    Allocator a;
    a.commit(4, 16);
    Client client, other;
    check(74, a.memory->ReleaseBuffer(nullptr) == E_POINTER, "ReleaseBuffer(NULL)");
    Allocator foreigner;
    foreigner.commit(1, 16);
    {
        Reference<IMediaSample> foreign = foreigner.sample();
        check(75, FAILED(a.memory->ReleaseBuffer(foreign.get())) && a.free() == 4, "ReleaseBuffer of a foreign sample");
    }
    client.asks = &a;
    a.memory->SetNotify(&client);
    Reference<IMediaSample> sample = a.sample();
    bool counts = sample->AddRef() == 2;
    counts &= sample->Release() == 1 && a.free() == 3;
    check(72, counts, "a Release that is not the last frees nothing");
    check(77, client.notified == 0, "nor notifies");
    IMediaSample *last = sample.detach();
    check(73, last->Release() == 0 && a.free() == 4, "the last one frees");
    check(76, client.notified == 1, "and notifies once");
    check(79, client.seen == 4, "the client finds the sample free");
    check(84, a.sample().get() != nullptr, "what the client answers does not matter");
    a.memory->SetNotify(&other);
    check(81, client.count == 1 && other.count == 2, "one client at a time");
    a.memory->SetNotify(&other);
    check(83, other.count == 2, "the same client again");
    Reference<IMediaSample> draining = a.sample();
    a.memory->Decommit();
    draining.reset();
    check(78, other.notified == 1, "the last sample of a decommit notifies");
    a.memory->SetNotify(nullptr);
    check(82, other.count == 1, "SetNotify(NULL)");

    Allocator b;
    ALLOCATOR_PROPERTIES actual;
    check(85, b.memory->GetFreeCount(nullptr) == E_POINTER, "GetFreeCount(NULL)");
    b.set({4, 16, 1, 0}, &actual);
    check(86, b.free() == 4, "free before Commit");
    b.memory->Commit();
    bool right = b.free() == 4;
    std::vector<Reference<IMediaSample>> out;
    for (LONG left = 3; left >= 0; --left) {
        out.push_back(b.sample());
        right &= b.free() == left;
    }
    check(87, right, "free with samples out");
}

void samples() {
    Allocator a;
    a.commit(1, 300);
    Reference<IMediaSample> sample = a.sample();
    Reference<IMediaSample2> two;
    check(88, sample->QueryInterface(IID_IMediaSample2, reinterpret_cast<void **>(two.put())) == S_OK &&
                  static_cast<IMediaSample *>(two.get()) == sample.get(),
          "IMediaSample2 is the same pointer");
    check(89, sample->GetActualDataLength() == 300, "the length is the size at first");
    check(90, sample->SetActualDataLength(301) == VFW_E_BUFFER_OVERFLOW &&
                  sample->SetActualDataLength(-1) == VFW_E_BUFFER_OVERFLOW && sample->GetActualDataLength() == 300,
          "lengths that do not fit");
    REFERENCE_TIME start = 0x123, end = 0x321, from = -1, to = -2;
    check(94, sample->GetTime(&from, &to) == VFW_E_SAMPLE_TIME_NOT_SET && from == -1 && to == -2, "no times");
    sample->SetTime(&start, nullptr);
    check(92, sample->GetTime(&from, &to) == VFW_S_NO_STOP_TIME && from == 0x123 && to == 0x124, "a start");
    sample->SetTime(&start, &end);
    AM_SAMPLE2_PROPERTIES all;
    two->GetProperties(sizeof all, reinterpret_cast<BYTE *>(&all));
    check(93, sample->GetTime(&from, &to) == S_OK && from == 0x123 && to == 0x321 &&
                  all.dwSampleFlags == (AM_SAMPLE_TIMEVALID | AM_SAMPLE_STOPVALID),
          "a start and a stop");
    check(95, sample->SetTime(nullptr, &end) == S_OK && sample->GetTime(&from, &to) == VFW_E_SAMPLE_TIME_NOT_SET,
          "no start, no stop");
    LONGLONG media_start = 5, media_end = 6, media_from, media_to;
    check(96, sample->SetMediaTime(&media_start, nullptr) == E_POINTER, "half a media time");
    sample->SetMediaTime(&media_start, &media_end);
    check(97, sample->GetMediaTime(&media_from, &media_to) == S_OK && media_from == 5 && media_to == 6, "media times");

    AM_MEDIA_TYPE *copy = reinterpret_cast<AM_MEDIA_TYPE *>(&all);
    check(99, sample->GetMediaType(&copy) == S_FALSE && copy == nullptr, "no media type");
    BYTE format[4] = {1, 2, 3, 4};
    AM_MEDIA_TYPE type = {};
    type.cbFormat = sizeof format;
    type.pbFormat = format;
    bool copied = sample->SetMediaType(&type) == S_OK;
    format[0] = 9;
    copied &= sample->GetMediaType(&copy) == S_OK && copy->cbFormat == 4 && copy->pbFormat[0] == 1;
    delete_media_type(copy);
    delete_media_type(nullptr);
    two->GetProperties(sizeof all, reinterpret_cast<BYTE *>(&all));
    check(100, copied && (all.dwSampleFlags & AM_SAMPLE_TYPECHANGED) != 0, "a media type is copied deeply");
    sample->SetMediaType(nullptr);
    two->GetProperties(sizeof all, reinterpret_cast<BYTE *>(&all));
    check(101, (all.dwSampleFlags & AM_SAMPLE_TYPECHANGED) == 0, "and taken away");

    BYTE *buffer = nullptr;
    sample->GetPointer(&buffer);
    check(102, all.cbData == sizeof all && all.pbBuffer == buffer && all.cbBuffer == sample->GetSize(),
          "IMediaSample2::GetProperties");
    BYTE part[32];
    std::memset(part, 0xEE, sizeof part);
    DWORD length = 0;
    two->GetProperties(16, part);
    std::memcpy(&length, part, sizeof length);
    check(103, length == 16 && part[16] == 0xEE, "16 bytes of it");
    auto set = [&](AM_SAMPLE2_PROPERTIES given) {
        return two->SetProperties(sizeof given, reinterpret_cast<const BYTE *>(&given));
    };
    AM_SAMPLE2_PROPERTIES changed = all;
    changed.lActual = 123;
    check(104, set(changed) == S_OK && sample->GetActualDataLength() == 123, "IMediaSample2::SetProperties");
    changed = all;
    changed.pbBuffer = buffer + 1;
    check(105, set(changed) == E_INVALIDARG && sample->GetActualDataLength() == 123, "another buffer");
    changed = all;
    changed.dwSampleFlags = 0x20;
    check(106, set(changed) == E_INVALIDARG, "an undefined flag");
    changed = all;
    changed.cbData = sizeof changed + 1;
    check(107, set(changed) == E_INVALIDARG, "a longer structure");
    changed = all;
    changed.dwSampleFlags = AM_SAMPLE_TIMEVALID;
    changed.tStart = 77;
    changed.lActual = 123;
    check(108, set(changed) == S_OK && sample->GetTime(&from, &to) == VFW_S_NO_STOP_TIME && from == 77, "a start only");

    sample->SetPreroll(1);
    sample->SetDiscontinuity(1);
    sample->SetSyncPoint(1);
    bool set_all = sample->IsPreroll() == S_OK && sample->IsDiscontinuity() == S_OK && sample->IsSyncPoint() == S_OK;
    two.reset();
    sample.reset();
    Reference<IMediaSample> again = a.sample();
    check(91, again->GetActualDataLength() == 123, "the length survives reuse");
    check(98, set_all && again->IsPreroll() == S_FALSE && again->IsDiscontinuity() == S_FALSE &&
                  again->IsSyncPoint() == S_FALSE && again->GetTime(&from, &to) == VFW_E_SAMPLE_TIME_NOT_SET &&
                  again->GetMediaTime(&media_from, &media_to) == VFW_E_MEDIA_TIME_NOT_SET,
          "nothing else does");
}

void kernel_mode() {
    Allocator a;
    ALLOCATOR_PROPERTIES actual;
    check(109, a.ks->KsGetAllocatorMode() == KsAllocatorMode_User && a.ks->KsGetAllocatorHandle() == nullptr,
          "user mode and no handle at creation");
    a.commit(1, 16);
    Reference<IMediaSample> out = a.sample();
    HRESULT answer = S_OK;
    std::thread waiting([&] {
        IMediaSample *sample = nullptr;
        answer = a.get(&sample, 0);
    });
    a.ks->KsSetAllocatorMode(KsAllocatorMode_Kernel);
    waiting.join();
    out.reset();
    check(114, answer == VFW_E_NOT_COMMITTED && a.free() == 1, "going to kernel mode decommits");
    check(110, a.ks->KsGetAllocatorMode() == KsAllocatorMode_Kernel, "the mode is set");
    check(111, a.set({1, 1, 1, 0}, &actual) == VFW_E_ALREADY_COMMITTED &&
                   a.memory->SetProperties(nullptr, &actual) == E_POINTER,
          "SetProperties in kernel mode");
    check(112, a.memory->Commit() == S_OK && a.memory->Decommit() == S_OK, "Commit and Decommit in kernel mode");
    Reference<IMediaSample> none;
    check(113, a.get(none.put(), 0) == VFW_E_NOT_COMMITTED && a.get(none.put()) == VFW_E_NOT_COMMITTED,
          "GetBuffer in kernel mode");
}

void extended_properties() {
    Allocator a;
    ALLOCATOR_PROPERTIES_EX *live = a.ks->KsGetProperties();
    static const ALLOCATOR_PROPERTIES_EX zero = {};
    check(115, live != nullptr && std::memcmp(live, &zero, sizeof zero) == 0, "all zero at first");
    ALLOCATOR_PROPERTIES_EX given;
    std::memset(&given, 0, sizeof given); // padding too, which is compared
    given.cBuffers = 4;
    given.MemoryType = KSMEMORY_TYPE_USER;
    given.State = PipeState_Finalized;
    given.PrevSegment = a.ks.get();
    given.NumberPins = 3;
    ULONG before = references(a.ks.get());
    a.ks->KsSetProperties(&given);
    check(116, std::memcmp(live, &given, sizeof given) == 0, "KsSetProperties copies");
    check(119, references(a.ks.get()) == before, "segments are no references");
    given.cBuffers = 5;
    check(117, a.ks->KsGetProperties() == live && live->cBuffers == 4, "one address for life, and a copy");
    a.ks->KsSetProperties(nullptr);
    a.ks->KsSetProperties(live);
    check(118, live->cBuffers == 4 && live->NumberPins == 3, "KsSetProperties of nothing and of itself");
}

void handles() {
    Allocator a;
    HANDLE one = new_handle(), two = new_handle();
    a.ks->KsSetAllocatorHandle(one);
    check(120, a.ks->KsGetAllocatorHandle() == one && is_open(one), "the handle is stored");
    a.ks->KsSetAllocatorHandle(two);
    check(121, a.ks->KsGetAllocatorHandle() == two && !is_open(one), "the one before is closed");

    Pin pin;
    Object object;
    check(122, a.ks->KsCreateAllocatorAndGetHandle(&pin) == nullptr && a.ks->KsGetAllocatorHandle() == nullptr &&
                   !is_open(two),
          "a pin that is no KS object, and the old handle is closed");
    check(122, a.ks->KsCreateAllocatorAndGetHandle(nullptr) == nullptr, "no pin");
    pin.object = &object;
    bool none = a.ks->KsCreateAllocatorAndGetHandle(&pin) == nullptr;
    object.handle = INVALID_HANDLE_VALUE;
    check(123, none && a.ks->KsCreateAllocatorAndGetHandle(&pin) == nullptr, "a pin without handle");

    check(127, create_sink_pin(&object.handle) == S_OK && create_sink_pin(nullptr) == E_POINTER, "a pin of this process");
    ALLOCATOR_PROPERTIES_EX *properties = a.ks->KsGetProperties();
    check(126, a.ks->KsCreateAllocatorAndGetHandle(&pin) == nullptr && a.ks->KsGetAllocatorHandle() == nullptr,
          "a frame size of 0 is refused by the pin");
    properties->cBuffers = 4;
    properties->cbBuffer = 4096;
    properties->cbAlign = 64;
    properties->LogicalMemoryType = KS_MemoryTypeKernelPaged;
    HANDLE made = a.ks->KsCreateAllocatorAndGetHandle(&pin);
    check(127, made != nullptr && a.ks->KsGetAllocatorHandle() == made && object.count == 1, "an allocator on the pin");
    KSSTREAMALLOCATOR_STATUS status = {};
    const KSALLOCATOR_FRAMING &framing = status.Framing;
    check(129, a.ks->KsGetAllocatorStatus(&status) == S_OK, "the allocator behind the handle answers its status");
    check(124, framing.OptionsFlags == KSALLOCATOR_OPTIONF_SYSTEM_MEMORY && framing.PoolType == PagedPool &&
                   framing.Frames == 4 && framing.FrameSize == 4096 && framing.FileAlignment == 63 &&
                   framing.Reserved == 0,
          "it was made with the framing of the extended properties");
    properties->LogicalMemoryType = KS_MemoryTypeUser;
    a.ks->KsCreateAllocatorAndGetHandle(&pin);
    a.ks->KsGetAllocatorStatus(&status);
    check(125, framing.PoolType == NonPagedPool, "nonpaged memory unless paged is asked for");
    check(128, a.ks->KsGetAllocatorStatus(nullptr) == E_POINTER, "KsGetAllocatorStatus(NULL)");
    check(122, pin.unexpected_calls == 0, "nothing else of a pin is called");
    close(descriptor(object.handle));

    a.ks->KsSetAllocatorHandle(nullptr);
    a.commit(3, 100, 64, 10);
    Reference<IMediaSample> out = a.sample();
    check(129, a.ks->KsGetAllocatorStatus(&status) == S_OK && framing.Frames == 3 && framing.FrameSize == 128 &&
                   framing.FileAlignment == 63 && status.AllocatedFrames == 1,
          "without a handle the status is the user-mode allocator's");
}

template <typename Function> bool find(void *library, const char *name, Function *function) {
    *function = reinterpret_cast<Function>(dlsym(library, name));
    return *function != nullptr;
}

} // namespace

int main(int count, char **arguments) {
    void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (library == nullptr) {
        std::fprintf(stderr, "usage: %s LIBRARY\n%s\n", arguments[0], count == 2 ? dlerror() : "");
        return 2;
    }
    if (!find(library, "KspCreateAllocator", &create_allocator) ||
        !find(library, "KspCreateSinkPin", &create_sink_pin) ||
        !find(library, "KspDeleteMediaType", &delete_media_type)) {
        std::fprintf(stderr, "%s\n", dlerror());
        return 2;
    }
    // A statement that waits for ever fails too: the alarm ends the program, after the lines before it are out.
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    alarm(120);
    void *none = library;
    check(16, create_allocator(IID_IKsPin, &none) == E_NOINTERFACE && none == nullptr, "KspCreateAllocator of a pin");
    layout();
    identity();
    properties();
    life_cycle();
    buffers();
    waiters();
    notification();
    samples();
    kernel_mode();
    extended_properties();
    handles();
    std::printf("%d failed\n", failures);
    return failures == 0 ? 0 : 1;
}
