// A filter graph of the system's: file source, splitter, our renderers.
#pragma once

#include "renderer.h"

#include <string>
#include <vector>

enum class Splitter { wave, avi };

class Graph {
public:
    // Source, splitter and renderers, joined pin by pin.
    static Graph joined(const std::wstring &file, Splitter splitter, const std::vector<Renderer *> &renderers);
    // The renderers, and whatever the system finds to play the file into them.
    static Graph rendered(const std::wstring &file, const std::vector<Renderer *> &renderers);

    Graph(Graph &&) = default;
    // Stops it.
    ~Graph();

    void run() const;
    // Stops it: nothing streams any more when it answers.
    void stop() const;
    // Waits for EC_COMPLETE. Under Wine a second run remembers that of the first.
    void wait_for_completion() const;
    // To a place in units of 100 ns. In a running graph this flushes.
    void seek(LONGLONG position) const;
    LONGLONG duration() const;
    // Releases it with its filters and files; the answer is the count of references that are left.
    ULONG release();

private:
    explicit Graph(const std::vector<Renderer *> &renderers);

    Reference<IGraphBuilder> builder;
};
