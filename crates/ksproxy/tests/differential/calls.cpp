#include "calls.h"

#include <sstream>

namespace {

struct MethodName {
    const char *name;
    int numbers;
    uint32_t weight;
};

// In the order of Method.
const MethodName names[] = {
    {"SetProperties", 4, 10},
    {"GetProperties", 0, 3},
    {"Commit", 0, 8},
    {"Decommit", 0, 5},
    {"QueryInterface", 1, 1},
    {"AddRef, Release", 0, 2},
    {"GetFreeCount", 0, 2},
    {"GetBuffer", 3, 30},
    {"IMediaSample::QueryInterface", 2, 2},
    {"IMediaSample::AddRef", 1, 3},
    {"IMediaSample::Release", 1, 16},
    {"IMediaSample::GetPointer", 1, 3},
    {"IMediaSample::GetSize", 1, 3},
    {"IMediaSample::GetTime", 1, 4},
    {"IMediaSample::SetTime", 5, 5},
    {"IMediaSample::GetMediaTime", 1, 3},
    {"IMediaSample::SetMediaTime", 5, 4},
    {"IMediaSample::IsSyncPoint", 1, 2},
    {"IMediaSample::SetSyncPoint", 2, 3},
    {"IMediaSample::IsPreroll", 1, 2},
    {"IMediaSample::SetPreroll", 2, 3},
    {"IMediaSample::IsDiscontinuity", 1, 2},
    {"IMediaSample::SetDiscontinuity", 2, 3},
    {"IMediaSample::GetActualDataLength", 1, 4},
    {"IMediaSample::SetActualDataLength", 2, 6},
    {"IMediaSample::GetMediaType", 1, 4},
    {"IMediaSample::SetMediaType", 2, 5},
    {"IMediaSample2::GetProperties", 2, 6},
    {"IMediaSample2::SetProperties", 3, 8},
    {"write", 2, 3},
    {"read", 1, 3},
};
static_assert(sizeof names / sizeof *names == static_cast<size_t>(Method::read) + 1, "a name for every method");

// No negative size: the system's Commit ends the process then. Sizes that need no rounding are the most, because after
// one that does the two allocators' samples have different sizes.
void draw_properties(Random &random, int64_t *numbers) {
    if (random.one_in(5)) {
        numbers[0] = random.one_of({0, 1, 4, -1});
        numbers[1] = random.one_of({0, 1, 100});
        numbers[2] = random.one_of({0, 1, 1, 1, 3, 24, -1, -4, 65536, 131072});
        numbers[3] = random.one_of({0, 0, 0, 5, -1, -20});
        return;
    }
    numbers[0] = 1 + random.below(3);
    numbers[1] = random.one_of({1, 7, 16, 100, 4096, 65536});
    numbers[2] = int64_t{1} << random.below(13);
    numbers[3] = random.one_of({0, 0, 0, 1, 10, 64});
    if (!random.one_in(5)) {
        const int64_t aligned = (numbers[1] + numbers[3] + numbers[2] - 1) / numbers[2] * numbers[2];
        numbers[1] = aligned - numbers[3];
    }
}

void draw_times(Random &random, int64_t *numbers) {
    numbers[1] = !random.one_in(4);
    numbers[2] = random.one_of({0, 1, 0x123, -5, 10000000, 0x7FFFFFFF00});
    numbers[3] = !random.one_in(3);
    numbers[4] = numbers[2] + random.one_of({0, 1, 0x1FE, -7, 400000, 0x7FFFFFFF});
}

Call draw(Random &random) {
    uint32_t sum = 0;
    for (const MethodName &method : names) {
        sum += method.weight;
    }
    uint32_t drawn = random.below(sum);
    size_t index = 0;
    while (drawn >= names[index].weight) {
        drawn -= names[index++].weight;
    }
    Call call = {static_cast<Method>(index), {}};
    if (call.method >= Method::get_buffer) {
        call.numbers[0] = random.below(slots);
    }
    switch (call.method) {
    case Method::set_properties:
        draw_properties(random, call.numbers);
        break;
    case Method::query_interface:
        call.numbers[0] = random.below(4);
        break;
    case Method::sample_query_interface:
        call.numbers[1] = random.below(4);
        break;
    case Method::get_buffer:
        call.numbers[1] = random.one_of({0, 0, 1, 2, 8, 0x7FFFFFF0});
        call.numbers[2] = random.one_in(3);
        break;
    case Method::set_time:
    case Method::set_media_time:
        draw_times(random, call.numbers);
        break;
    case Method::set_sync_point:
    case Method::set_preroll:
    case Method::set_discontinuity:
        call.numbers[1] = random.one_of({0, 0, 1, 1, -1, 4});
        break;
    case Method::set_length:
        call.numbers[1] = random.one_of({0, 1, 7, 16, 17, 99, 100, 101, 4096, 4097, 65536, 65537, -1, -1000});
        break;
    case Method::set_media_type:
        call.numbers[1] = random.below(3);
        break;
    case Method::sample_get_properties:
        call.numbers[1] = random.one_of({0, 1, 4, 16, 20, 30, 48, 64, 64, 64, 64, 100});
        break;
    case Method::sample_set_properties:
        call.numbers[1] = random.one_of({0, 3, 4, 8, 12, 16, 24, 32, 36, 40, 44, 48, 56, 64, 64, 64, 64});
        call.numbers[2] = random.below(1 << 12);
        break;
    case Method::write:
        call.numbers[1] = random.below(256);
        break;
    default:
        break;
    }
    return call;
}

} // namespace

std::string to_string(const Call &call) {
    const MethodName &method = names[static_cast<size_t>(call.method)];
    std::ostringstream text;
    text << method.name << "(";
    for (int number = 0; number < method.numbers; ++number) {
        text << (number == 0 ? "" : ", ") << call.numbers[number];
    }
    text << ")";
    return text.str();
}

uint64_t Random::next() {
    uint64_t mixed = state += 0x9E3779B97F4A7C15; // SplitMix64
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

// Most begin as clients do, or too few would come to samples.
std::vector<Call> random_calls(Random &random) {
    std::vector<Call> calls;
    if (!random.one_in(5)) {
        Call properties = {Method::set_properties, {}};
        draw_properties(random, properties.numbers);
        calls.push_back(properties);
        calls.push_back({Method::commit, {}});
    }
    for (uint32_t left = 5 + random.below(60); left != 0; --left) {
        calls.push_back(draw(random));
    }
    return calls;
}
