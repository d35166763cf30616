// Statements 59 to 71: GetBuffer.
#include "library.hpp"
#include "suite.hpp"

#include <set>

namespace {

// How often a race is run.
constexpr int rounds = 20;

BYTE *buffer_of(const Sample &sample) {
    BYTE *buffer = nullptr;
    sample->GetPointer(&buffer);
    return buffer;
}

// Whether all of them were seen blocked.
bool all_blocked(std::vector<std::unique_ptr<Waiter>> &waiters) {
    bool all = true;
    for (auto &waiter : waiters) {
        all &= waiter->was_blocked();
    }
    return all;
}

std::vector<std::unique_ptr<Waiter>> waiters(const Allocator &allocator, int count) {
    std::vector<std::unique_ptr<Waiter>> all;
    for (int i = 0; i < count; ++i) {
        all.emplace_back(new Waiter(allocator));
    }
    return all;
}

} // namespace

STATEMENT(59, "GetBuffer of an allocator that is not committed is VFW_E_NOT_COMMITTED and a null pointer") {
    Allocator a;
    for (DWORD flags : {DWORD(0), DWORD(AM_GBF_NOWAIT)}) {
        IMediaSample *none = reinterpret_cast<IMediaSample *>(&a);
        EXPECT_EQUAL(a.get(&none, flags), VFW_E_NOT_COMMITTED);
        EXPECT_EQUAL(none, nullptr);
    }
}

STATEMENT(60, "GetBuffer(NULL) is E_POINTER") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    EXPECT_EQUAL(a.memory->GetBuffer(nullptr, nullptr, nullptr, 0), E_POINTER);
    EXPECT_EQUAL(a.free(), 1);
}

STATEMENT(61, "two samples have disjoint memory and one reference each") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 100), S_OK);
    Sample first = a.sample(), second = a.sample();
    REQUIRE(first && second);
    EXPECT(first.get() != second.get());
    EXPECT_EQUAL(references(first.get()), 1);
    EXPECT_EQUAL(references(second.get()), 1);
    BYTE *one = buffer_of(first), *two = buffer_of(second);
    EXPECT(one + first->GetSize() <= two || two + second->GetSize() <= one);
}

STATEMENT(62, "with none free AM_GBF_NOWAIT is VFW_E_TIMEOUT at once, and nothing is given twice") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 16), S_OK);
    Sample first = a.sample(), second = a.sample();
    REQUIRE(first && second);
    for (int i = 0; i < 5; ++i) {
        IMediaSample *none = first.get();
        EXPECT_EQUAL(a.get(&none), VFW_E_TIMEOUT);
        EXPECT_EQUAL(none, nullptr);
    }
    EXPECT_EQUAL(references(first.get()), 1);
    EXPECT_EQUAL(references(second.get()), 1);
}

STATEMENT(63, "who waits gets the sample that comes home") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    for (int round = 0; round < rounds; ++round) {
        Sample out = a.sample();
        REQUIRE(out);
        IMediaSample *expected = out.get();
        Waiter waiter(a);
        EXPECT(waiter.was_blocked());
        out.reset();
        REQUIRE_EQUAL(waiter.answer(), S_OK);
        EXPECT_EQUAL(waiter.take().get(), expected);
    }
}

STATEMENT(64, "who waits uses no processor time") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    Waiter waiter(a);
    // Beside a thread that does not sleep: what a second is worth depends on who else uses the machine.
    std::atomic<bool> enough{false};
    platform::Thread busy([&] {
        while (!enough) {
        }
    });
    constexpr uint64_t second = 1000000000;
    uint64_t before = waiter.thread().processor_time();
    while (busy.processor_time() < second / 2) {
        platform::pause_milliseconds(20);
    }
    uint64_t used = waiter.thread().processor_time() - before;
    enough = true;
    EXPECT(used < second / 20);
    EXPECT(!waiter.is_back());
    out.reset();
    EXPECT_EQUAL(waiter.answer(), S_OK);
}

