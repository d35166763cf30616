#include "renderer.h"

#include <cstring>
#include <new>

namespace {

// An enumerator over a list that does not change; of pins, or of nothing.
template <typename Enumerator, typename Item> class List final : public Enumerator {
public:
    explicit List(std::vector<Reference<IPin>> items, size_t position = 0) : pins(std::move(items)), next(position) {}

    STDMETHODIMP QueryInterface(REFIID iid, void **object) override {
        bool known = iid == __uuidof(IUnknown) || iid == __uuidof(Enumerator);
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
    STDMETHODIMP Next(ULONG count, Item **items, ULONG *fetched) override {
        ULONG given = 0;
        if constexpr (std::is_same_v<Item, IPin>) {
            while (given < count && next < pins.size()) {
                items[given++] = Reference<IPin>(pins[next++]).detach();
            }
        }
        if (fetched != nullptr) {
            *fetched = given;
        }
        return given == count ? S_OK : S_FALSE;
    }
    STDMETHODIMP Skip(ULONG count) override {
        bool enough = count <= pins.size() - next;
        next = enough ? next + count : pins.size();
        return enough ? S_OK : S_FALSE;
    }
    STDMETHODIMP Reset() override {
        next = 0;
        return S_OK;
    }
    STDMETHODIMP Clone(Enumerator **copy) override {
        *copy = new List(pins, next);
        return S_OK;
    }

private:
    ~List() = default;

    std::atomic<ULONG> references{1};
    std::vector<Reference<IPin>> pins;
    size_t next;
};

HRESULT copy_text(const wchar_t *text, LPWSTR *copy) {
    size_t size = (std::wcslen(text) + 1) * sizeof *text;
    *copy = static_cast<LPWSTR>(CoTaskMemAlloc(size));
    if (*copy == nullptr) {
        return E_OUTOFMEMORY;
    }
    std::memcpy(*copy, text, size);
    return S_OK;
}

} // namespace

class Renderer::Lock {
public:
    explicit Lock(Renderer &renderer) : locked(renderer.lock) { AcquireSRWLockExclusive(&locked); }
    ~Lock() { ReleaseSRWLockExclusive(&locked); }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;

private:
    SRWLOCK &locked;
};

Reference<Renderer> Renderer::create(const RendererSettings &settings) {
    Reference<Renderer> renderer(new Renderer(settings));
    renderer->keeping = settings.keeps_samples;
    if (settings.seeks &&
        SUCCEEDED(CoCreateInstance(CLSID_SeekingPassThru, static_cast<IBaseFilter *>(renderer.get()),
                                   CLSCTX_INPROC_SERVER, __uuidof(IUnknown), renderer->seeking.put_void()))) {
        if (auto pass_through = renderer->seeking.query<ISeekingPassThru>()) {
            pass_through->Init(TRUE, &renderer->pin);
        }
    }
    return renderer;
}

Record Renderer::record() {
    Lock guard(*this);
    return happened;
}

void Renderer::wait_until(const std::function<bool(const Record &)> &holds) {
    Lock guard(*this);
    while (!holds(happened)) {
        SleepConditionVariableSRW(&changed, &lock, INFINITE, 0);
    }
}

void Renderer::wait_until_all_kept() {
    Lock guard(*this);
    while (kept.empty() || kept.size() != static_cast<size_t>(chosen_count)) {
        SleepConditionVariableSRW(&changed, &lock, INFINITE, 0);
    }
}

std::vector<Reference<IMediaSample>> Renderer::take_kept() {
    Lock guard(*this);
    keeping = false;
    return std::move(kept);
}

STDMETHODIMP Renderer::QueryInterface(REFIID iid, void **object) {
    if (iid == __uuidof(IUnknown) || iid == __uuidof(IPersist) || iid == __uuidof(IMediaFilter) ||
        iid == __uuidof(IBaseFilter)) {
        *object = static_cast<IBaseFilter *>(this);
    } else if (iid == __uuidof(IAMFilterMiscFlags)) {
        *object = static_cast<IAMFilterMiscFlags *>(this);
    } else if ((iid == __uuidof(IMediaSeeking) || iid == IID_IMediaPosition) && seeking) {
        return seeking->QueryInterface(iid, object);
    } else {
        *object = nullptr;
        return E_NOINTERFACE;
    }
    AddRef();
    return S_OK;
}

STDMETHODIMP_(ULONG) Renderer::AddRef() { return ++references; }

STDMETHODIMP_(ULONG) Renderer::Release() {
    ULONG left = --references;
    if (left == 0) {
        ++references; // the aggregate may take and give one while it goes
        seeking.reset();
        delete this;
    }
    return left;
}

STDMETHODIMP Renderer::GetClassID(CLSID *id) {
    *id = {0x9c1a7d5e, 0x5d0c, 0x4f6b, {0x8e, 0x3f, 0x21, 0x6a, 0x90, 0x4b, 0x7c, 0x11}};
    return S_OK;
}

STDMETHODIMP Renderer::Stop() {
    Reference<IMemAllocator> allocator;
    {
        Lock guard(*this);
        state = State_Stopped;
        end_reported = false;
        if (wanted.decommits) {
            allocator = chosen_allocator;
        }
        WakeAllConditionVariable(&changed);
    }
    if (allocator) {
        allocator->Decommit();
    }
    return S_OK;
}

STDMETHODIMP Renderer::Pause() {
    bool was_stopped;
    {
        Lock guard(*this);
        was_stopped = state == State_Stopped;
    }
    if (was_stopped) {
        forget_stream();
        learn_samples(); // before anything runs upstream: the graph starts with its renderers
    }
    Lock guard(*this);
    state = State_Paused;
    WakeAllConditionVariable(&changed);
    return S_OK;
}

STDMETHODIMP Renderer::Run(REFERENCE_TIME) {
    bool was_stopped;
    {
        Lock guard(*this);
        was_stopped = state == State_Stopped;
    }
    if (was_stopped) {
        Pause();
    }
    {
        Lock guard(*this);
        state = State_Running;
        WakeAllConditionVariable(&changed);
    }
    report_end();
    return S_OK;
}

// A pause is complete once a sample has come, or no more will.
STDMETHODIMP Renderer::GetState(DWORD milliseconds, FILTER_STATE *current) {
    Lock guard(*this);
    auto settled = [&] { return state != State_Paused || !peer || happened.samples != 0 || happened.ended; };
    const ULONGLONG end = GetTickCount64() + milliseconds;
    while (!settled()) {
        ULONGLONG now = GetTickCount64();
        DWORD left = milliseconds == INFINITE ? INFINITE : now < end ? static_cast<DWORD>(end - now) : 0;
        if (left == 0) {
            break;
        }
        SleepConditionVariableSRW(&changed, &lock, left, 0);
    }
    *current = state;
    return settled() ? S_OK : VFW_S_STATE_INTERMEDIATE;
}

STDMETHODIMP Renderer::SetSyncSource(IReferenceClock *source) {
    Lock guard(*this);
    clock = source != nullptr ? Reference<IReferenceClock>::to(source) : Reference<IReferenceClock>();
    return S_OK;
}

STDMETHODIMP Renderer::GetSyncSource(IReferenceClock **source) {
    Lock guard(*this);
    *source = Reference<IReferenceClock>(clock).detach();
    return S_OK;
}

STDMETHODIMP Renderer::EnumPins(IEnumPins **pins) {
    *pins = new List<IEnumPins, IPin>({Reference<IPin>::to(&pin)});
    return S_OK;
}

STDMETHODIMP Renderer::FindPin(LPCWSTR id, IPin **found) {
    bool known = std::wcscmp(id, L"In") == 0;
    *found = known ? Reference<IPin>::to(&pin).detach() : nullptr;
    return known ? S_OK : VFW_E_NOT_FOUND;
}

STDMETHODIMP Renderer::QueryFilterInfo(FILTER_INFO *info) {
    Lock guard(*this);
    lstrcpynW(info->achName, graph_name.c_str(), MAX_FILTER_NAME);
    info->pGraph = graph;
    if (graph != nullptr) {
        graph->AddRef();
    }
    return S_OK;
}

STDMETHODIMP Renderer::JoinFilterGraph(IFilterGraph *joined, LPCWSTR name) {
    Lock guard(*this);
    graph = joined;
    graph_name = name != nullptr ? name : L"";
    return S_OK;
}

STDMETHODIMP Renderer::QueryVendorInfo(LPWSTR *) { return E_NOTIMPL; }

STDMETHODIMP_(ULONG) Renderer::GetMiscFlags() { return AM_FILTER_MISC_FLAGS_IS_RENDERER; }

// A stream of bytes is refused like every other type, or the graph would join the renderer to the file reader.
bool Renderer::accepts(const AM_MEDIA_TYPE &type) const {
    return type.majortype == wanted.major_type && type.subtype == wanted.subtype;
}

// Commits, and remembers which samples the allocator has: all of them can be had now, for nobody else has one.
void Renderer::learn_samples() {
    Reference<IMemAllocator> allocator;
    {
        Lock guard(*this);
        allocator = chosen_allocator;
    }
    if (!allocator || FAILED(allocator->Commit())) {
        return;
    }
    std::vector<Reference<IMediaSample>> all;
    for (;;) {
        Reference<IMediaSample> sample;
        if (FAILED(allocator->GetBuffer(sample.put(), nullptr, nullptr, AM_GBF_NOWAIT))) {
            break;
        }
        all.push_back(std::move(sample));
    }
    Lock guard(*this);
    committed_samples.clear();
    for (const auto &sample : all) {
        committed_samples.insert(sample.get());
    }
}

// Copies what is in a sample and where it lies. Under the lock.
void Renderer::take(IMediaSample *sample) {
    ++happened.samples;
    happened.foreign_samples += committed_samples.count(sample) == 0;
    BYTE *content = nullptr;
    LONG length = sample->GetActualDataLength();
    if (FAILED(sample->GetPointer(&content)) || content == nullptr || length < 0 || length > sample->GetSize()) {
        ++happened.malformed;
        return;
    }
    REFERENCE_TIME start = -1;
    REFERENCE_TIME stop = -1;
    sample->GetTime(&start, &stop);
    happened.starts.push_back(start);
    happened.offsets.push_back(happened.bytes.size());
    happened.bytes.insert(happened.bytes.end(), content, content + length);
    if (keeping) {
        kept.push_back(Reference<IMediaSample>::to(sample));
    }
}

void Renderer::forget_stream() {
    Lock guard(*this);
    happened.samples = 0;
    happened.bytes.clear();
    happened.starts.clear();
    happened.offsets.clear();
    happened.ended = false;
    end_reported = false;
}

// Tells the graph of the end of the stream, once and only while it runs.
void Renderer::report_end() {
    IFilterGraph *told = nullptr;
    {
        Lock guard(*this);
        if (state == State_Running && happened.ended && !end_reported && graph != nullptr) {
            end_reported = true;
            told = graph;
        }
    }
    if (told != nullptr) {
        Reference<IMediaEventSink> sink;
        if (SUCCEEDED(told->QueryInterface(__uuidof(IMediaEventSink), sink.put_void()))) {
            sink->Notify(EC_COMPLETE, S_OK, reinterpret_cast<LONG_PTR>(static_cast<IBaseFilter *>(this)));
        }
    }
}

STDMETHODIMP Renderer::Pin::QueryInterface(REFIID iid, void **object) {
    if (iid == __uuidof(IUnknown) || iid == __uuidof(IPin)) {
        *object = static_cast<IPin *>(this);
    } else if (iid == __uuidof(IMemInputPin)) {
        *object = static_cast<IMemInputPin *>(this);
    } else {
        *object = nullptr;
        return E_NOINTERFACE;
    }
    AddRef();
    return S_OK;
}

STDMETHODIMP Renderer::Pin::ReceiveConnection(IPin *connector, const AM_MEDIA_TYPE *type) {
    if (!filter.accepts(*type)) {
        return VFW_E_TYPE_NOT_ACCEPTED;
    }
    Lock guard(filter);
    if (filter.peer) {
        return VFW_E_ALREADY_CONNECTED;
    }
    filter.peer = Reference<IPin>::to(connector);
    filter.connected_format.assign(type->pbFormat, type->pbFormat + type->cbFormat);
    filter.connected_type = *type;
    filter.connected_type.pUnk = nullptr;
    filter.connected_type.pbFormat = filter.connected_format.data();
    return S_OK;
}

STDMETHODIMP Renderer::Pin::Disconnect() {
    Reference<IPin> peer;
    Reference<IMemAllocator> allocator;
    Lock guard(filter);
    std::swap(peer, filter.peer);
    std::swap(allocator, filter.chosen_allocator);
    return peer ? S_OK : S_FALSE;
}

STDMETHODIMP Renderer::Pin::ConnectedTo(IPin **peer) {
    Lock guard(filter);
    *peer = Reference<IPin>(filter.peer).detach();
    return *peer != nullptr ? S_OK : VFW_E_NOT_CONNECTED;
}

STDMETHODIMP Renderer::Pin::ConnectionMediaType(AM_MEDIA_TYPE *type) {
    Lock guard(filter);
    std::memset(type, 0, sizeof *type);
    if (!filter.peer) {
        return VFW_E_NOT_CONNECTED;
    }
    auto *format = static_cast<BYTE *>(CoTaskMemAlloc(filter.connected_format.size()));
    if (format == nullptr) {
        return E_OUTOFMEMORY;
    }
    *type = filter.connected_type;
    std::memcpy(format, filter.connected_format.data(), filter.connected_format.size());
    type->pbFormat = format;
    return S_OK;
}

STDMETHODIMP Renderer::Pin::QueryPinInfo(PIN_INFO *info) {
    info->pFilter = Reference<IBaseFilter>::to(&filter).detach();
    info->dir = PINDIR_INPUT;
    lstrcpynW(info->achName, L"In", MAX_PIN_NAME);
    return S_OK;
}

STDMETHODIMP Renderer::Pin::QueryDirection(PIN_DIRECTION *direction) {
    *direction = PINDIR_INPUT;
    return S_OK;
}

STDMETHODIMP Renderer::Pin::QueryId(LPWSTR *id) { return copy_text(L"In", id); }

STDMETHODIMP Renderer::Pin::QueryAccept(const AM_MEDIA_TYPE *type) { return filter.accepts(*type) ? S_OK : S_FALSE; }

STDMETHODIMP Renderer::Pin::EnumMediaTypes(IEnumMediaTypes **types) {
    *types = new List<IEnumMediaTypes, AM_MEDIA_TYPE>({});
    return S_OK;
}

STDMETHODIMP Renderer::Pin::EndOfStream() {
    {
        Lock guard(filter);
        filter.happened.ended = true;
        WakeAllConditionVariable(&filter.changed);
    }
    filter.report_end();
    return S_OK;
}

// What is kept goes back, or who waits in GetBuffer upstream would never come to the flush.
STDMETHODIMP Renderer::Pin::BeginFlush() {
    std::vector<Reference<IMediaSample>> released;
    Lock guard(filter);
    filter.flushing = true;
    ++filter.happened.flushes_begun;
    std::swap(released, filter.kept);
    filter.keeping = false;
    WakeAllConditionVariable(&filter.changed);
    return S_OK;
}

STDMETHODIMP Renderer::Pin::EndFlush() {
    filter.forget_stream();
    Lock guard(filter);
    filter.flushing = false;
    ++filter.happened.flushes_ended;
    WakeAllConditionVariable(&filter.changed);
    return S_OK;
}

STDMETHODIMP Renderer::Pin::NewSegment(REFERENCE_TIME, REFERENCE_TIME, double) { return S_OK; }

STDMETHODIMP Renderer::Pin::GetAllocator(IMemAllocator **given) {
    *given = Reference<IMemAllocator>(filter.wanted.allocator).detach();
    Lock guard(filter);
    ++filter.happened.allocator_asked;
    return S_OK;
}

STDMETHODIMP Renderer::Pin::NotifyAllocator(IMemAllocator *chosen, BOOL) {
    auto told = Reference<IMemAllocator>::to(chosen);
    auto identity = told.query<IUnknown>();
    auto offered = filter.wanted.allocator.query<IUnknown>();
    ALLOCATOR_PROPERTIES properties = {};
    chosen->GetProperties(&properties);
    Lock guard(filter);
    std::swap(filter.chosen_allocator, told); // what was there is released after the lock
    filter.chosen_count = properties.cBuffers;
    filter.happened.allocator_was_ours = identity.get() == offered.get();
    return S_OK;
}

STDMETHODIMP Renderer::Pin::GetAllocatorRequirements(ALLOCATOR_PROPERTIES *requirements) {
    *requirements = filter.wanted.requirements;
    return S_OK;
}

// While paused the first sample is held until the graph runs, as renderers do.
STDMETHODIMP Renderer::Pin::Receive(IMediaSample *sample) {
    Lock guard(filter);
    if (filter.state == State_Stopped) {
        return VFW_E_WRONG_STATE;
    }
    if (filter.flushing) {
        return S_FALSE;
    }
    filter.take(sample);
    WakeAllConditionVariable(&filter.changed);
    while (filter.state == State_Paused && !filter.flushing) {
        SleepConditionVariableSRW(&filter.changed, &filter.lock, INFINITE, 0);
    }
    return filter.state == State_Stopped || filter.flushing ? S_FALSE : S_OK;
}

STDMETHODIMP Renderer::Pin::ReceiveMultiple(IMediaSample **samples, LONG count, LONG *processed) {
    for (*processed = 0; *processed < count; ++*processed) {
        HRESULT answer = Receive(samples[*processed]);
        if (answer != S_OK) {
            return answer;
        }
    }
    return S_OK;
}
