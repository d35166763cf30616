// Statements 88 to 108: IMediaSample and IMediaSample2.
#include "library.hpp"
#include "suite.hpp"

namespace {

// An allocator with its only sample out, by both of its interfaces.
struct One {
    Allocator allocator;
    Sample sample;
    Reference<IMediaSample2> two;

    explicit One(LONG size = 300) {
        allocator.commit(1, size);
        take();
    }
    ~One() { give(); }
    void take() {
        sample = allocator.sample();
        if (sample) {
            sample->QueryInterface(IID_IMediaSample2, two.put_void());
        }
    }
    void give() {
        two.reset();
        sample.reset();
    }
    explicit operator bool() const { return sample && two; }

    AM_SAMPLE2_PROPERTIES all() const {
        AM_SAMPLE2_PROPERTIES properties = {};
        two->GetProperties(sizeof properties, reinterpret_cast<BYTE *>(&properties));
        return properties;
    }
    DWORD flags() const { return all().dwSampleFlags; }
    HRESULT set(const AM_SAMPLE2_PROPERTIES &properties) const {
        return two->SetProperties(sizeof properties, reinterpret_cast<const BYTE *>(&properties));
    }
};

AM_MEDIA_TYPE type_of(BYTE *format, ULONG length) {
    AM_MEDIA_TYPE type = {};
    type.majortype = KSMEMORY_TYPE_USER; // any identifier
    type.lSampleSize = 1234;
    type.cbFormat = length;
    type.pbFormat = format;
    return type;
}

} // namespace

STATEMENT(88, "IMediaSample2 is there, under the same pointer") {
    One one;
    REQUIRE(one);
    EXPECT_EQUAL(static_cast<IMediaSample *>(one.two.get()), one.sample.get());
    Reference<IUnknown> identity;
    EXPECT_EQUAL(one.sample->QueryInterface(IID_IUnknown, identity.put_void()), S_OK);
    EXPECT_EQUAL(static_cast<void *>(identity.get()), static_cast<void *>(one.sample.get()));
}

STATEMENT(89, "the length is the size at first") {
    One one;
    REQUIRE(one);
    EXPECT_EQUAL(one.sample->GetActualDataLength(), 300);
    EXPECT_EQUAL(one.sample->GetSize(), 300);
}

STATEMENT(90, "a length above the size or below 0 is VFW_E_BUFFER_OVERFLOW") {
    One one;
    REQUIRE(one);
    EXPECT_EQUAL(one.sample->SetActualDataLength(301), VFW_E_BUFFER_OVERFLOW);
    EXPECT_EQUAL(one.sample->SetActualDataLength(-1), VFW_E_BUFFER_OVERFLOW);
    EXPECT_EQUAL(one.sample->GetActualDataLength(), 300);
    EXPECT_EQUAL(one.sample->SetActualDataLength(300), S_OK);
    EXPECT_EQUAL(one.sample->SetActualDataLength(0), S_OK);
    EXPECT_EQUAL(one.sample->GetActualDataLength(), 0);
}

STATEMENT(91, "the length survives reuse") {
    One one;
    REQUIRE(one);
    EXPECT_EQUAL(one.sample->SetActualDataLength(123), S_OK);
    one.give();
    one.take();
    REQUIRE(one);
    EXPECT_EQUAL(one.sample->GetActualDataLength(), 123);
}

STATEMENT(92, "a start without a stop is VFW_S_NO_STOP_TIME and one unit") {
    One one;
    REQUIRE(one);
    REFERENCE_TIME start = 0x123, from = -1, to = -1;
    EXPECT_EQUAL(one.sample->SetTime(&start, nullptr), S_OK);
    EXPECT_EQUAL(one.sample->GetTime(&from, &to), VFW_S_NO_STOP_TIME);
    EXPECT_EQUAL(from, 0x123);
    EXPECT_EQUAL(to, 0x124);
    EXPECT_EQUAL(one.flags(), AM_SAMPLE_TIMEVALID);
}

