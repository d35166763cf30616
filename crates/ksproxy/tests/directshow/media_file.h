// Files with sound and pictures that are computed, so that every byte which arrives can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

using Bytes = std::vector<uint8_t>;

// Sound: interleaved 16-bit PCM, a tone on the left and noise on the right, so that no two places are alike.
struct Sound {
    uint32_t rate = 44100;
    uint32_t seconds = 2;

    static constexpr uint32_t channels = 2;
    static constexpr uint32_t frame_size = channels * 2;

    uint32_t frames() const { return rate * seconds; }
    Bytes content() const;
};

enum class Pixels { yuy2, rgb24 };

// Pictures: a moving gradient under noise, none like another.
struct Pictures {
    Pixels pixels = Pixels::yuy2;
    uint32_t width = 96;
    uint32_t height = 64;
    uint32_t rate = 25; // pictures a second
    uint32_t count = 50;

    uint32_t picture_size() const { return width * height * (pixels == Pixels::yuy2 ? 2 : 3); }
    Bytes content() const; // one picture after the other
};

// RIFF WAVE.
Bytes wave_file(const Sound &sound);

// RIFF AVI with an index. `sound` may be null; otherwise it is interleaved with the pictures, as stream 1.
Bytes avi_file(const Pictures &pictures, const Sound *sound);

// A file in the folder for temporary files, deleted when this is destroyed.
class TemporaryFile {
public:
    TemporaryFile(const std::string &name, const Bytes &content);
    ~TemporaryFile();
    TemporaryFile(const TemporaryFile &) = delete;
    TemporaryFile &operator=(const TemporaryFile &) = delete;

    const std::wstring &path() const { return full_path; }

private:
    std::wstring full_path;
};
