// The system's own DirectShow filters stream through the allocator under test.
//
// directshow DLL [PART]       the DLL must export KspCreateAllocator
// directshow --quartz [PART]  the system's CLSID_MemoryAllocator instead, to see that the graphs themselves work
//
// With PART only the cases in whose name it is.
//
// WAV and AVI files are made with computed content, then the system's file source and splitter play them into renderers
// of our own that offer the allocator. Exit code 0: every case holds; 1: one does not; 2: the DLL cannot be used; 3: a
// case did not end.

#include "../windows/cases.h"
#include "../windows/notice.h"
#include "../windows/subject.h"
#include "graph.h"
#include "watched_allocator.h"

#include <algorithm>
#include <memory>

namespace {

// One stream of a file: what a renderer must be, and what must arrive.
struct Stream {
    GUID major_type;
    GUID subtype;
    ALLOCATOR_PROPERTIES requirements;
    Bytes content;
    size_t unit;        // bytes of one picture, or one frame of sound
    LONGLONG unit_time; // 100 ns; 0 where it is no whole number
    bool unit_a_sample; // every sample is one unit
};

struct Material {
    std::string name;
    Splitter splitter;
    Bytes file;
    std::vector<Stream> streams;
    LONGLONG middle; // a place in the file, 100 ns, at which each stream has a unit
};

Stream sound_stream(const Sound &sound) {
    return {MEDIATYPE_Audio, MEDIASUBTYPE_PCM, {4, 4096, 32, 0}, sound.content(), Sound::frame_size, 0, false};
}

Stream picture_stream(const Pictures &pictures) {
    return {MEDIATYPE_Video,
            pictures.pixels == Pixels::yuy2 ? MEDIASUBTYPE_YUY2 : MEDIASUBTYPE_RGB24,
            {4, 16, 64, 0},
            pictures.content(),
            pictures.picture_size(),
            10000000 / pictures.rate,
            true};
}

Material wave_material() {
    Sound sound;
    return {"wav", Splitter::wave, wave_file(sound), {sound_stream(sound)}, 10000000};
}

Material yuy2_material() {
    Pictures pictures;
    return {"avi_yuy2", Splitter::avi, avi_file(pictures, nullptr), {picture_stream(pictures)}, 10000000};
}

Material rgb24_material() {
    Pictures pictures;
    pictures.pixels = Pixels::rgb24;
    pictures.width = 100;
    return {"avi_rgb24", Splitter::avi, avi_file(pictures, nullptr), {picture_stream(pictures)}, 10000000};
}

Material picture_and_sound_material() {
    Pictures pictures;
    Sound sound;
    return {"avi_yuy2_and_pcm",
            Splitter::avi,
            avi_file(pictures, &sound),
            {picture_stream(pictures), sound_stream(sound)},
            10000000};
}

std::string digits(size_t number) { return std::to_string(number); }

// FNV-1a, to say in one number what came.
std::string checksum(const Bytes &bytes) {
    uint64_t sum = 0xCBF29CE484222325;
    for (uint8_t byte : bytes) {
        sum = (sum ^ byte) * 0x100000001B3;
    }
    char text[24];
    std::snprintf(text, sizeof text, "%08lx%08lx", static_cast<unsigned long>(sum >> 32),
                  static_cast<unsigned long>(sum & 0xFFFFFFFF));
    return text;
}

// A stream's end: its renderer and the allocator under test behind it.
struct End {
    const Stream *stream;
    std::unique_ptr<Notice> notice; // where the allocator can tell; it outlives the allocator
    Reference<IMemAllocator> allocator;
    Reference<WatchedAllocator> watch; // between upstream and the allocator, where a case needs to see the calls
    Reference<Renderer> renderer;
};

struct Manner {
    bool watched = false;
    bool keeps_samples = false;
    bool renderer_decommits = true;
    bool by_render_file = false;
};

// A file, its graph, and the ends of its streams.
class Session {
public:
    Session(const Subject &tested, const Material &played, Manner manner = {})
        : subject(tested), material(played), file(played.name, played.file) {
        std::vector<Renderer *> renderers;
        for (const Stream &stream : material.streams) {
            End end;
            end.stream = &stream;
            end.allocator = subject.create_allocator();
            end.notice.reset(new Notice);
            if (!end.notice->attach(end.allocator.get())) {
                require(subject.is_system(), "the allocator has IMemAllocatorCallbackTemp");
                end.notice.reset();
            }
            Reference<IMemAllocator> offered = end.allocator;
            if (manner.watched) {
                end.watch = WatchedAllocator::create(end.allocator);
                offered = Reference<IMemAllocator>::to(end.watch.get());
            }
            end.renderer = Renderer::create({stream.major_type, stream.subtype, offered, stream.requirements,
                                             manner.keeps_samples, manner.renderer_decommits, ends.empty()});
            renderers.push_back(end.renderer.get());
            ends.push_back(std::move(end));
        }
        graph.reset(new Graph(manner.by_render_file ? Graph::rendered(file.path(), renderers)
                                                    : Graph::joined(file.path(), material.splitter, renderers)));
    }

