#include "differences.h"

#include <algorithm>

namespace {

using Numbers = std::vector<int64_t>;

bool refused(const Outcome &outcome) { return outcome.answer < 0; }

int64_t rounded_up(int64_t number, int64_t to) { return (number + to - 1) / to * to; }

bool is_power_of_two(int64_t number) { return number > 0 && (number & (number - 1)) == 0; }

bool pActual_of_a_refusal(const Situation &, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return call.method == Method::set_properties && refused(ours) && ours.answer == theirs.answer &&
           ours.given == Numbers{0, 0, 0, 0, 1} && theirs.given == Numbers{-1, -1, -1, -1, 1};
}

bool reason_of_a_refusal(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs) {
    if (call.method != Method::set_properties || !refused(ours) || !refused(theirs)) {
        return false;
    }
    const bool bad_align = !is_power_of_two(call.numbers[2]) || call.numbers[2] > 65536;
    const HRESULT first = bad_align             ? VFW_E_BADALIGN
                          : situation.committed ? VFW_E_ALREADY_COMMITTED
                                                : VFW_E_BUFFERS_OUTSTANDING;
    const HRESULT last = situation.out != 0    ? VFW_E_BUFFERS_OUTSTANDING
                         : situation.committed ? VFW_E_ALREADY_COMMITTED
                                               : VFW_E_BADALIGN;
    return ours.answer == first && theirs.answer == last;
}

bool alignment_that_is_none(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return call.method == Method::set_properties && !situation.committed && situation.out == 0 &&
           (!is_power_of_two(call.numbers[2]) || call.numbers[2] > 65536) && ours.answer == VFW_E_BADALIGN &&
           theirs.answer == S_OK;
}

bool rounding(const Situation &, const Call &call, const Outcome &ours, const Outcome &theirs) {
    const int64_t *asked = call.numbers;
    return call.method == Method::set_properties && ours.answer == S_OK && theirs.answer == S_OK &&
           theirs.given == Numbers{asked[0], asked[1], asked[2], asked[3], 1} &&
           ours.given == Numbers{asked[0], rounded_up(asked[1] + asked[3], asked[2]) - asked[3], asked[2], asked[3], 1};
}

bool reason_of_commit(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return call.method == Method::commit && (situation.count <= 0 || situation.size <= 0) &&
           ours.answer == VFW_E_SIZENOTSET &&
           (theirs.answer == VFW_E_BADALIGN || theirs.answer == VFW_E_BUFFER_NOTSET || theirs.answer == E_INVALIDARG);
}

bool alignment_above_a_page(const Situation &situation, const Call &call, const Outcome &, const Outcome &theirs) {
    return call.method == Method::commit && situation.align > 4096 && theirs.answer == VFW_E_BADALIGN;
}

bool negative_prefix(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return call.method == Method::commit && situation.prefix < 0 && ours.answer == E_OUTOFMEMORY &&
           theirs.answer == S_OK;
}

bool callback_interface(const Situation &, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return (call.method == Method::get_free_count ||
            (call.method == Method::query_interface && call.numbers[0] == 2)) &&
           ours.answer == S_OK && theirs.answer == E_NOINTERFACE;
}

bool reference_to_itself(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return call.method == Method::add_ref && (situation.committed || situation.out != 0) &&
           ours.answer == theirs.answer + 1 && ours.given[0] == theirs.given[0] + 1;
}

// Whether a member of a sample's properties differs in a known way.
bool may_differ(const Situation &situation, const Call &call, size_t member, const Outcome &ours,
                const Outcome &theirs) {
    const int64_t here = ours.given[member];
    const int64_t there = theirs.given[member];
    const int64_t slot = call.numbers[0];
    switch (member) {
    case SampleProperties::length:
        return here == std::min<int64_t>(call.numbers[1], sizeof(AM_SAMPLE2_PROPERTIES));
    case SampleProperties::type_specific_flags:
        return here == 0 && !situation.type_specific_flags_set[slot];
    case SampleProperties::stream_id:
        return here == 0 && !situation.stream_id_set[slot];
    case SampleProperties::flags:
        return (here & AM_SAMPLE_TYPECHANGED) == 0 && there == (here | AM_SAMPLE_TYPECHANGED);
    default:
        return false;
    }
}

// Whether one member differs, and with it only what may.
template <SampleProperties::Member... Members>
bool sample_properties(const Situation &situation, const Call &call, const Outcome &ours, const Outcome &theirs) {
    if (call.method != Method::sample_get_properties || ours.answer != theirs.answer ||
        ours.given.size() != theirs.given.size()) {
        return false;
    }
    bool differs = false;
    for (size_t member = 0; member < ours.given.size(); ++member) {
        if (ours.given[member] != theirs.given[member]) {
            if (!may_differ(situation, call, member, ours, theirs)) {
                return false;
            }
            differs = differs || ((member == Members) || ...);
        }
    }
    return differs;
}

bool checks_of_sample_properties(const Situation &, const Call &call, const Outcome &ours, const Outcome &theirs) {
    return call.method == Method::sample_set_properties && (ours.answer == E_INVALIDARG || ours.answer == E_POINTER) &&
           theirs.answer == S_OK;
}

} // namespace

