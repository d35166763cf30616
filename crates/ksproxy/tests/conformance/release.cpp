// Statements 72 to 87: a sample's way home, and who is told of it.
#include "library.hpp"
#include "suite.hpp"

STATEMENT(72, "a Release that is not the last frees nothing") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(4, 16), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    EXPECT_EQUAL(sample->AddRef(), 2);
    EXPECT_EQUAL(sample->Release(), 1);
    EXPECT_EQUAL(a.free(), 3);
}

STATEMENT(73, "the last one answers 0 and frees the sample") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(4, 16), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    sample->AddRef();
    sample->Release();
    EXPECT_EQUAL(sample.detach()->Release(), 0);
    EXPECT_EQUAL(a.free(), 4);
}

STATEMENT(74, "ReleaseBuffer(NULL) is E_POINTER") {
    Allocator a;
    EXPECT_EQUAL(a.memory->ReleaseBuffer(nullptr), E_POINTER);
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    EXPECT_EQUAL(a.memory->ReleaseBuffer(nullptr), E_POINTER);
    EXPECT_EQUAL(a.free(), 1);
}

STATEMENT(75, "ReleaseBuffer of a sample of somebody else's fails and changes nothing") {
    Allocator a, other;
    REQUIRE_EQUAL(a.commit(2, 16), S_OK);
    REQUIRE_EQUAL(other.commit(1, 16), S_OK);
    Sample own = a.sample(), foreign = other.sample();
    REQUIRE(own && foreign);
    EXPECT(FAILED(a.memory->ReleaseBuffer(foreign.get())));
    EXPECT_EQUAL(a.free(), 1);
    EXPECT_EQUAL(other.free(), 0);
    EXPECT_EQUAL(references(foreign.get()), 1);
}

STATEMENT(76, "the client is told once of a sample that comes home") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(4, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    a.sample().reset();
    EXPECT_EQUAL(client.notified.load(), 1);
    Sample one = a.sample(), two = a.sample();
    EXPECT_EQUAL(client.notified.load(), 1);
    one.reset();
    two.reset();
    EXPECT_EQUAL(client.notified.load(), 3);
}

STATEMENT(77, "the client is not told of a Release that is not the last") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(4, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    sample->AddRef();
    sample->Release();
    EXPECT_EQUAL(client.notified.load(), 0);
}

STATEMENT(78, "the client is told of the last sample of a decommitted allocator") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(4, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    a.memory->Decommit();
    EXPECT_EQUAL(client.notified.load(), 0);
    sample.reset();
    EXPECT_EQUAL(client.notified.load(), 1);
}

STATEMENT(79, "the client finds the sample free, and may take it") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    LONG seen = -1;
    Sample taken;
    client.then = [&] {
        seen = a.free();
        if (!taken) {
            taken = a.sample();
        }
    };
    Sample sample = a.sample();
    REQUIRE(sample);
    sample.reset();
    EXPECT_EQUAL(seen, 1);
    EXPECT(taken);
    EXPECT_EQUAL(a.free(), 0);
    client.then = nullptr;
}

STATEMENT(80, "NotifyRelease is called outside of every lock") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(2, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    // Another thread does everything there is, while the client waits for it.
    HRESULT answers[3] = {E_FAIL, E_FAIL, E_FAIL};
    bool once = false;
    client.then = [&] {
        if (once) {
            return;
        }
        once = true;
        platform::Thread other([&] {
            LONG count;
            answers[0] = a.memory->GetFreeCount(&count);
            Sample sample;
            answers[1] = a.get(sample.put());
            sample.reset();
            ALLOCATOR_PROPERTIES properties;
            answers[2] = a.memory->GetProperties(&properties);
            a.ks->KsGetAllocatorMode();
            a.ks->KsSetAllocatorMode(KsAllocatorMode_User);
            KSSTREAMALLOCATOR_STATUS status;
            a.ks->KsGetAllocatorStatus(&status);
            a.memory->Decommit();
            a.memory->Commit();
        });
        other.join();
    };
    a.sample().reset();
    EXPECT(once);
    for (HRESULT answer : answers) {
        EXPECT_EQUAL(answer, S_OK);
    }
}

STATEMENT(81, "a second client takes the first one's place") {
    Client first, second;
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    EXPECT_EQUAL(a.memory->SetNotify(&first), S_OK);
    EXPECT_EQUAL(a.memory->SetNotify(&second), S_OK);
    EXPECT_EQUAL(first.count.load(), 1);
    EXPECT_EQUAL(second.count.load(), 2);
    a.sample().reset();
    EXPECT_EQUAL(first.notified.load(), 0);
    EXPECT_EQUAL(second.notified.load(), 1);
}

STATEMENT(82, "SetNotify(NULL) releases the client, who is told no more") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    EXPECT_EQUAL(a.memory->SetNotify(nullptr), S_OK);
    EXPECT_EQUAL(client.count.load(), 1);
    a.sample().reset();
    EXPECT_EQUAL(client.notified.load(), 0);
}

STATEMENT(83, "SetNotify of the same client again never leaves it without a reference") {
    Client client;
    Allocator a;
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    client.Release(); // the allocator's reference is the only one
    EXPECT_EQUAL(a.memory->SetNotify(&client), S_OK);
    EXPECT_EQUAL(client.ends.load(), 0);
    EXPECT_EQUAL(client.count.load(), 1);
    client.AddRef();
}

STATEMENT(84, "what NotifyRelease answers does not matter") {
    Client client;
    client.answer = E_FAIL;
    Allocator a;
    REQUIRE_EQUAL(a.commit(1, 16), S_OK);
    REQUIRE_EQUAL(a.memory->SetNotify(&client), S_OK);
    Sample sample = a.sample();
    REQUIRE(sample);
    EXPECT_EQUAL(sample.detach()->Release(), 0);
    EXPECT_EQUAL(client.notified.load(), 1);
    EXPECT_EQUAL(a.free(), 1);
    EXPECT(a.sample());
}

STATEMENT(85, "GetFreeCount(NULL) is E_POINTER") {
    Allocator a;
    EXPECT_EQUAL(a.memory->GetFreeCount(nullptr), E_POINTER);
}

STATEMENT(86, "before Commit as many are free as were asked for") {
    Allocator a;
    REQUIRE_EQUAL(a.set(4, 16, 1, 0), S_OK);
    LONG count = -1;
    EXPECT_EQUAL(a.memory->GetFreeCount(&count), S_OK);
    EXPECT_EQUAL(count, 4);
}

STATEMENT(87, "free are those that nobody holds") {
    Allocator a;
    REQUIRE_EQUAL(a.commit(4, 16), S_OK);
    EXPECT_EQUAL(a.free(), 4);
    std::vector<Sample> out;
    for (LONG left = 3; left >= 0; --left) {
        out.push_back(a.sample());
        REQUIRE(out.back());
        EXPECT_EQUAL(a.free(), left);
    }
}
