#include "side.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace {

const GUID unknown_interface = {0x0e1f3c52, 0x1d57, 0x4e0b, {0x9a, 0x11, 0x6f, 0x20, 0x33, 0x84, 0x55, 0x01}};

void give(Outcome &outcome, const ALLOCATOR_PROPERTIES &properties) {
    outcome.given.insert(outcome.given.end(),
                         {properties.cBuffers, properties.cbBuffer, properties.cbAlign, properties.cbPrefix});
}

void give_bytes(Outcome &outcome, const void *bytes, size_t count) {
    auto *from = static_cast<const BYTE *>(bytes);
    outcome.given.insert(outcome.given.end(), from, from + count);
}

BYTE format_block[8] = {1, 2, 3, 4, 5, 6, 7, 8};

AM_MEDIA_TYPE media_type(int64_t which) {
    AM_MEDIA_TYPE type = {};
    type.majortype = MEDIATYPE_Video;
    type.subtype = MEDIASUBTYPE_YUY2;
    type.lSampleSize = static_cast<ULONG>(which);
    type.bFixedSizeSamples = TRUE;
    if (which == 1) {
        type.formattype = FORMAT_VideoInfo;
        type.cbFormat = sizeof format_block;
        type.pbFormat = format_block;
    }
    return type;
}

// A media type without its addresses.
void give(Outcome &outcome, const AM_MEDIA_TYPE *type) {
    outcome.given.push_back(type != nullptr);
    if (type != nullptr) {
        give_bytes(outcome, &type->majortype, sizeof type->majortype);
        give_bytes(outcome, &type->subtype, sizeof type->subtype);
        give_bytes(outcome, &type->formattype, sizeof type->formattype);
        outcome.given.insert(outcome.given.end(),
                             {static_cast<int64_t>(type->lSampleSize), type->bFixedSizeSamples,
                              type->bTemporalCompression, type->pUnk != nullptr, static_cast<int64_t>(type->cbFormat)});
        give_bytes(outcome, type->pbFormat, type->pbFormat != nullptr ? type->cbFormat : 0);
    }
}

template <typename Object> Outcome query(Object *object, const GUID &id, bool identity) {
    Outcome outcome;
    Reference<IUnknown> found;
    outcome.done = true;
    outcome.answer = object->QueryInterface(id, found.put_void());
    outcome.given.push_back(found.get() != nullptr);
    if (identity) {
        // Of one object there is one IUnknown.
        Reference<IUnknown> again;
        object->QueryInterface(id, again.put_void());
        outcome.given.push_back(found.get() == again.get());
    }
    return outcome;
}

// The members of a sample's properties that are wholly among the first `covered` bytes. Pointers are said by what they
// point to; a time that the flags call invalid means nothing.
void give(Outcome &outcome, const AM_SAMPLE2_PROPERTIES &properties, size_t covered, IMediaSample *sample) {
    const auto give_member = [&](size_t offset, size_t size, int64_t value) {
        if (covered >= offset + size) {
            outcome.given.push_back(value);
        }
    };
#define MEMBER(name) offsetof(AM_SAMPLE2_PROPERTIES, name), sizeof properties.name
    const DWORD flags = properties.dwSampleFlags;
    give_member(MEMBER(cbData), properties.cbData);
    give_member(MEMBER(dwTypeSpecificFlags), properties.dwTypeSpecificFlags);
    give_member(MEMBER(dwSampleFlags), flags);
    give_member(MEMBER(lActual), properties.lActual);
    give_member(MEMBER(tStart), flags & AM_SAMPLE_TIMEVALID ? properties.tStart : 0);
    give_member(MEMBER(tStop), flags & AM_SAMPLE_STOPVALID ? properties.tStop : 0);
    give_member(MEMBER(dwStreamId), properties.dwStreamId);
    BYTE *content = nullptr;
    sample->GetPointer(&content);
    give_member(MEMBER(pbBuffer), properties.pbBuffer == content);
    give_member(MEMBER(cbBuffer), properties.cbBuffer);
    if (covered == sizeof properties) {
        give(outcome, properties.pMediaType);
    }
#undef MEMBER
}

Outcome get_sample_properties(IMediaSample2 *sample, int64_t bytes) {
    // Longer than the structure, and filled, so that a write too far shows.
    union {
        AM_SAMPLE2_PROPERTIES properties;
        BYTE raw[128];
    } buffer;
    std::memset(buffer.raw, 0xA5, sizeof buffer.raw);
    Outcome outcome;
    outcome.done = true;
    outcome.answer = sample->GetProperties(static_cast<DWORD>(bytes), buffer.raw);
    const size_t covered = std::min<size_t>(static_cast<size_t>(bytes), sizeof(AM_SAMPLE2_PROPERTIES));
    give(outcome, buffer.properties, covered, sample);
    for (size_t beyond = covered; beyond < sizeof buffer.raw; ++beyond) {
        if (buffer.raw[beyond] != 0xA5) {
            outcome.given.push_back(-static_cast<int64_t>(beyond));
        }
    }
    return outcome;
}

