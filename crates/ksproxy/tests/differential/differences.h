// Where the allocator under test is meant to differ from the system's.
#pragma once

#include "side.h"

#include <vector>

// What is known when a call is made, by the answers so far.
struct Situation {
    bool committed = false; // both are
    int out = 0;            // samples that are out of each
    Call properties = {Method::set_properties, {}}; // the last that both took
};

// One known difference.
struct Difference {
    const char *name;
    const char *reason;
    // Whether it explains that the two outcomes of a call are not the same.
    bool (*explains)(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs);
    // Whether the two are in different states from then on, so that nothing further can be compared.
    bool parts;
};

const std::vector<Difference> &known_differences();

// The name under which the choice of the free sample is counted: it shows in no call's outcome.
extern const char *const choice_of_sample;
