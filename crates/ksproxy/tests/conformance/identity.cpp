// Statements 14 to 23: identity and lifetime.
#include "library.hpp"
#include "suite.hpp"

STATEMENT(14, "QueryInterface answers the five interfaces and IUnknown, from either face") {
    Allocator a;
    for (const IID *iid : {&IID_IUnknown, &IID_IKsAllocator, &IID_IKsAllocatorEx, &IID_IMemAllocator,
                           &IID_IMemAllocatorCallbackTemp}) {
        Reference<IUnknown> by_ks, by_memory;
        EXPECT_EQUAL(a.ks->QueryInterface(*iid, by_ks.put_void()), S_OK);
        EXPECT_EQUAL(a.memory->QueryInterface(*iid, by_memory.put_void()), S_OK);
        EXPECT_EQUAL(by_ks.get(), by_memory.get());
    }
}

STATEMENT(15, "both faces have one IUnknown") {
    Allocator a;
    Reference<IUnknown> one, other, again;
    REQUIRE_EQUAL(a.ks->QueryInterface(IID_IUnknown, one.put_void()), S_OK);
    REQUIRE_EQUAL(a.memory->QueryInterface(IID_IUnknown, other.put_void()), S_OK);
    EXPECT_EQUAL(one.get(), other.get());
    REQUIRE_EQUAL(one->QueryInterface(IID_IUnknown, again.put_void()), S_OK);
    EXPECT_EQUAL(one.get(), again.get());
}

STATEMENT(16, "an unknown interface is E_NOINTERFACE and a null pointer") {
    Allocator a;
    void *none = &a;
    EXPECT_EQUAL(a.ks->QueryInterface(IID_IMediaSample, &none), E_NOINTERFACE);
    EXPECT_EQUAL(none, nullptr);
    none = &a;
    EXPECT_EQUAL(a.memory->QueryInterface(IID_IMediaSample, &none), E_NOINTERFACE);
    EXPECT_EQUAL(none, nullptr);
    none = &a;
    EXPECT_EQUAL(library::create_allocator(IID_IKsPin, &none), E_NOINTERFACE);
    EXPECT_EQUAL(none, nullptr);
}

STATEMENT(17, "AddRef and Release answer the count") {
    Reference<IKsAllocatorEx> single;
    REQUIRE_EQUAL(library::create_allocator(IID_IKsAllocatorEx, single.put_void()), S_OK);
    EXPECT_EQUAL(single->AddRef(), 2);
    EXPECT_EQUAL(single->Release(), 1);
}

STATEMENT(18, "the last Release destroys an allocator that is not committed") {
    Client client; // goes with the object
    Reference<IMemAllocatorCallbackTemp> single;
    REQUIRE_EQUAL(library::create_allocator(IID_IMemAllocatorCallbackTemp, single.put_void()), S_OK);
    REQUIRE_EQUAL(single->SetNotify(&client), S_OK);
    single->AddRef();
    EXPECT_EQUAL(single->Release(), 1);
    EXPECT_EQUAL(client.count.load(), 2);
    EXPECT_EQUAL(single.detach()->Release(), 0);
    EXPECT_EQUAL(client.count.load(), 1);
}

STATEMENT(19, "a sample of a committed allocator is good after all references to the allocator are gone") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 5000), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    IMemAllocatorCallbackTemp *itself = a.memory.get();
    a.drop();
    BYTE *buffer = nullptr;
    EXPECT_EQUAL(sample->GetPointer(&buffer), S_OK);
    REQUIRE(buffer != nullptr);
    std::memset(buffer, 0xA5, 5000);
    EXPECT_EQUAL(sample->GetSize(), 5000);
    EXPECT_EQUAL(sample.detach()->Release(), 0);
    // It refers to itself still (20), and nobody else ends that.
    itself->Decommit();
}

STATEMENT(20, "a committed allocator exists without references until it is decommitted") {
    Client client; // tells when the allocator ends
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    IMemAllocatorCallbackTemp *itself = a.memory.get();
    a.drop();
    sample.reset();
    EXPECT_EQUAL(client.notified.load(), 1);
    REQUIRE_EQUAL(client.count.load(), 2);
    EXPECT_EQUAL(itself->Decommit(), S_OK);
    EXPECT_EQUAL(client.count.load(), 1);
}

STATEMENT(21, "a decommitted allocator without references is destroyed by the last sample's Release") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    Sample first = a.sample(), last = a.sample();
    REQUIRE(first && last);
    EXPECT_EQUAL(a.memory->Decommit(), S_OK);
    a.drop();
    EXPECT_EQUAL(client.count.load(), 2);
    EXPECT_EQUAL(first.detach()->Release(), 0);
    EXPECT_EQUAL(client.count.load(), 2);
    EXPECT_EQUAL(last.detach()->Release(), 0);
    EXPECT_EQUAL(client.count.load(), 1);
    EXPECT_EQUAL(client.ends.load(), 0);
}

STATEMENT(22, "the client of notifications is released with the allocator") {
    Client client;
    {
        Allocator a;
        REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
        EXPECT_EQUAL(client.count.load(), 2);
        a.drop();
    }
    EXPECT_EQUAL(client.count.load(), 1);
    EXPECT_EQUAL(client.notified.load(), 0);
}

STATEMENT(23, "the handle is closed once with the allocator") {
    HANDLE handle = platform::new_handle();
    REQUIRE(platform::is_open(handle));
    Allocator a;
    a.ks->KsSetAllocatorHandle(handle);
    REQUIRE(platform::is_open(handle));
    platform::watch(handle);
    a.drop();
    EXPECT(!platform::is_open(handle));
    platform::Watch seen = platform::watched();
    if (seen.counts) {
        EXPECT_EQUAL(seen.closed, 1);
    }
}
