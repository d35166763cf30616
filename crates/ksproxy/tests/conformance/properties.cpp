// Statements 24 to 41: SetProperties and GetProperties.
#include "library.hpp"
#include "suite.hpp"

namespace {

bool same(const ALLOCATOR_PROPERTIES &a, LONG count, LONG size, LONG align, LONG prefix) {
    return a.cBuffers == count && a.cbBuffer == size && a.cbAlign == align && a.cbPrefix == prefix;
}

ALLOCATOR_PROPERTIES stored(const Allocator &a) {
    ALLOCATOR_PROPERTIES now = {-9, -9, -9, -9};
    a.memory->GetProperties(&now);
    return now;
}

} // namespace

STATEMENT(24, "the first GetProperties answers S_OK and four zeros") {
    Allocator a;
    ALLOCATOR_PROPERTIES now = {9, 9, 9, 9};
    EXPECT_EQUAL(a.memory->GetProperties(&now), S_OK);
    EXPECT(same(now, 0, 0, 0, 0));
}

STATEMENT(25, "GetProperties(NULL) is E_POINTER") {
    Allocator a;
    EXPECT_EQUAL(a.memory->GetProperties(nullptr), E_POINTER);
}

STATEMENT(26, "SetProperties with a NULL is E_POINTER and leaves no lock behind") {
    Allocator a;
    ALLOCATOR_PROPERTIES given = {1, 1, 1, 0};
    EXPECT_EQUAL(a.memory->SetProperties(nullptr, &given), E_POINTER);
    EXPECT_EQUAL(a.memory->SetProperties(&given, nullptr), E_POINTER);
    EXPECT_EQUAL(a.memory->SetProperties(nullptr, nullptr), E_POINTER);
    ALLOCATOR_PROPERTIES now;
    HRESULT answer = E_FAIL;
    platform::Thread other([&] { answer = a.memory->GetProperties(&now); });
    other.join();
    EXPECT_EQUAL(answer, S_OK);
    EXPECT(same(now, 0, 0, 0, 0));
}

STATEMENT(27, "four zeros are VFW_E_BADALIGN") {
    Allocator a;
    EXPECT_EQUAL(a.set(0, 0, 0, 0), VFW_E_BADALIGN);
}

STATEMENT(28, "an alignment of 3 is VFW_E_BADALIGN") {
    Allocator a;
    EXPECT_EQUAL(a.set(1, 1, 3, 0), VFW_E_BADALIGN);
}

STATEMENT(29, "alignments of -1 and 131072 are VFW_E_BADALIGN") {
    Allocator a;
    EXPECT_EQUAL(a.set(1, 1, -1, 0), VFW_E_BADALIGN);
    EXPECT_EQUAL(a.set(1, 1, 131072, 0), VFW_E_BADALIGN);
}

STATEMENT(30, "powers of two up to 65536 are alignments") {
    Allocator a;
    for (LONG align = 1; align <= 65536; align *= 2) {
        ALLOCATOR_PROPERTIES actual;
        EXPECT_EQUAL(a.set(1, 1, align, 0, &actual), S_OK);
        EXPECT_EQUAL(actual.cbAlign, align);
    }
}

STATEMENT(31, "a refused SetProperties answers zeros and changes nothing") {
    Allocator a;
    REQUIRE_EQUAL(a.set(2, 32, 16, 0), S_OK);
    ALLOCATOR_PROPERTIES actual = {7, 7, 7, 7};
    EXPECT_EQUAL(a.set(5, 5, 7, 0, &actual), VFW_E_BADALIGN);
    EXPECT(same(actual, 0, 0, 0, 0));
    EXPECT(same(stored(a), 2, 32, 16, 0));
    REQUIRE_EQUAL(a.memory->Commit(), S_OK);
    actual = {7, 7, 7, 7};
    EXPECT_EQUAL(a.set(1, 1, 1, 0, &actual), VFW_E_ALREADY_COMMITTED);
    EXPECT(same(actual, 0, 0, 0, 0));
    EXPECT(same(stored(a), 2, 32, 16, 0));
}

STATEMENT(32, "{1,1,1,0} is answered as it is, and kept") {
    Allocator a;
    ALLOCATOR_PROPERTIES actual;
    EXPECT_EQUAL(a.set(1, 1, 1, 0, &actual), S_OK);
    EXPECT(same(actual, 1, 1, 1, 0));
    EXPECT(same(stored(a), 1, 1, 1, 0));
}

STATEMENT(33, "{1,1,16,1} becomes 15 bytes: prefix and buffer fill the alignment") {
    Allocator a;
    ALLOCATOR_PROPERTIES actual;
    EXPECT_EQUAL(a.set(1, 1, 16, 1, &actual), S_OK);
    EXPECT(same(actual, 1, 15, 16, 1));
    EXPECT(same(stored(a), 1, 15, 16, 1));
}

STATEMENT(34, "{1,17,16,0} becomes 32 bytes") {
    Allocator a;
    ALLOCATOR_PROPERTIES actual;
    EXPECT_EQUAL(a.set(1, 17, 16, 0, &actual), S_OK);
    EXPECT_EQUAL(actual.cbBuffer, 32);
}

STATEMENT(35, "the request is not written to") {
    Allocator a;
    for (ALLOCATOR_PROPERTIES request : {ALLOCATOR_PROPERTIES{1, 17, 16, 3}, {3, 1, 65536, 0}, {0, 0, 1, 0}}) {
        ALLOCATOR_PROPERTIES before = request, actual;
        EXPECT_EQUAL(a.memory->SetProperties(&request, &actual), S_OK);
        EXPECT(std::memcmp(&request, &before, sizeof request) == 0);
    }
}

STATEMENT(36, "{0,0,1,0} is accepted: count and size are looked at by Commit") {
    Allocator a;
    EXPECT_EQUAL(a.set(0, 0, 1, 0), S_OK);
}

STATEMENT(37, "SetProperties of a committed allocator is VFW_E_ALREADY_COMMITTED") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 64), S_OK);
    EXPECT_EQUAL(a.set(1, 1, 1, 0), VFW_E_ALREADY_COMMITTED);
}

STATEMENT(38, "SetProperties of a decommitted allocator with a sample out is VFW_E_BUFFERS_OUTSTANDING") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 64), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    a.memory->Decommit();
    EXPECT_EQUAL(a.set(1, 1, 1, 0), VFW_E_BUFFERS_OUTSTANDING);
}

STATEMENT(39, "once that sample is home SetProperties succeeds") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 64), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    a.memory->Decommit();
    REQUIRE_EQUAL(a.set(1, 1, 1, 0), VFW_E_BUFFERS_OUTSTANDING);
    out.reset();
    EXPECT_EQUAL(a.set(1, 1, 1, 0), S_OK);
}

STATEMENT(40, "SetProperties of a committed allocator with a sample out is VFW_E_ALREADY_COMMITTED") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 64), S_OK);
    Sample out = a.sample();
    REQUIRE(out);
    EXPECT_EQUAL(a.set(1, 1, 1, 0), VFW_E_ALREADY_COMMITTED);
}

STATEMENT(41, "SetProperties allocates no buffers") {
    Allocator a;
    constexpr LONG size = 32 << 20;
    uint64_t before = platform::mapped_bytes();
    REQUIRE_EQUAL(a.set(4, size, 1, 0), S_OK);
    EXPECT(platform::mapped_bytes() < before + size);
    // The measure would have shown them.
    REQUIRE_EQUAL(a.memory->Commit(), S_OK);
    EXPECT(platform::mapped_bytes() >= before + uint64_t(4) * size);
}
