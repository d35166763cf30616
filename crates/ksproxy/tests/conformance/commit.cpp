// Statements 42 to 58: Commit and Decommit.
#include "library.hpp"
#include "suite.hpp"

#include <set>

namespace {

// Commit refuses these properties, and the allocator stays as it was.
void expect_refused(Case &test, LONG count, LONG size, LONG align, LONG prefix, std::initializer_list<HRESULT> answers) {
    Allocator a;
    REQUIRE_EQUAL(a.set(count, size, align, prefix), S_OK);
    HRESULT answer = a.memory->Commit();
    bool expected = false;
    for (HRESULT one : answers) {
        expected |= answer == one;
    }
    if (!expected) {
        EXPECT_EQUAL(answer, *answers.begin());
    }
    Sample none;
    EXPECT_EQUAL(a.get(none.put()), VFW_E_NOT_COMMITTED);
    EXPECT_EQUAL(none.get(), nullptr);
}

BYTE *buffer_of(const Sample &sample) {
    BYTE *buffer = nullptr;
    sample->GetPointer(&buffer);
    return buffer;
}

} // namespace

STATEMENT(42, "Commit without properties is VFW_E_SIZENOTSET, and commits nothing") {
    Allocator a;
    EXPECT_EQUAL(a.memory->Commit(), VFW_E_SIZENOTSET);
    Sample none;
    EXPECT_EQUAL(a.get(none.put()), VFW_E_NOT_COMMITTED);
}

STATEMENT(43, "Commit of a size of 0 is VFW_E_SIZENOTSET") { expect_refused(test, 1, 0, 1, 0, {VFW_E_SIZENOTSET}); }

STATEMENT(44, "Commit of a count of 0 is VFW_E_SIZENOTSET") { expect_refused(test, 0, 16, 1, 0, {VFW_E_SIZENOTSET}); }

STATEMENT(45, "Commit of a negative count or size fails") {
    expect_refused(test, -1, 16, 1, 0, {VFW_E_SIZENOTSET});
    expect_refused(test, 1, -16, 1, 0, {VFW_E_SIZENOTSET});
}

STATEMENT(46, "Commit of a negative prefix fails") {
    expect_refused(test, 1, 16, 1, -1, {E_OUTOFMEMORY, VFW_E_SIZENOTSET});
}

STATEMENT(47, "Commit of all that the numbers can say is E_OUTOFMEMORY, and allocates nothing") {
    uint64_t before = platform::mapped_bytes();
    expect_refused(test, 0x7FFFFFFF, 0x7FFFFFFF, 1, 0, {E_OUTOFMEMORY});
    EXPECT(platform::mapped_bytes() < before + (64u << 20));
}

STATEMENT(48, "Commit of more than 2^31 - 1 bytes is E_OUTOFMEMORY") {
    expect_refused(test, 65536, 65536, 1, 0, {E_OUTOFMEMORY});
    expect_refused(test, 32768, 65536, 1, 0, {E_OUTOFMEMORY});
}

STATEMENT(49, "a second Commit changes nothing") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 65536), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    BYTE *buffer = buffer_of(out);
    buffer[65535] = 77;
    EXPECT_EQUAL(a.memory->Commit(), S_OK);
    EXPECT_EQUAL(buffer_of(out), buffer);
    EXPECT_EQUAL(buffer[65535], 77);
    EXPECT_EQUAL(a.free(), 1);
    out.reset();
    // One Decommit ends both.
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
    Sample none;
    EXPECT_EQUAL(a.get(none.put()), VFW_E_NOT_COMMITTED);
}

STATEMENT(50, "Decommit without Commit is S_OK") {
    Allocator a;
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
}

STATEMENT(51, "Decommit twice is S_OK twice") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
}

STATEMENT(52, "a sample that is out when Decommit is called can be written") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 100000), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
    BYTE *buffer = buffer_of(out);
    std::memset(buffer, 0x5A, 100000);
    EXPECT_EQUAL(buffer[99999], 0x5A);
}

