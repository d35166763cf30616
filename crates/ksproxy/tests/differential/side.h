// One of the two allocators, and what came of the calls on it.
#pragma once

#include "../windows/reference.h"
#include "calls.h"

#include <dshow.h>
#include <string>
#include <vector>

// What a call answered and gave, without anything that may differ between two allocators, such as addresses.
struct Outcome {
    bool done = false;  // false: there was no sample to do it on
    int64_t answer = 0; // HRESULT or number
    std::vector<int64_t> given;

    bool operator==(const Outcome &other) const {
        return done == other.done && answer == other.answer && given == other.given;
    }
};

std::string to_string(const Outcome &outcome);

// The order in which the members of a sample's properties are given, as far as the call covers them.
namespace SampleProperties {
enum Member : size_t { length, type_specific_flags, flags, data_length, start, stop, stream_id };
}

class Side {
public:
    explicit Side(Reference<IMemAllocator> made) : allocator(std::move(made)) {}
    ~Side();
    Side(const Side &) = delete;
    Side &operator=(const Side &) = delete;

    Outcome make(const Call &call);

    // Ends as clients should; the answer is that of the last Release, 0 where nothing is left.
    ULONG close();

private:
    struct Slot {
        IMediaSample *sample = nullptr;
        int written = -1;
    };

    Outcome make_on_sample(const Call &call, Slot &slot);

    Reference<IMemAllocator> allocator;
    Slot samples[slots];
};