// Starts from what the sample has and changes what the bits of `changes` say.
Outcome set_sample_properties(IMediaSample2 *sample, int64_t bytes, int64_t changes) {
    AM_SAMPLE2_PROPERTIES properties = {};
    sample->GetProperties(sizeof properties, reinterpret_cast<BYTE *>(&properties));
    if (changes & 1) {
        properties.dwSampleFlags ^= AM_SAMPLE_SPLICEPOINT;
    }
    if (changes & 2) {
        properties.dwSampleFlags |= AM_SAMPLE_TIMEVALID;
        properties.tStart = 77;
    }
    if (changes & 4) {
        properties.dwSampleFlags |= AM_SAMPLE_TIMEVALID | AM_SAMPLE_STOPVALID;
        properties.tStop = 99;
    }
    if (changes & 8) {
        properties.lActual = properties.lActual / 2;
    }
    properties.dwTypeSpecificFlags = changes & 16 ? 3 : 0;
    properties.dwStreamId = changes & 32 ? 1 : 0;
    if (changes & 64) {
        properties.dwSampleFlags |= AM_SAMPLE_TYPECHANGED; // and the type it has, which may be none
    }
    if ((changes & 0x180) == 0x180) {
        properties.dwSampleFlags |= 0x4000; // a bit that means nothing
    }
    if ((changes & 0x600) == 0x600) {
        properties.cbBuffer += 1;
    }
    if ((changes & 0xC00) == 0xC00) {
        properties.cbData = sizeof properties + 8;
    } else {
        properties.cbData = static_cast<DWORD>(std::min<int64_t>(bytes, sizeof properties));
    }
    Outcome outcome;
    outcome.done = true;
    outcome.answer = sample->SetProperties(static_cast<DWORD>(bytes), reinterpret_cast<BYTE *>(&properties));
    return outcome;
}

} // namespace

std::string to_string(const Outcome &outcome) {
    if (!outcome.done) {
        return "nothing";
    }
    std::ostringstream text;
    if (outcome.answer < 0 || outcome.answer > 0xFFFF) {
        text << "0x" << std::hex << std::uppercase << static_cast<uint32_t>(outcome.answer) << std::dec;
    } else {
        text << outcome.answer;
    }
    for (int64_t number : outcome.given) {
        text << " " << number;
    }
    return text.str();
}

Side::~Side() { close(); }

ULONG Side::close() {
    for (Slot &slot : samples) {
        while (slot.sample != nullptr && slot.sample->Release() != 0) {
        }
        slot.sample = nullptr;
    }
    if (allocator) {
        allocator->Decommit();
    }
    return allocator.reset();
}

Outcome Side::make(const Call &call) {
    const int64_t *numbers = call.numbers;
    Outcome outcome;
    outcome.done = true;
    switch (call.method) {
    case Method::set_properties: {
        ALLOCATOR_PROPERTIES request = {static_cast<LONG>(numbers[0]), static_cast<LONG>(numbers[1]),
                                        static_cast<LONG>(numbers[2]), static_cast<LONG>(numbers[3])};
        const ALLOCATOR_PROPERTIES copy = request;
        ALLOCATOR_PROPERTIES actual = {-1, -1, -1, -1};
        outcome.answer = allocator->SetProperties(&request, &actual);
        give(outcome, actual);
        outcome.given.push_back(std::memcmp(&request, &copy, sizeof copy) == 0);
        return outcome;
    }
    case Method::get_properties: {
        ALLOCATOR_PROPERTIES properties = {-1, -1, -1, -1};
        outcome.answer = allocator->GetProperties(&properties);
        give(outcome, properties);
        return outcome;
    }
    case Method::commit:
        outcome.answer = allocator->Commit();
        return outcome;
    case Method::decommit:
        outcome.answer = allocator->Decommit();
        return outcome;
    case Method::query_interface: {
        const GUID ids[] = {__uuidof(IUnknown), __uuidof(IMemAllocator), __uuidof(IMemAllocatorCallbackTemp),
                            unknown_interface};
        return query(allocator.get(), ids[numbers[0]], numbers[0] == 0);
    }
    case Method::add_ref:
        outcome.answer = allocator->AddRef();
        outcome.given.push_back(allocator->Release());
        return outcome;
    case Method::get_free_count: {
        auto counting = allocator.query<IMemAllocatorCallbackTemp>();
        LONG free = -1;
        outcome.answer = counting ? counting->GetFreeCount(&free) : E_NOINTERFACE;
        outcome.given.push_back(free);
        return outcome;
    }
    default:
        break;
    }
    Slot &slot = samples[numbers[0]];
    if (call.method == Method::get_buffer) {
        if (slot.sample != nullptr) {
            return {};
        }
        REFERENCE_TIME start = 5;
        REFERENCE_TIME stop = 6;
        const bool times = numbers[2] != 0;
        // Not null before, so that a failure that leaves it shows.
        IMediaSample *sample = reinterpret_cast<IMediaSample *>(&slot);
        outcome.answer = allocator->GetBuffer(&sample, times ? &start : nullptr, times ? &stop : nullptr,
                                              static_cast<DWORD>(numbers[1]) | AM_GBF_NOWAIT);
        outcome.given.push_back(sample != nullptr);
        if (SUCCEEDED(outcome.answer)) {
            slot = {sample, -1};
            sample->AddRef();
            outcome.given.push_back(sample->Release());
        }
        return outcome;
    }
    return slot.sample != nullptr ? make_on_sample(call, slot) : Outcome{};
}