STATEMENT(53, "GetBuffer is VFW_E_NOT_COMMITTED then") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 16), S_OK);
    Sample out = a.sample(), none;
    REQUIRE(out);
    a.memory->Decommit();
    EXPECT_EQUAL(a.get(none.put()), VFW_E_NOT_COMMITTED);
    EXPECT_EQUAL(a.get(none.put(), 0), VFW_E_NOT_COMMITTED);
}

STATEMENT(54, "Commit takes a pending Decommit back: the sample stays, the free ones can be had") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(3, 64), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    BYTE *buffer = buffer_of(out);
    buffer[0] = 42;
    a.memory->Decommit();
    EXPECT_EQUAL(a.memory->Commit(), S_OK);
    EXPECT_EQUAL(buffer_of(out), buffer);
    EXPECT_EQUAL(buffer[0], 42);
    EXPECT_EQUAL(a.free(), 2);
    Sample second = a.sample(), third = a.sample(), none;
    EXPECT(second && third);
    EXPECT_EQUAL(a.get(none.put()), VFW_E_TIMEOUT);
}

STATEMENT(55, "the sample comes home to an allocator that stays committed") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 64), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    a.memory->Decommit();
    REQUIRE_EQUAL(a.memory->Commit(), S_OK);
    out.reset();
    EXPECT_EQUAL(a.free(), 2);
    Sample one = a.sample(), two = a.sample();
    EXPECT(one && two);
}

STATEMENT(56, "after Decommit and Commit there are as many samples as before") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(3, 64), S_OK);
    for (int round = 0; round < 3; ++round) {
        Sample one = a.sample(), two = a.sample(), three = a.sample(), none;
        REQUIRE(one && two && three);
        EXPECT_EQUAL(a.get(none.put()), VFW_E_TIMEOUT);
        std::set<BYTE *> buffers = {buffer_of(one), buffer_of(two), buffer_of(three)};
        EXPECT_EQUAL(buffers.size(), 3);
        for (BYTE *buffer : buffers) {
            std::memset(buffer, round, 64);
        }
        EXPECT_EQUAL(a.memory->Decommit(), S_OK);
        one.reset();
        two.reset();
        three.reset();
        REQUIRE_EQUAL(a.memory->Commit(), S_OK);
    }
}

STATEMENT(57, "a thousand times of that take no memory") {
    Allocator a;
    auto times = [&](int count) {
        for (int i = 0; i < count; ++i) {
            if (FAILED(a.commit(3, 65536))) {
                return false;
            }
            Sample one = a.sample(), two = a.sample(), three = a.sample();
            if (!one || !two || !three) {
                return false;
            }
            a.memory->Decommit();
        }
        return true;
    };
    // What is made once is made in the first of them.
    REQUIRE(times(50));
    uint64_t mapped = platform::mapped_bytes(), heap = platform::heap_bytes();
    REQUIRE(times(1000));
    // One page each would be 4 MB, one byte each a thousand.
    EXPECT(platform::mapped_bytes() <= mapped + (1u << 20));
    EXPECT(platform::heap_bytes() < heap + 1000);
}

STATEMENT(58, "a Commit that failed for lack of memory spoils nothing") {
    Allocator a;
    REQUIRE_EQUAL(a.set(65536, 65536, 1, 0), S_OK);
    EXPECT_EQUAL(a.memory->Commit(), E_OUTOFMEMORY);
    platform::with_little_memory([&] {
        EXPECT_EQUAL(a.set(1, 0x7FFF0000, 1, 0), S_OK);
        EXPECT_EQUAL(a.memory->Commit(), E_OUTOFMEMORY);
    });
    EXPECT_EQUAL(a.commit(2, 16), S_OK);
    Sample one = a.sample(), two = a.sample();
    EXPECT(one && two);
}
