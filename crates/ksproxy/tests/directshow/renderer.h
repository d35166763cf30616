// A renderer of our own: a filter with one input pin that offers an allocator, takes samples and keeps what was in
// them.
#pragma once

#include "../windows/reference.h"
#include "media_file.h"

#include <atomic>
#include <dshow.h>
#include <functional>
#include <set>
#include <string>
#include <vector>

// What the renderer is asked to be.
struct RendererSettings {
    GUID major_type;
    GUID subtype;
    // Offered to who connects.
    Reference<IMemAllocator> allocator;
    // What it tells in GetAllocatorRequirements.
    ALLOCATOR_PROPERTIES requirements;
    // Whether it keeps a reference to every sample it gets, until let_go.
    bool keeps_samples = false;
    // Whether it decommits the allocator when it is stopped, as base classes do, or leaves that to who is upstream.
    bool decommits = true;
    // Whether it passes seeks on upstream. One renderer of a graph is enough.
    bool seeks = true;
};

// What happened at the pin, and what came since the last start or flush.
struct Record {
    unsigned allocator_asked = 0;    // GetAllocator
    bool allocator_was_ours = false; // the one NotifyAllocator told
    unsigned foreign_samples = 0;    // that were not among those which Commit made
    unsigned flushes_begun = 0;
    unsigned flushes_ended = 0;
    bool ended = false; // EndOfStream

    unsigned samples = 0; // since the last start or flush
    Bytes bytes;
    std::vector<REFERENCE_TIME> starts;
    std::vector<size_t> offsets; // in `bytes`, where each sample's begin
    unsigned malformed = 0;      // samples without pointer or with a length above their size
};

class Renderer final : public IBaseFilter, public IAMFilterMiscFlags {
public:
    // One reference, the caller's.
    static Reference<Renderer> create(const RendererSettings &settings);

    // A copy of what happened so far.
    Record record();
    // Waits until something holds, which is asked whenever anything happened at the pin.
    void wait_until(const std::function<bool(const Record &)> &holds);
    // Waits until the pin keeps every sample of the allocator.
    void wait_until_all_kept();
    // Gives the samples that are kept away, and keeps no more.
    std::vector<Reference<IMediaSample>> take_kept();

    STDMETHODIMP QueryInterface(REFIID iid, void **object) override;
    STDMETHODIMP_(ULONG) AddRef() override;
    STDMETHODIMP_(ULONG) Release() override;

    STDMETHODIMP GetClassID(CLSID *id) override;
    STDMETHODIMP Stop() override;
    STDMETHODIMP Pause() override;
    STDMETHODIMP Run(REFERENCE_TIME start) override;
    STDMETHODIMP GetState(DWORD milliseconds, FILTER_STATE *state) override;
    STDMETHODIMP SetSyncSource(IReferenceClock *clock) override;
    STDMETHODIMP GetSyncSource(IReferenceClock **clock) override;
    STDMETHODIMP EnumPins(IEnumPins **pins) override;
    STDMETHODIMP FindPin(LPCWSTR id, IPin **pin) override;
    STDMETHODIMP QueryFilterInfo(FILTER_INFO *info) override;
    STDMETHODIMP JoinFilterGraph(IFilterGraph *graph, LPCWSTR name) override;
    STDMETHODIMP QueryVendorInfo(LPWSTR *info) override;

    // It is a renderer: the graph waits for its EC_COMPLETE.
    STDMETHODIMP_(ULONG) GetMiscFlags() override;

private:
    class Pin final : public IPin, public IMemInputPin {
    public:
        explicit Pin(Renderer &owner) : filter(owner) {}

        STDMETHODIMP QueryInterface(REFIID iid, void **object) override;
        STDMETHODIMP_(ULONG) AddRef() override { return filter.AddRef(); }
        STDMETHODIMP_(ULONG) Release() override { return filter.Release(); }

        STDMETHODIMP Connect(IPin *, const AM_MEDIA_TYPE *) override { return E_UNEXPECTED; }
        STDMETHODIMP ReceiveConnection(IPin *connector, const AM_MEDIA_TYPE *type) override;
        STDMETHODIMP Disconnect() override;
        STDMETHODIMP ConnectedTo(IPin **peer) override;
        STDMETHODIMP ConnectionMediaType(AM_MEDIA_TYPE *type) override;
        STDMETHODIMP QueryPinInfo(PIN_INFO *info) override;
        STDMETHODIMP QueryDirection(PIN_DIRECTION *direction) override;
        STDMETHODIMP QueryId(LPWSTR *id) override;
        STDMETHODIMP QueryAccept(const AM_MEDIA_TYPE *type) override;
        STDMETHODIMP EnumMediaTypes(IEnumMediaTypes **types) override;
        STDMETHODIMP QueryInternalConnections(IPin **, ULONG *) override { return E_NOTIMPL; }
        STDMETHODIMP EndOfStream() override;
        STDMETHODIMP BeginFlush() override;
        STDMETHODIMP EndFlush() override;
        STDMETHODIMP NewSegment(REFERENCE_TIME start, REFERENCE_TIME stop, double rate) override;

        STDMETHODIMP GetAllocator(IMemAllocator **given) override;
        STDMETHODIMP NotifyAllocator(IMemAllocator *chosen, BOOL read_only) override;
        STDMETHODIMP GetAllocatorRequirements(ALLOCATOR_PROPERTIES *requirements) override;
        STDMETHODIMP Receive(IMediaSample *sample) override;
        STDMETHODIMP ReceiveMultiple(IMediaSample **samples, LONG count, LONG *processed) override;
        STDMETHODIMP ReceiveCanBlock() override { return S_OK; }

    private:
        Renderer &filter;
    };
    friend class Pin;

    // Holds `lock`, which guards everything declared after it. Of other objects only samples are called under it.
    class Lock;

    explicit Renderer(const RendererSettings &settings) : wanted(settings), pin(*this) {}
    ~Renderer() = default;

    bool accepts(const AM_MEDIA_TYPE &type) const;
    void learn_samples();
    void take(IMediaSample *sample);
    void forget_stream();
    void report_end();

    std::atomic<ULONG> references{1};
    const RendererSettings wanted;
    Pin pin;
    Reference<IUnknown> seeking; // quartz's pass-through, aggregated

    SRWLOCK lock = SRWLOCK_INIT;
    CONDITION_VARIABLE changed = CONDITION_VARIABLE_INIT;
    FILTER_STATE state = State_Stopped;
    bool flushing = false;
    bool end_reported = false;
    IFilterGraph *graph = nullptr; // not a reference: the graph owns the filter
    std::wstring graph_name;
    Reference<IReferenceClock> clock;
    Reference<IPin> peer;
    AM_MEDIA_TYPE connected_type = {};
    Bytes connected_format;
    Reference<IMemAllocator> chosen_allocator;
    LONG chosen_count = 0;
    std::set<IMediaSample *> committed_samples; // compared, never followed
    bool keeping = false;
    std::vector<Reference<IMediaSample>> kept;
    Record happened;
};
