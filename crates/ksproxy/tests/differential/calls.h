// Calls as data: random sequences of them can be made, printed, shortened and made again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

enum class Method {
    set_properties, // count, size, align, prefix
    get_properties,
    commit,
    decommit,
    query_interface, // 0: IUnknown, 1: IMemAllocator, 2: IMemAllocatorCallbackTemp, 3: an unknown one
    add_ref,         // and Release at once: both counts
    get_free_count,
    get_buffer, // slot, further flags beside AM_GBF_NOWAIT, whether times are given

    // All below: slot first. A call on a slot that has no sample does nothing.
    sample_query_interface, // 0: IUnknown, 1: IMediaSample, 2: IMediaSample2, 3: an unknown one
    sample_add_ref,
    sample_release,
    get_pointer,
    get_size,
    get_time,
    set_time, // whether there is a start, start, whether there is a stop, stop
    get_media_time,
    set_media_time, // as set_time
    is_sync_point,
    set_sync_point, // what
    is_preroll,
    set_preroll,
    is_discontinuity,
    set_discontinuity,
    get_length,
    set_length, // what
    get_media_type,
    set_media_type,        // 0: none, 1 and 2: two of them, the second without a format block
    sample_get_properties, // bytes
    sample_set_properties, // bytes, which change (see Side)
    write,                 // fills the buffer with a number
    read,                  // looks whether it is still there
};

struct Call {
    Method method;
    int64_t numbers[5];
};

std::string to_string(const Call &call);

// The numbers of one seed, the same on every machine.
class Random {
public:
    explicit Random(uint64_t seed) : state(seed) {}
    uint64_t next();
    // From 0 to below `limit`.
    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(next() % limit); }
    bool one_in(uint32_t many) { return below(many) == 0; }
    template <size_t Count> int64_t one_of(const int64_t (&list)[Count]) { return list[below(Count)]; }

private:
    uint64_t state;
};

// Samples a sequence can hold at once. Few, so that most calls meet one.
constexpr int64_t slots = 3;

std::vector<Call> random_calls(Random &random);
