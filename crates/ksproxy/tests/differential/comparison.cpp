#include "comparison.h"

#include <algorithm>

namespace {

// Follows the calls that change what the differences ask for.
void follow(Situation &situation, const Call &call, const Outcome &outcome) {
    const int64_t slot = call.method >= Method::get_buffer ? call.numbers[0] : 0;
    switch (call.method) {
    case Method::set_properties:
        if (outcome.answer == S_OK) {
            situation.count = call.numbers[0];
            situation.size = call.numbers[1];
            situation.align = call.numbers[2];
            situation.prefix = call.numbers[3];
        }
        break;
    case Method::commit:
        situation.committed = situation.committed || outcome.answer == S_OK;
        break;
    case Method::decommit:
        situation.committed = false;
        break;
    case Method::get_buffer:
        situation.out += outcome.answer == S_OK;
        situation.type_specific_flags_set[slot] = situation.stream_id_set[slot] = false;
        break;
    case Method::sample_set_properties:
        if (outcome.answer == S_OK) {
            const auto covered = [&](size_t offset) { return call.numbers[1] >= static_cast<int64_t>(offset + 4); };
            situation.type_specific_flags_set[slot] |= covered(offsetof(AM_SAMPLE2_PROPERTIES, dwTypeSpecificFlags));
            situation.stream_id_set[slot] |= covered(offsetof(AM_SAMPLE2_PROPERTIES, dwStreamId));
        }
        break;
    case Method::sample_release:
        situation.out -= outcome.answer == 0;
        break;
    default:
        break;
    }
}

} // namespace

const Difference *Comparison::explanation(const Situation &situation, const Call &call, const Outcome &ours,
                                          const Outcome &theirs) const {
    auto found = std::find_if(known.begin(), known.end(), [&](const Difference &difference) {
        return difference.explains(situation, call, ours, theirs);
    });
    return found != known.end() ? &*found : nullptr;
}

std::optional<Divergence> Comparison::run(const std::vector<Call> &calls, Tally &tally) const {
    Side ours(make_ours());
    Side theirs(make_theirs());
    Situation situation;
    for (size_t index = 0; index < calls.size(); ++index) {
        const Call &call = calls[index];
        const Outcome here = ours.make(call);
        const Outcome there = theirs.make(call);
        if (!(here == there)) {
            const Difference *difference = explanation(situation, call, here, there);
            if (difference == nullptr) {
                return Divergence{index, here, there};
            }
            ++tally[difference->name];
            if (difference->parts) {
                return {};
            }
        }
        if (here.done) {
            follow(situation, call, here);
        }
    }
    Outcome here = {true, 0, {}};
    Outcome there = here;
    here.answer = ours.close();
    there.answer = theirs.close();
    if (here.answer != 0 || there.answer != 0) {
        return Divergence{calls.size(), here, there};
    }
    return {};
}

std::vector<Call> Comparison::shorten(std::vector<Call> calls) const {
    auto diverges = [this](const std::vector<Call> &tried) {
        Tally ignored;
        return run(tried, ignored).has_value();
    };
    for (size_t step = std::max<size_t>(calls.size() / 2, 1);; step = std::max<size_t>(step / 2, 1)) {
        bool shorter = false;
        for (size_t from = 0; from < calls.size();) {
            std::vector<Call> tried = calls;
            auto first = tried.begin() + static_cast<ptrdiff_t>(from);
            tried.erase(first, first + static_cast<ptrdiff_t>(std::min(step, calls.size() - from)));
            if (diverges(tried)) {
                calls = std::move(tried);
                shorter = true;
            } else {
                from += step;
            }
        }
        if (step == 1 && !shorter) {
            return calls;
        }
    }
}

std::string Comparison::describe(const std::vector<Call> &calls) const {
    Tally ignored;
    auto divergence = run(calls, ignored);
    std::string text;
    for (size_t index = 0; index <= calls.size(); ++index) {
        text += "  " + (index < calls.size() ? to_string(calls[index]) : "the last Release") + "\n";
        if (divergence && divergence->call == index) {
            text += "    ours:   " + to_string(divergence->ours) + "\n    theirs: " + to_string(divergence->theirs);
            break;
        }
    }
    return text;
}
