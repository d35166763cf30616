// Where the allocator under test is meant to differ from the system's.
#pragma once

#include "side.h"

#include <vector>

// What is known when a call is made, by the answers so far.
struct Situation {
    bool committed = false; // both are
    int out = 0;            // samples that are out of each
    // The last that both took.
    int64_t count = 0;
    int64_t size = 0;
    int64_t align = 0;
    int64_t prefix = 0;
    // Of the sample in each slot, whether SetProperties set it since it was given out.
    bool type_specific_flags_set[slots] = {};
    bool stream_id_set[slots] = {};
};

// One known difference.
struct Difference {
    const char *name;
    const char *reason;
    // Whether it explains that the two outcomes of a call are not the same.
    bool (*explains)(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs);
    // Calls that show it.
    std::vector<Call> example;
    // Whether the two are in different states from then on, so that nothing further can be compared.
    bool parts;
};

const std::vector<Difference> &known_differences();