STATEMENT(93, "a start and a stop") {
    One one;
    REQUIRE(one);
    REFERENCE_TIME start = 0x123, end = 0x321, from = -1, to = -1;
    EXPECT_EQUAL(one.sample->SetTime(&start, &end), S_OK);
    EXPECT_EQUAL(one.sample->GetTime(&from, &to), S_OK);
    EXPECT_EQUAL(from, 0x123);
    EXPECT_EQUAL(to, 0x321);
    EXPECT_EQUAL(one.flags(), AM_SAMPLE_TIMEVALID | AM_SAMPLE_STOPVALID);
    // A start alone takes the stop away.
    EXPECT_EQUAL(one.sample->SetTime(&start, nullptr), S_OK);
    EXPECT_EQUAL(one.flags(), AM_SAMPLE_TIMEVALID);
}

STATEMENT(94, "without times GetTime fails and writes nothing") {
    One one;
    REQUIRE(one);
    REFERENCE_TIME from = -1, to = -2;
    EXPECT_EQUAL(one.sample->GetTime(&from, &to), VFW_E_SAMPLE_TIME_NOT_SET);
    EXPECT_EQUAL(from, -1);
    EXPECT_EQUAL(to, -2);
}

STATEMENT(95, "a stop without a start takes both away") {
    One one;
    REQUIRE(one);
    REFERENCE_TIME start = 1, end = 0x321, from, to;
    EXPECT_EQUAL(one.sample->SetTime(&start, &end), S_OK);
    EXPECT_EQUAL(one.sample->SetTime(nullptr, &end), S_OK);
    EXPECT_EQUAL(one.sample->GetTime(&from, &to), VFW_E_SAMPLE_TIME_NOT_SET);
    EXPECT_EQUAL(one.flags(), 0);
}

STATEMENT(96, "a media start without an end is E_POINTER") {
    One one;
    REQUIRE(one);
    LONGLONG start = 5, from, to;
    EXPECT_EQUAL(one.sample->SetMediaTime(&start, nullptr), E_POINTER);
    EXPECT_EQUAL(one.sample->GetMediaTime(&from, &to), VFW_E_MEDIA_TIME_NOT_SET);
}

STATEMENT(97, "media times are kept beside the times") {
    One one;
    REQUIRE(one);
    LONGLONG start = 5, end = 0x100000006, from = -1, to = -1;
    EXPECT_EQUAL(one.sample->GetMediaTime(&from, &to), VFW_E_MEDIA_TIME_NOT_SET);
    EXPECT_EQUAL(from, -1);
    EXPECT_EQUAL(one.sample->SetMediaTime(&start, &end), S_OK);
    EXPECT_EQUAL(one.sample->GetMediaTime(&from, &to), S_OK);
    EXPECT_EQUAL(from, 5);
    EXPECT(to - from == end - start);
    EXPECT_EQUAL(one.sample->GetTime(&from, &to), VFW_E_SAMPLE_TIME_NOT_SET);
    EXPECT_EQUAL(one.sample->SetMediaTime(nullptr, nullptr), S_OK);
    EXPECT_EQUAL(one.sample->GetMediaTime(&from, &to), VFW_E_MEDIA_TIME_NOT_SET);
}

