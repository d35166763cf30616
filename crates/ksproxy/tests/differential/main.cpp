// The allocator under test and the system's CLSID_MemoryAllocator, given the same random calls, do the same.
//
// differential DLL [SEED [SEQUENCES]]        the DLL must export KspCreateAllocator
// differential --quartz [SEED [SEQUENCES]]   the system's own against itself
//
// Where they are meant to differ is listed in differences.cpp, each with an example that must show it. A sequence that
// shows any other difference is printed at its shortest. Exit code 0: they agree; 1: they do not; 2: the DLL cannot be
// used; 3: a call did not end.

#include "../windows/cases.h"
#include "../windows/subject.h"
#include "comparison.h"
#include "wrong_allocator.h"

#include <cstdlib>

namespace {

struct Amount {
    uint64_t seed = 1;
    unsigned sequences = 4000;
};

// What is being run, for the case that a call ends the process.
const std::vector<Call> *running;

LONG WINAPI say_what_ran(EXCEPTION_POINTERS *exception) {
    std::printf("exception %s in the sequence\n",
                hexadecimal(static_cast<HRESULT>(exception->ExceptionRecord->ExceptionCode)).c_str());
    for (size_t index = 0; running != nullptr && index < running->size(); ++index) {
        std::printf("  %s\n", to_string((*running)[index]).c_str());
    }
    std::fflush(stdout);
    return EXCEPTION_CONTINUE_SEARCH;
}

// Runs sequences until one diverges; that one, at its shortest.
std::vector<Call> find_divergence(const Comparison &comparison, Amount amount, Tally &tally) {
    for (unsigned sequence = 0; sequence < amount.sequences; ++sequence) {
        Random random(amount.seed * 0x100000000 + sequence);
        const std::vector<Call> calls = random_calls(random);
        running = &calls;
        auto divergence = comparison.run(calls, tally);
        running = nullptr;
        if (divergence) {
            std::printf("sequence %u of seed %llu diverges\n", sequence, static_cast<unsigned long long>(amount.seed));
            return comparison.shorten(calls);
        }
    }
    return {};
}

void a_wrong_one_is_found(Wrong wrong, size_t most_calls) {
    const std::vector<Difference> none;
    const Comparison comparison([wrong] { return WrongAllocator::create(create_system_allocator(), wrong); },
                                create_system_allocator, none);
    Tally tally;
    const auto calls = find_divergence(comparison, {1, 400}, tally);
    require(!calls.empty(), "it is found");
    require(calls.size() <= most_calls, "it is found at its shortest, not in\n" + comparison.describe(calls));
}

int compare(const Subject &subject, Amount amount) {
    const std::vector<Difference> none;
    const auto &differences = subject.is_system() ? none : known_differences();
    const Comparison comparison([&subject] { return subject.create_allocator(); }, create_system_allocator,
                                differences);
    Cases cases;
    Tally tally;
    cases.run("random_calls_do_the_same", [&] {
        const auto calls = find_divergence(comparison, amount, tally);
        require(calls.empty(), "they differ\n" + comparison.describe(calls));
    });
    if (!subject.is_system()) {
        for (const Difference &difference : differences) {
            cases.run(std::string("known_difference: ") + difference.name, [&] {
                Tally shown;
                require(!comparison.run(difference.example, shown),
                        "its example\n" + comparison.describe(difference.example));
                require(shown[difference.name] != 0, "its example does not show it; is it still one?");
            });
            std::printf("  %u times among the random calls. %s\n", tally[difference.name], difference.reason);
        }
    }
    cases.run("a_second_commit_that_fails_is_found", [] { a_wrong_one_is_found(Wrong::second_commit_fails, 3); });
    cases.run("properties_taken_while_committed_are_found",
              [] { a_wrong_one_is_found(Wrong::properties_of_a_committed_one_are_taken, 3); });
    cases.run("times_on_a_new_sample_are_found",
              [] { a_wrong_one_is_found(Wrong::times_are_applied_to_the_sample, 4); });
    cases.run("samples_given_after_decommit_are_found",
              [] { a_wrong_one_is_found(Wrong::samples_are_given_after_decommit, 4); });
    return cases.finish();
}

} // namespace

int main(int count, char **arguments) {
    if (count < 2 || count > 4) {
        std::fprintf(stderr, "differential (DLL | --quartz) [SEED [SEQUENCES]]\n");
        return 2;
    }
    Amount amount;
    if (count > 2) {
        amount.seed = std::strtoull(arguments[2], nullptr, 10);
    }
    if (count > 3) {
        amount.sequences = static_cast<unsigned>(std::strtoul(arguments[3], nullptr, 10));
    }
    SetUnhandledExceptionFilter(say_what_ran);
    ComRuntime com;
    try {
        return compare(Subject(arguments[1]), amount);
    } catch (const Unusable &reason) {
        std::fprintf(stderr, "differential: %s\n", reason.what());
        return 2;
    }
}