    void require_negotiated() const {
        for (const End &end : ends) {
            Record record = end.renderer->record();
            require(record.allocator_asked > 0, "upstream asks for the renderer's allocator");
            require(record.allocator_was_ours, "upstream chooses the allocator under test");
            ALLOCATOR_PROPERTIES set = {};
            require_ok(end.allocator->GetProperties(&set), "GetProperties");
            // A new allocator has none (statement 24), so these are upstream's.
            const ALLOCATOR_PROPERTIES &asked = end.stream->requirements;
            require(set.cBuffers >= asked.cBuffers && set.cbBuffer >= asked.cbBuffer && set.cbAlign >= asked.cbAlign &&
                        (!end.stream->unit_a_sample || set.cbBuffer >= static_cast<LONG>(end.stream->unit)),
                    "upstream sets properties that hold its own needs and the renderer's");
        }
    }

    // What came since the start, or the last flush, is the content from a place on, in order and to the end.
    void require_content_from(LONGLONG position) const {
        for (const End &end : ends) {
            const Stream &stream = *end.stream;
            Record record = end.renderer->record();
            const LONGLONG units = static_cast<LONGLONG>(stream.content.size() / stream.unit);
            const LONGLONG first = units * position / graph->duration();
            const Bytes expected(stream.content.begin() + static_cast<ptrdiff_t>(first * stream.unit),
                                 stream.content.end());
            require(record.ended, "the stream ends");
            require(record.malformed == 0, digits(record.malformed) + " samples are malformed");
            require(record.foreign_samples == 0, digits(record.foreign_samples) + " samples are not the allocator's");
            require(record.bytes == expected, digits(record.bytes.size()) + " bytes came (" + checksum(record.bytes) +
                                                  "), " + digits(expected.size()) + " should (" + checksum(expected) +
                                                  ")");
            if (stream.unit_a_sample) {
                require(record.samples == expected.size() / stream.unit, "every picture comes as one sample");
                for (size_t sample = 0; sample < record.samples; ++sample) {
                    require(record.offsets[sample] == sample * stream.unit, "every sample is one picture");
                    require(record.starts[sample] ==
                                record.starts[0] + static_cast<LONGLONG>(sample) * stream.unit_time,
                            "every picture has its time");
                }
            }
        }
    }

    // Nothing is out and nothing can be got: the decommit is over.
    void require_at_rest() const {
        for (const End &end : ends) {
            Reference<IMediaSample> sample;
            HRESULT answer = end.allocator->GetBuffer(sample.put(), nullptr, nullptr, AM_GBF_NOWAIT);
            require(answer == VFW_E_NOT_COMMITTED,
                    "GetBuffer of a stopped graph's allocator answers " + hexadecimal(answer));
            ALLOCATOR_PROPERTIES properties = {}, actual;
            end.allocator->GetProperties(&properties);
            if (auto counting = end.allocator.query<IMemAllocatorCallbackTemp>()) {
                LONG free = -1;
                require_ok(counting->GetFreeCount(&free), "GetFreeCount");
                require(free == properties.cBuffers, digits(static_cast<size_t>(free)) + " samples are home");
            }
            require_ok(end.allocator->SetProperties(&properties, &actual), "SetProperties with every sample home");
        }
    }

    // Releases everything. Nothing may be left of it but what `kept` holds.
    void close() {
        require(graph->release() == 0, "the graph goes with its last reference");
        require(DeleteFileW(file.path().c_str()), "the file is closed");
        for (End &end : ends) {
            require(end.renderer.reset() == 0, "the renderer goes with its last reference");
            if (end.watch) {
                require(end.watch.reset() == 0, "the watch goes with its last reference");
            }
        }
    }

    // The last references to the allocators; what Release answers.
    ULONG release_allocators() {
        ULONG left = 0;
        for (End &end : ends) {
            left += end.allocator.reset();
        }
        return left;
    }

    void close_whole() {
        close();
        require(release_allocators() == 0, "the allocator goes with its last reference");
        require_destroyed();
    }

    // An allocator that can tell has released the one it told.
    void require_destroyed() const {
        for (const End &end : ends) {
            require(!end.notice || !end.notice->is_held(), "the allocator is destroyed");
        }
    }

    // To the end of every stream, of which the graph must tell.
    void wait_for_the_end() const {
        for (const End &end : ends) {
            end.renderer->wait_until([](const Record &record) { return record.ended; });
        }
        graph->wait_for_completion();
    }

