// The allocator under test beside the system's CLSID_MemoryAllocator, in one process and one run.
//
// allocator DLL [ROUNDS]   the DLL must export KspCreateAllocator
//
// Prints what a call takes, in nanoseconds, median and least, and the ratio of ours to theirs: in each round both are
// measured one after the other, and a ratio is the median of the rounds' ratios. What a machine is busy with beside
// changes the nanoseconds more than the ratios.

#include "../../tests/windows/subject.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

constexpr LONG frames = 16;
constexpr LONG frame_size = 4096;

double now() {
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    return 1e9 * static_cast<double>(count.QuadPart) / static_cast<double>(frequency.QuadPart);
}

void check(HRESULT answer, const char *what) {
    if (FAILED(answer)) {
        std::fprintf(stderr, "%s answers 0x%08lX\n", what, static_cast<unsigned long>(answer));
        std::exit(1);
    }
}

void set_properties(IMemAllocator *allocator) {
    ALLOCATOR_PROPERTIES request = {frames, frame_size, 1, 0};
    ALLOCATOR_PROPERTIES actual;
    check(allocator->SetProperties(&request, &actual), "SetProperties");
}

void get_and_release(IMemAllocator *allocator, unsigned times) {
    for (unsigned time = 0; time < times; ++time) {
        IMediaSample *sample;
        check(allocator->GetBuffer(&sample, nullptr, nullptr, 0), "GetBuffer");
        sample->Release();
    }
}

// Threads that begin together and do the same on one allocator.
class Threads {
public:
    Threads(unsigned count, IMemAllocator *shared, unsigned times)
        : allocator(shared), repetitions(times), missing(count) {
        begin = CreateEventW(nullptr, TRUE, FALSE, nullptr);
        for (unsigned thread = 0; thread < count; ++thread) {
            handles.push_back(CreateThread(nullptr, 0, run, this, 0, nullptr));
        }
    }
    ~Threads() {
        for (HANDLE handle : handles) {
            CloseHandle(handle);
        }
        CloseHandle(begin);
    }
    Threads(const Threads &) = delete;
    Threads &operator=(const Threads &) = delete;

    // From the moment all are let go to the end of the last.
    double measure() {
        while (missing != 0) {
            SwitchToThread(); // until each waits to be let go
        }
        const double start = now();
        SetEvent(begin);
        WaitForMultipleObjects(static_cast<DWORD>(handles.size()), handles.data(), TRUE, INFINITE);
        return now() - start;
    }

private:
    static DWORD WINAPI run(void *argument) {
        auto *self = static_cast<Threads *>(argument);
        --self->missing;
        WaitForSingleObject(self->begin, INFINITE);
        get_and_release(self->allocator, self->repetitions);
        return 0;
    }

    IMemAllocator *allocator;
    unsigned repetitions;
    std::atomic<unsigned> missing;
    HANDLE begin;
    std::vector<HANDLE> handles;
};

using Maker = Reference<IMemAllocator> (*)(const Subject &);

Reference<IMemAllocator> make_ours(const Subject &subject) { return subject.create_allocator(); }
Reference<IMemAllocator> make_theirs(const Subject &) { return create_system_allocator(); }

// One measurement: what one operation takes.
struct Measurement {
    const char *name;
    double (*take)(const Subject &subject, Maker make, unsigned times);
    unsigned ours; // operations in a round
    unsigned theirs;
};

template <unsigned count> double get_buffer(const Subject &subject, Maker make, unsigned times) {
    auto allocator = make(subject);
    set_properties(allocator.get());
    check(allocator->Commit(), "Commit");
    get_and_release(allocator.get(), 1000); // warm
    const double taken = Threads(count, allocator.get(), times).measure();
    allocator->Decommit();
    return taken / times;
}

double commit_again(const Subject &subject, Maker make, unsigned times) {
    auto allocator = make(subject);
    set_properties(allocator.get());
    const double start = now();
    for (unsigned time = 0; time < times; ++time) {
        check(allocator->Commit(), "Commit");
        check(allocator->Decommit(), "Decommit");
    }
    return (now() - start) / times;
}

double commit_new(const Subject &subject, Maker make, unsigned times) {
    double taken = 0;
    for (unsigned time = 0; time < times; ++time) {
        auto allocator = make(subject);
        set_properties(allocator.get());
        const double start = now();
        check(allocator->Commit(), "Commit");
        check(allocator->Decommit(), "Decommit");
        taken += now() - start;
    }
    return taken / times;
}

double median(std::vector<double> numbers) {
    std::sort(numbers.begin(), numbers.end());
    return numbers[numbers.size() / 2];
}

void print(const Measurement &measurement, const Subject &subject, unsigned rounds) {
    std::vector<double> ours, theirs, ratios;
    for (unsigned round = 0; round < rounds; ++round) {
        ours.push_back(measurement.take(subject, make_ours, measurement.ours));
        theirs.push_back(measurement.take(subject, make_theirs, measurement.theirs));
        ratios.push_back(theirs.back() / ours.back());
    }
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
    std::printf("| %s | %.0f (%.0f) | %.0f (%.0f) | 1/%.0f | 1/%.0f to 1/%.0f |\n", measurement.name, median(ours),
                *std::min_element(ours.begin(), ours.end()), median(theirs),
                *std::min_element(theirs.begin(), theirs.end()), median(ratios), *least, *most);
    std::fflush(stdout);
}

} // namespace

int main(int count, char **arguments) {
    if (count != 2 && count != 3) {
        std::fprintf(stderr, "allocator DLL [ROUNDS]\n");
        return 2;
    }
    ComRuntime com;
    try {
        const Subject subject(arguments[1]);
        const unsigned rounds = count == 3 ? static_cast<unsigned>(std::strtoul(arguments[2], nullptr, 10)) : 9;
        std::printf("%ld frames of %ld bytes, medians of %u rounds\n\n", frames, frame_size, rounds);
        std::printf("| | ours, ns (least) | theirs, ns (least) | ratio | in the rounds |\n");
        std::printf("| --- | --- | --- | --- | --- |\n");
        const Measurement measurements[] = {
            {"GetBuffer + Release, 1 thread", get_buffer<1>, 500000, 20000},
            {"GetBuffer + Release, 2 threads, each", get_buffer<2>, 500000, 20000},
            {"Commit + Decommit again", commit_again, 20000, 500},
            {"Commit + Decommit of a new allocator", commit_new, 500, 500},
        };
        for (const Measurement &measurement : measurements) {
            print(measurement, subject, std::max(rounds, 1u));
        }
        return 0;
    } catch (const Unusable &reason) {
        std::fprintf(stderr, "allocator: %s\n", reason.what());
        return 2;
    }
}