Outcome Side::make_on_sample(const Call &call, Slot &slot) {
    const int64_t *numbers = call.numbers;
    IMediaSample *sample = slot.sample;
    auto *sample2 = static_cast<IMediaSample2 *>(sample);
    Outcome outcome;
    outcome.done = true;
    REFERENCE_TIME start = numbers[2];
    REFERENCE_TIME stop = numbers[4];
    REFERENCE_TIME *start_given = numbers[1] != 0 ? &start : nullptr;
    REFERENCE_TIME *stop_given = numbers[3] != 0 ? &stop : nullptr;
    switch (call.method) {
    case Method::sample_query_interface: {
        const GUID ids[] = {__uuidof(IUnknown), __uuidof(IMediaSample), __uuidof(IMediaSample2), unknown_interface};
        return query(sample, ids[numbers[1]], true);
    }
    case Method::sample_add_ref:
        outcome.answer = sample->AddRef();
        break;
    case Method::sample_release:
        outcome.answer = sample->Release();
        if (outcome.answer == 0) {
            slot = {};
        }
        break;
    case Method::get_pointer: {
        BYTE *content = nullptr;
        outcome.answer = sample->GetPointer(&content);
        ALLOCATOR_PROPERTIES properties = {};
        allocator->GetProperties(&properties);
        outcome.given.push_back(content != nullptr);
        outcome.given.push_back(
            static_cast<int64_t>((reinterpret_cast<uintptr_t>(content) - static_cast<uintptr_t>(properties.cbPrefix)) %
                                 static_cast<uintptr_t>(properties.cbAlign)));
        break;
    }
    case Method::get_size:
        outcome.answer = sample->GetSize();
        break;
    case Method::get_time:
        start = stop = -12345;
        outcome.answer = sample->GetTime(&start, &stop);
        outcome.given = {start, stop};
        break;
    case Method::set_time:
        outcome.answer = sample->SetTime(start_given, stop_given);
        break;
    case Method::get_media_time:
        start = stop = -12345;
        outcome.answer = sample->GetMediaTime(&start, &stop);
        outcome.given = {start, stop};
        break;
    case Method::set_media_time:
        outcome.answer = sample->SetMediaTime(start_given, stop_given);
        break;
    case Method::is_sync_point:
        outcome.answer = sample->IsSyncPoint();
        break;
    case Method::set_sync_point:
        outcome.answer = sample->SetSyncPoint(static_cast<BOOL>(numbers[1]));
        break;
    case Method::is_preroll:
        outcome.answer = sample->IsPreroll();
        break;
    case Method::set_preroll:
        outcome.answer = sample->SetPreroll(static_cast<BOOL>(numbers[1]));
        break;
    case Method::is_discontinuity:
        outcome.answer = sample->IsDiscontinuity();
        break;
    case Method::set_discontinuity:
        outcome.answer = sample->SetDiscontinuity(static_cast<BOOL>(numbers[1]));
        break;
    case Method::get_length:
        outcome.answer = sample->GetActualDataLength();
        break;
    case Method::set_length:
        outcome.answer = sample->SetActualDataLength(static_cast<LONG>(numbers[1]));
        break;
    case Method::get_media_type: {
        AM_MEDIA_TYPE *type = reinterpret_cast<AM_MEDIA_TYPE *>(&slot);
        outcome.answer = sample->GetMediaType(&type);
        give(outcome, type);
        if (type != nullptr) {
            CoTaskMemFree(type->pbFormat);
            CoTaskMemFree(type);
        }
        break;
    }
    case Method::set_media_type: {
        AM_MEDIA_TYPE type = media_type(numbers[1]);
        outcome.answer = sample->SetMediaType(numbers[1] != 0 ? &type : nullptr);
        break;
    }
    case Method::sample_get_properties:
        return get_sample_properties(sample2, numbers[1]);
    case Method::sample_set_properties:
        return set_sample_properties(sample2, numbers[1], numbers[2]);
    case Method::write:
    case Method::read: {
        BYTE *content = nullptr;
        outcome.answer = sample->GetPointer(&content);
        ALLOCATOR_PROPERTIES properties = {};
        allocator->GetProperties(&properties);
        if (properties.cbPrefix < 0) {
            break; // the system's samples begin before their memory then
        }
        const size_t size = std::min<size_t>(static_cast<size_t>(sample->GetSize()), 65536);
        if (call.method == Method::write) {
            std::memset(content, static_cast<int>(numbers[1]), size);
            slot.written = static_cast<int>(numbers[1]);
        } else if (slot.written >= 0) {
            outcome.given.push_back(
                std::all_of(content, content + size, [&](BYTE byte) { return byte == slot.written; }));
        }
        break;
    }
    default:
        break;
    }
    return outcome;
}