const std::vector<Difference> &known_differences() {
    const Call properties = {Method::set_properties, {1, 16, 1, 0}};
    const Call commit = {Method::commit, {}};
    const Call get_buffer = {Method::get_buffer, {0}};
    const Call release = {Method::sample_release, {0}};
    const int64_t whole = sizeof(AM_SAMPLE2_PROPERTIES);
    const Call sample_properties_whole = {Method::sample_get_properties, {0, whole}};
    // Bits of `changes`, see set_sample_properties in side.cpp.
    const int64_t type_specific_flags = 16;
    const int64_t type_changed = 64;
    const int64_t unknown_flag = 0x180;

    static const std::vector<Difference> list = {
        {"pActual of a refused SetProperties",
         "Ours zeroes it (31); Wine's leaves it as it was. Nobody may read it.",
         pActual_of_a_refusal,
         {{Method::set_properties, {1, 16, 0, 0}}},
         false},
        {"which of several reasons SetProperties gives",
         "Where more than one forbids it, ours looks at the alignment first, then whether it is committed, then at "
         "samples that are out; Wine's the other way round (40).",
         reason_of_a_refusal,
         {properties, commit, get_buffer, properties},
         false},
        {"an alignment that is none",
         "Microsoft's rule is a power of two, ours 1 to 65536 (27-29); Wine's refuses only 0.",
         alignment_that_is_none,
         {{Method::set_properties, {1, 16, 3, 0}}},
         true},
        {"rounding of the size",
         "Ours rounds up so that every prefix begins aligned, and says so (33, 34); Wine's pads between samples "
         "instead.",
         rounding,
         {{Method::set_properties, {1, 17, 16, 0}}},
         true},
        {"which of several reasons Commit gives",
         "Ours says VFW_E_SIZENOTSET for every property that is not set (42-45); Wine's has one answer for each.",
         reason_of_commit,
         {commit},
         false},
        {"an alignment above a page",
         "Ours goes to 65536 (30); Wine's Commit refuses more than a page.",
         alignment_above_a_page,
         {{Method::set_properties, {1, 65536, 65536, 0}}, commit},
         true},
        {"a negative prefix",
         "Ours refuses to commit it (46); Wine's hands out samples that begin before their memory.",
         negative_prefix,
         {{Method::set_properties, {1, 100, 1, -1}}, commit},
         true},
        {"IMemAllocatorCallbackTemp",
         "Ours always has it (14); Wine's never.",
         callback_interface,
         {{Method::get_free_count, {}}},
         false},
        {"a committed allocator refers to itself",
         "Ours does, so that its samples stay good whatever their clients drop (19-21); Wine's does not.",
         reference_to_itself,
         {properties, commit, {Method::add_ref, {}}},
         false},
        {"a changed media type that is not there",
         "Ours says AM_SAMPLE_TYPECHANGED only of a sample that has a type; Wine's keeps what SetProperties said.",
         sample_properties<SampleProperties::flags>,
         {properties,
          commit,
          get_buffer,
          {Method::sample_set_properties, {0, 12, type_changed}},
          sample_properties_whole},
         false},
        {"a sample's type-specific flags and stream in its next use",
         "Ours clears them as the other properties (98); Wine's keeps them.",
         sample_properties<SampleProperties::type_specific_flags, SampleProperties::stream_id>,
         {properties,
          commit,
          get_buffer,
          {Method::sample_set_properties, {0, 8, type_specific_flags}},
          release,
          get_buffer,
          sample_properties_whole},
         false},
        {"cbData of a sample's properties",
         "Ours says how much it wrote (102, 103); Wine's says the whole, or what was last set.",
         sample_properties<SampleProperties::length>,
         {properties, commit, get_buffer, {Method::sample_get_properties, {0, 16}}},
         false},
        {"what IMediaSample2::SetProperties checks",
         "Ours refuses what contradicts itself or the sample before it changes anything (105-107); Wine's copies.",
         checks_of_sample_properties,
         {properties, commit, get_buffer, {Method::sample_set_properties, {0, 12, unknown_flag}}},
         true},
    };
    return list;
}