STATEMENT(65, "Decommit fails everyone who waits while all samples are out") {
    Allocator a;
    for (int round = 0; round < rounds; ++round) {
        REQUIRE_EQUAL(a.commit(1, 16), S_OK);
        Sample out = a.sample();
        REQUIRE(out);
        auto waiting = waiters(a, 4);
        EXPECT(all_blocked(waiting));
        a.memory->Decommit();
        for (auto &waiter : waiting) {
            EXPECT_EQUAL(waiter->answer(), VFW_E_NOT_COMMITTED);
            EXPECT_EQUAL(waiter->take().get(), nullptr);
        }
    }
}

STATEMENT(66, "who waited when Decommit was called fails, even if Commit follows at once") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    for (int round = 0; round < rounds; ++round) {
        Sample out = a.sample();
        REQUIRE(out);
        Waiter waiter(a);
        EXPECT(waiter.was_blocked());
        a.memory->Decommit();
        a.memory->Commit();
        // One that carried on would take it.
        out.reset();
        EXPECT_EQUAL(waiter.answer(), VFW_E_NOT_COMMITTED);
    }
}

STATEMENT(67, "as many threads as samples that come home together all get one, each its own") {
    constexpr int count = 4;
    Allocator a;
    REQUIRE_EQUAL(a.commit(count, 16), S_OK);
    for (int round = 0; round < rounds; ++round) {
        std::vector<Sample> out;
        for (int i = 0; i < count; ++i) {
            out.push_back(a.sample());
            REQUIRE(out.back());
        }
        auto waiting = waiters(a, count);
        EXPECT(all_blocked(waiting));
        out.clear();
        std::vector<Sample> got;
        std::set<IMediaSample *> distinct;
        for (auto &waiter : waiting) {
            EXPECT_EQUAL(waiter->answer(), S_OK);
            got.push_back(waiter->take());
            distinct.insert(got.back().get());
        }
        EXPECT_EQUAL(distinct.size(), size_t(count));
        EXPECT_EQUAL(distinct.count(nullptr), size_t(0));
    }
}

STATEMENT(68, "AM_GBF_PREVFRAMESKIPPED and AM_GBF_NOTASYNCPOINT change nothing") {
    constexpr DWORD hints = AM_GBF_PREVFRAMESKIPPED | AM_GBF_NOTASYNCPOINT;
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    Sample out, none;
    REQUIRE_EQUAL(a.get(out.put(), hints), S_OK);
    EXPECT_EQUAL(a.get(none.put(), hints | AM_GBF_NOWAIT), VFW_E_TIMEOUT);
    IMediaSample *expected = out.get();
    Waiter waiter(a, hints);
    EXPECT(waiter.was_blocked());
    out.reset();
    EXPECT_EQUAL(waiter.answer(), S_OK);
    EXPECT_EQUAL(waiter.take().get(), expected);
}

STATEMENT(69, "the times given to GetBuffer are not the sample's") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    REFERENCE_TIME start = 1, end = 2;
    Sample sample;
    REQUIRE_EQUAL(a.memory->GetBuffer(sample.put(), &start, &end, 0), S_OK);
    EXPECT_EQUAL(sample->GetTime(&start, &end), VFW_E_SAMPLE_TIME_NOT_SET);
}

STATEMENT(70, "the prefix begins on the alignment, and the size is the rounded one") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 100, 64, 10), S_OK);
    Sample first = a.sample(), second = a.sample();
    REQUIRE(first && second);
    for (const Sample *sample : {&first, &second}) {
        EXPECT_EQUAL((reinterpret_cast<uintptr_t>(buffer_of(*sample)) - 10) % 64, uintptr_t(0));
        EXPECT_EQUAL((*sample)->GetSize(), 118);
        std::memset(buffer_of(*sample) - 10, 1, 128);
    }
}

STATEMENT(71, "the buffers of a first Commit are zero") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(3, 100000), S_OK);
    Sample out[3];
    for (Sample &sample : out) {
        sample = a.sample();
        REQUIRE(sample);
        BYTE *buffer = buffer_of(sample);
        int others = 0;
        for (LONG i = 0; i < sample->GetSize(); ++i) {
            others += buffer[i] != 0;
        }
        EXPECT_EQUAL(others, 0);
    }
}