    const Subject &subject;
    const Material &material;
    TemporaryFile file;
    std::vector<End> ends;
    std::unique_ptr<Graph> graph;
};

void play(Session &session) {
    session.graph->run();
    session.wait_for_the_end();
}

void plays_to_the_end(const Subject &subject, const Material &material, Manner manner) {
    Session session(subject, material, manner);
    session.require_negotiated();
    play(session);
    session.require_content_from(0);
    session.graph->stop();
    session.require_at_rest();
    session.close_whole();
}

// Stop after the end, then again from the start; and once more.
void runs_again_after_stop(const Subject &subject, const Material &material) {
    Session session(subject, material);
    for (int round = 0; round < 3; ++round) {
        play(session);
        session.require_content_from(0);
        session.graph->stop();
        session.require_at_rest();
        session.graph->seek(0);
    }
    session.close_whole();
}

// Every call that upstream makes on the allocator: one GetBuffer for each sample, one Decommit after the last.
void upstream_takes_every_sample_from_it(const Subject &subject, const Material &material) {
    Manner manner;
    manner.watched = true;
    manner.renderer_decommits = false;
    Session session(subject, material, manner);
    play(session);
    session.require_content_from(0);
    session.graph->stop();
    for (const End &end : session.ends) {
        Calls calls = end.watch->calls();
        Record record = end.renderer->record();
        require(calls.set_properties > 0, "upstream sets the properties");
        require(calls.commit > 1, "upstream commits, beside the renderer");
        require(calls.get_buffer_waiting == record.samples,
                digits(calls.get_buffer_waiting) + " calls of GetBuffer, " + digits(record.samples) + " samples");
        require(calls.get_buffer_failed == 0, "no waiting GetBuffer fails");
        require(calls.decommit > 0, "upstream decommits");
        // Beside those that were taken to learn which there are.
        ALLOCATOR_PROPERTIES properties = {};
        end.allocator->GetProperties(&properties);
        require(!end.notice ||
                    end.notice->samples_home() == record.samples + static_cast<unsigned>(properties.cBuffers),
                "every sample that comes home is told of");
    }
    session.require_at_rest();
    session.close_whole();
}

// The renderer keeps every sample, so the thread upstream waits in GetBuffer when the graph is stopped. Who is first to
// decommit ends its wait.
void stops_while_upstream_waits(const Subject &subject, const Material &material, bool renderer_decommits) {
    Manner manner;
    manner.watched = true;
    manner.keeps_samples = true;
    manner.renderer_decommits = renderer_decommits;
    Session session(subject, material, manner);
    session.graph->run();
    for (const End &end : session.ends) {
        end.renderer->wait_until_all_kept();
        end.watch->wait_until_one_waits();
    }
    session.graph->stop();
    for (const End &end : session.ends) {
        Calls calls = end.watch->calls();
        require(calls.waiting == 0, "GetBuffer came back");
        // An upstream filter that is not stopped yet may try again.
        require(calls.get_buffer_failed == 1 || (renderer_decommits && calls.get_buffer_failed > 1),
                "GetBuffer fails in " + digits(calls.get_buffer_failed) + " calls");
        // What the samples hold is good until they are released, whatever became of the stream.
        auto kept = end.renderer->take_kept();
        size_t offset = 0;
        for (const auto &sample : kept) {
            BYTE *content = nullptr;
            require_ok(sample->GetPointer(&content), "GetPointer of a sample that is kept");
            size_t length = static_cast<size_t>(sample->GetActualDataLength());
            require(std::equal(content, content + length, end.stream->content.begin() + static_cast<ptrdiff_t>(offset)),
                    "a sample that is kept has its content still");
            offset += length;
        }
        ALLOCATOR_PROPERTIES properties = {}, actual;
        end.allocator->GetProperties(&properties);
        require(end.allocator->SetProperties(&properties, &actual) == VFW_E_BUFFERS_OUTSTANDING,
                "the allocator knows of the samples that are out");
    }
    session.require_at_rest();
    // The same graph plays on, with nothing kept.
    session.graph->seek(0);
    play(session);
    session.require_content_from(0);
    session.graph->stop();
    session.require_at_rest();
    session.close_whole();
}

// From the middle, sought while the graph is stopped.
void plays_from_the_middle(const Subject &subject, const Material &material) {
    Session session(subject, material);
    session.graph->seek(material.middle);
    play(session);
    session.require_content_from(material.middle);
    session.graph->stop();
    session.require_at_rest();
    session.close_whole();
}

// To the middle, while samples flow.
void seeks_with_flush(const Subject &subject, const Material &material) {
    Session session(subject, material);
    session.graph->run();
    session.ends[0].renderer->wait_until([](const Record &record) { return record.samples >= 2; });
    session.graph->seek(material.middle);
    session.wait_for_the_end();
    session.require_content_from(material.middle);
    for (const End &end : session.ends) {
        Record record = end.renderer->record();
        require(record.flushes_begun > 0 && record.flushes_begun == record.flushes_ended,
                "every flush begins and ends");
    }
    session.graph->stop();
    session.require_at_rest();
    session.close_whole();
}

// To the middle, while upstream waits in GetBuffer: the flush gives the samples back and the wait ends.
void seeks_while_upstream_waits(const Subject &subject, const Material &material) {
    Manner manner;
    manner.watched = true;
    manner.keeps_samples = true;
    Session session(subject, material, manner);
    session.graph->run();
    for (const End &end : session.ends) {
        end.renderer->wait_until_all_kept();
        end.watch->wait_until_one_waits();
    }
    session.graph->seek(material.middle);
    session.wait_for_the_end();
    session.require_content_from(material.middle);
    session.graph->stop();
    session.require_at_rest();
    session.close_whole();
}

// A client keeps samples longer than the graph, its own reference to the allocator and everything else.
void samples_outlive_the_graph(const Subject &subject, const Material &material) {
    Manner manner;
    manner.keeps_samples = true;
    Session session(subject, material, manner);
    session.graph->run();
    for (const End &end : session.ends) {
        end.renderer->wait_until_all_kept();
    }
    session.graph->stop();
    std::vector<std::vector<Reference<IMediaSample>>> kept;
    for (const End &end : session.ends) {
        kept.push_back(end.renderer->take_kept());
    }
    session.close();
    require(session.release_allocators() != 0, "an allocator whose samples are out lives on");
    for (size_t end = 0; end < kept.size(); ++end) {
        const Bytes &content = session.ends[end].stream->content;
        size_t offset = 0;
        for (const auto &sample : kept[end]) {
            BYTE *bytes = nullptr;
            require_ok(sample->GetPointer(&bytes), "GetPointer of a sample that is kept");
            size_t length = static_cast<size_t>(sample->GetActualDataLength());
            require(std::equal(bytes, bytes + length, content.begin() + static_cast<ptrdiff_t>(offset)),
                    "a sample that is kept has its content still");
            offset += length;
        }
        for (auto &sample : kept[end]) {
            require(sample.reset() == 0, "a sample goes home with its last reference");
        }
    }
    session.require_destroyed();
}

int run_cases(const Subject &subject, const std::string &part) {
    Cases cases(part);
    for (const Material &material :
         {wave_material(), yuy2_material(), rgb24_material(), picture_and_sound_material()}) {
        auto run = [&](const char *name, const std::function<void()> &body) {
            cases.run(material.name + "_" + name, body);
        };
        run("plays_to_the_end", [&] { plays_to_the_end(subject, material, {}); });
        run("plays_by_render_file", [&] {
            Manner manner;
            manner.by_render_file = true;
            plays_to_the_end(subject, material, manner);
        });
        run("takes_every_sample_from_it", [&] { upstream_takes_every_sample_from_it(subject, material); });
        run("runs_again_after_stop", [&] { runs_again_after_stop(subject, material); });
        run("stops_while_upstream_waits", [&] { stops_while_upstream_waits(subject, material, false); });
        run("stops_by_the_renderer_while_upstream_waits", [&] { stops_while_upstream_waits(subject, material, true); });
        run("plays_from_the_middle", [&] { plays_from_the_middle(subject, material); });
        if (material.streams.size() == 1) {
            run("seeks_with_flush", [&] { seeks_with_flush(subject, material); });
            run("seeks_while_upstream_waits", [&] { seeks_while_upstream_waits(subject, material); });
        } else {
            // Measured with its own allocator: most such seeks never end.
            const char *reason = "Wine 8's AVI splitter stalls in a flushing seek of two streams";
            cases.ignore(material.name + "_seeks_with_flush", reason);
            cases.ignore(material.name + "_seeks_while_upstream_waits", reason);
        }
        if (subject.is_system()) {
            cases.ignore(material.name + "_samples_outlive_the_graph", "its allocator goes before its samples");
        } else {
            run("samples_outlive_the_graph", [&] { samples_outlive_the_graph(subject, material); });
        }
    }
    return cases.finish();
}

} // namespace

int main(int count, char **arguments) {
    if (count != 2 && count != 3) {
        std::fprintf(stderr, "directshow (DLL | --quartz) [PART]\n");
        return 2;
    }
    ComRuntime com;
    try {
        return run_cases(Subject(arguments[1]), count == 3 ? arguments[2] : "");
    } catch (const Unusable &reason) {
        std::fprintf(stderr, "directshow: %s\n", reason.what());
        return 2;
    }
}