STATEMENT(98, "times, flags and media type do not survive reuse") {
    One one;
    REQUIRE(one);
    REFERENCE_TIME start = 1, end = 2;
    BYTE format[4] = {1, 2, 3, 4};
    AM_MEDIA_TYPE type = type_of(format, sizeof format), *copy = &type;
    one.sample->SetTime(&start, &end);
    one.sample->SetMediaTime(&start, &end);
    one.sample->SetPreroll(1);
    one.sample->SetDiscontinuity(-1);
    one.sample->SetSyncPoint(2);
    EXPECT_EQUAL(one.sample->SetMediaType(&type), S_OK);
    EXPECT_EQUAL(one.sample->IsPreroll(), S_OK);
    EXPECT_EQUAL(one.sample->IsDiscontinuity(), S_OK);
    EXPECT_EQUAL(one.sample->IsSyncPoint(), S_OK);
    one.give();
    one.take();
    REQUIRE(one);
    EXPECT_EQUAL(one.sample->IsPreroll(), S_FALSE);
    EXPECT_EQUAL(one.sample->IsDiscontinuity(), S_FALSE);
    EXPECT_EQUAL(one.sample->IsSyncPoint(), S_FALSE);
    EXPECT_EQUAL(one.sample->GetTime(&start, &end), VFW_E_SAMPLE_TIME_NOT_SET);
    EXPECT_EQUAL(one.sample->GetMediaTime(&start, &end), VFW_E_MEDIA_TIME_NOT_SET);
    EXPECT_EQUAL(one.sample->GetMediaType(&copy), S_FALSE);
    EXPECT_EQUAL(copy, nullptr);
    EXPECT_EQUAL(one.flags(), 0);
    EXPECT_EQUAL(one.all().dwStreamId, 0);
    EXPECT_EQUAL(one.all().dwTypeSpecificFlags, 0);
}

STATEMENT(99, "without a media type GetMediaType is S_FALSE and a null pointer") {
    One one;
    REQUIRE(one);
    AM_MEDIA_TYPE type, *copy = &type;
    EXPECT_EQUAL(one.sample->GetMediaType(&copy), S_FALSE);
    EXPECT_EQUAL(copy, nullptr);
}

STATEMENT(100, "a media type is copied deeply both ways") {
    One one;
    REQUIRE(one);
    Client object; // pUnk
    BYTE format[4] = {1, 2, 3, 4};
    AM_MEDIA_TYPE type = type_of(format, sizeof format), *copy = nullptr, *other = nullptr;
    type.pUnk = &object;
    EXPECT_EQUAL(one.sample->SetMediaType(&type), S_OK);
    EXPECT_EQUAL(object.count.load(), 2);
    format[0] = 9;
    REQUIRE_EQUAL(one.sample->GetMediaType(&copy), S_OK);
    REQUIRE_EQUAL(one.sample->GetMediaType(&other), S_OK);
    EXPECT_EQUAL(object.count.load(), 4);
    EXPECT(copy != other);
    EXPECT(copy->pbFormat != other->pbFormat);
    EXPECT_EQUAL(copy->cbFormat, 4);
    EXPECT_EQUAL(copy->pbFormat[0], 1);
    EXPECT_EQUAL(copy->pbFormat[3], 4);
    EXPECT_EQUAL(copy->lSampleSize, 1234);
    EXPECT(equal(copy->majortype, KSMEMORY_TYPE_USER));
    EXPECT_EQUAL(one.flags(), AM_SAMPLE_TYPECHANGED);
    library::delete_media_type(copy);
    library::delete_media_type(other);
    one.give();
    EXPECT_EQUAL(object.count.load(), 1);
}

STATEMENT(101, "SetMediaType(NULL) takes it away") {
    One one;
    REQUIRE(one);
    AM_MEDIA_TYPE type = type_of(nullptr, 0);
    EXPECT_EQUAL(one.sample->SetMediaType(&type), S_OK);
    EXPECT_EQUAL(one.flags(), AM_SAMPLE_TYPECHANGED);
    EXPECT_EQUAL(one.sample->SetMediaType(nullptr), S_OK);
    EXPECT_EQUAL(one.flags(), 0);
}

