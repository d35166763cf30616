#include "graph.h"

#include "../windows/cases.h"

namespace {

const CLSID wave_parser = {0xd51bd5a1, 0x7548, 0x11cf, {0xa5, 0x20, 0x00, 0x80, 0xc7, 0x7e, 0xf5, 0x8a}};

Reference<IBaseFilter> create_filter(const CLSID &id, const char *what) {
    Reference<IBaseFilter> filter;
    require_ok(CoCreateInstance(id, nullptr, CLSCTX_INPROC_SERVER, __uuidof(IBaseFilter), filter.put_void()), what);
    return filter;
}

std::vector<Reference<IPin>> pins(IBaseFilter *filter, PIN_DIRECTION wanted) {
    Reference<IEnumPins> all;
    require_ok(filter->EnumPins(all.put()), "EnumPins");
    std::vector<Reference<IPin>> found;
    Reference<IPin> pin;
    while (all->Next(1, pin.put(), nullptr) == S_OK) {
        PIN_DIRECTION direction;
        require_ok(pin->QueryDirection(&direction), "QueryDirection");
        if (direction == wanted) {
            found.push_back(pin);
        }
    }
    return found;
}

// Joins an output pin with the first of the renderers that takes it.
bool join(IGraphBuilder *builder, IPin *output, const std::vector<Renderer *> &renderers) {
    for (Renderer *renderer : renderers) {
        auto inputs = pins(renderer, PINDIR_INPUT);
        Reference<IPin> peer;
        if (FAILED(inputs.at(0)->ConnectedTo(peer.put())) &&
            SUCCEEDED(builder->ConnectDirect(output, inputs.at(0).get(), nullptr))) {
            return true;
        }
    }
    return false;
}

} // namespace

Graph::Graph(const std::vector<Renderer *> &renderers) {
    require_ok(
        CoCreateInstance(CLSID_FilterGraph, nullptr, CLSCTX_INPROC_SERVER, __uuidof(IGraphBuilder), builder.put_void()),
        "the system's filter graph");
    for (size_t index = 0; index < renderers.size(); ++index) {
        std::wstring name = L"renderer " + std::to_wstring(index);
        require_ok(builder->AddFilter(renderers[index], name.c_str()), "AddFilter of a renderer");
    }
}

Graph Graph::joined(const std::wstring &file, Splitter kind, const std::vector<Renderer *> &renderers) {
    Graph graph(renderers);
    auto source = create_filter(CLSID_AsyncReader, "the system's file source");
    auto splitter = kind == Splitter::wave ? create_filter(wave_parser, "the system's wave parser")
                                           : create_filter(CLSID_AviSplitter, "the system's AVI splitter");
    require_ok(graph.builder->AddFilter(source.get(), L"source"), "AddFilter of the source");
    require_ok(graph.builder->AddFilter(splitter.get(), L"splitter"), "AddFilter of the splitter");
    auto opener = source.query<IFileSourceFilter>();
    require_ok(opener->Load(file.c_str(), nullptr), "the source opens the file");
    require_ok(graph.builder->ConnectDirect(pins(source.get(), PINDIR_OUTPUT).at(0).get(),
                                            pins(splitter.get(), PINDIR_INPUT).at(0).get(), nullptr),
               "the splitter reads the file (Debian: gstreamer1.0-plugins-good)");
    size_t joined = 0;
    for (const auto &output : pins(splitter.get(), PINDIR_OUTPUT)) {
        joined += join(graph.builder.get(), output.get(), renderers);
    }
    require(joined == renderers.size(), "every renderer gets a stream");
    return graph;
}

Graph Graph::rendered(const std::wstring &file, const std::vector<Renderer *> &renderers) {
    Graph graph(renderers);
    require_ok(graph.builder->RenderFile(file.c_str(), nullptr), "RenderFile");
    return graph;
}

Graph::~Graph() {
    if (builder) {
        builder.query<IMediaControl>()->Stop();
    }
}

void Graph::run() const {
    HRESULT answer = builder.query<IMediaControl>()->Run();
    require(SUCCEEDED(answer), "Run answers " + hexadecimal(answer));
}

void Graph::stop() const { require_ok(builder.query<IMediaControl>()->Stop(), "Stop"); }

void Graph::wait_for_completion() const {
    // mingw-w64 gives IMediaEvent no __uuidof.
    Reference<IMediaEvent> events;
    require_ok(builder->QueryInterface(IID_IMediaEvent, events.put_void()), "IMediaEvent of the graph");
    LONG event = 0;
    require_ok(events->WaitForCompletion(INFINITE, &event), "WaitForCompletion");
    require(event == EC_COMPLETE, "the graph completes, event " + std::to_string(event));
}

void Graph::seek(LONGLONG position) const {
    HRESULT answer = builder.query<IMediaSeeking>()->SetPositions(&position, AM_SEEKING_AbsolutePositioning, nullptr,
                                                                  AM_SEEKING_NoPositioning);
    require(SUCCEEDED(answer), "SetPositions answers " + hexadecimal(answer));
}

LONGLONG Graph::duration() const {
    LONGLONG length = -1;
    require_ok(builder.query<IMediaSeeking>()->GetDuration(&length), "GetDuration");
    return length;
}

ULONG Graph::release() {
    stop();
    return builder.reset();
}
