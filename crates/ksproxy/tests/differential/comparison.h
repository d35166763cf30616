// The same calls on two allocators.
#pragma once

#include "differences.h"

#include <functional>
#include <map>
#include <optional>
#include <string>

using Maker = std::function<Reference<IMemAllocator>()>;

// The first call whose outcomes differ where they must not.
struct Divergence {
    size_t call;
    Outcome ours;
    Outcome theirs;
};

// How often each known difference was met.
using Tally = std::map<std::string, unsigned>;

class Comparison {
public:
    // Without `differences` the two must agree in everything.
    Comparison(Maker ours, Maker theirs, const std::vector<Difference> &differences)
        : make_ours(std::move(ours)), make_theirs(std::move(theirs)), known(differences) {}

    std::optional<Divergence> run(const std::vector<Call> &calls, Tally &tally) const;

    // The shortest sequence found that still diverges, by leaving calls out of one that does.
    std::vector<Call> shorten(std::vector<Call> calls) const;

    // The calls in lines, up to the one that diverges, with both outcomes.
    std::string describe(const std::vector<Call> &calls) const;

private:
    const Difference *explanation(const Situation &situation, const Call &call, const Outcome &ours,
                                  const Outcome &theirs) const;

    Maker make_ours;
    Maker make_theirs;
    const std::vector<Difference> &known;
};