STATEMENT(102, "IMediaSample2::GetProperties tells length, pointer and size") {
    One one;
    REQUIRE(one);
    AM_SAMPLE2_PROPERTIES all;
    std::memset(&all, 0xEE, sizeof all);
    EXPECT_EQUAL(one.two->GetProperties(sizeof all, reinterpret_cast<BYTE *>(&all)), S_OK);
    BYTE *buffer = nullptr;
    one.sample->GetPointer(&buffer);
    EXPECT_EQUAL(all.cbData, sizeof all);
    EXPECT_EQUAL(all.pbBuffer, buffer);
    EXPECT_EQUAL(all.cbBuffer, 300);
    EXPECT_EQUAL(all.lActual, 300);
    EXPECT_EQUAL(all.pMediaType, nullptr);
    EXPECT_EQUAL(all.dwSampleFlags, 0);
}

STATEMENT(103, "GetProperties of 16 bytes writes 16 bytes") {
    One one;
    REQUIRE(one);
    BYTE part[32];
    std::memset(part, 0xEE, sizeof part);
    EXPECT_EQUAL(one.two->GetProperties(16, part), S_OK);
    DWORD length = 0;
    std::memcpy(&length, part, sizeof length);
    EXPECT_EQUAL(length, 16);
    LONG actual = 0;
    std::memcpy(&actual, part + 12, sizeof actual);
    EXPECT_EQUAL(actual, 300);
    for (int i = 16; i < 32; ++i) {
        EXPECT_EQUAL(part[i], 0xEE);
    }
}

STATEMENT(104, "SetProperties of what GetProperties gave sets the length") {
    One one;
    REQUIRE(one);
    AM_SAMPLE2_PROPERTIES all = one.all();
    all.lActual = 123;
    EXPECT_EQUAL(one.set(all), S_OK);
    EXPECT_EQUAL(one.sample->GetActualDataLength(), 123);
}

STATEMENT(105, "SetProperties of another buffer is E_INVALIDARG and changes nothing") {
    One one;
    REQUIRE(one);
    AM_SAMPLE2_PROPERTIES all = one.all();
    BYTE *buffer = all.pbBuffer;
    all.pbBuffer = buffer + 1;
    all.lActual = 7;
    all.dwSampleFlags = AM_SAMPLE_PREROLL;
    EXPECT_EQUAL(one.set(all), E_INVALIDARG);
    EXPECT_EQUAL(one.all().pbBuffer, buffer);
    EXPECT_EQUAL(one.sample->GetActualDataLength(), 300);
    EXPECT_EQUAL(one.sample->IsPreroll(), S_FALSE);
}

STATEMENT(106, "SetProperties of an undefined flag is E_INVALIDARG") {
    One one;
    REQUIRE(one);
    AM_SAMPLE2_PROPERTIES all = one.all();
    all.dwSampleFlags = 0x20;
    EXPECT_EQUAL(one.set(all), E_INVALIDARG);
    EXPECT_EQUAL(one.flags(), 0);
}

STATEMENT(107, "SetProperties of a longer structure is E_INVALIDARG") {
    One one;
    REQUIRE(one);
    struct {
        AM_SAMPLE2_PROPERTIES properties;
        BYTE behind[8];
    } longer = {one.all(), {}};
    longer.properties.cbData = sizeof longer.properties + 1;
    EXPECT_EQUAL(one.two->SetProperties(sizeof longer.properties, reinterpret_cast<BYTE *>(&longer)), E_INVALIDARG);
    EXPECT_EQUAL(one.two->SetProperties(sizeof longer.properties + 1, reinterpret_cast<BYTE *>(&longer)), E_INVALIDARG);
}

STATEMENT(108, "SetProperties of a start without a stop") {
    One one;
    REQUIRE(one);
    AM_SAMPLE2_PROPERTIES all = one.all();
    all.dwSampleFlags = AM_SAMPLE_TIMEVALID;
    all.tStart = 77;
    EXPECT_EQUAL(one.set(all), S_OK);
    REFERENCE_TIME from = -1, to = -1;
    EXPECT_EQUAL(one.sample->GetTime(&from, &to), VFW_S_NO_STOP_TIME);
    EXPECT_EQUAL(from, 77);
    EXPECT_EQUAL(to, 78);
}
