#include "media_file.h"

#include "../windows/cases.h"

#include <algorithm>
#include <cmath>
#include <windows.h>

namespace {

// The same number for the same place, in no pattern (the finalizer of SplitMix64).
uint64_t noise(uint64_t place) {
    uint64_t mixed = place + 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
}

void put16(Bytes &to, uint32_t value) {
    to.push_back(static_cast<uint8_t>(value));
    to.push_back(static_cast<uint8_t>(value >> 8));
}

void put32(Bytes &to, uint32_t value) {
    put16(to, value);
    put16(to, value >> 16);
}

void put_code(Bytes &to, const char *four) { to.insert(to.end(), four, four + 4); }

void put_bytes(Bytes &to, const uint8_t *from, size_t count) { to.insert(to.end(), from, from + count); }

uint32_t as_length(size_t length) { return static_cast<uint32_t>(length); }

void put_chunk(Bytes &to, const char *code, const Bytes &content) {
    put_code(to, code);
    put32(to, as_length(content.size()));
    put_bytes(to, content.data(), content.size());
    if (content.size() % 2 != 0) {
        to.push_back(0); // chunks begin at even places
    }
}

// A chunk "RIFF" or "LIST": its kind, then chunks.
void put_list(Bytes &to, const char *code, const char *kind, const Bytes &chunks) {
    Bytes content;
    put_code(content, kind);
    put_bytes(content, chunks.data(), chunks.size());
    put_chunk(to, code, content);
}

// WAVEFORMATEX without its last member, as files have it for PCM.
Bytes wave_format(const Sound &sound) {
    Bytes format;
    put16(format, 1); // WAVE_FORMAT_PCM
    put16(format, Sound::channels);
    put32(format, sound.rate);
    put32(format, sound.rate * Sound::frame_size);
    put16(format, Sound::frame_size);
    put16(format, 16);
    return format;
}

// BITMAPINFOHEADER. A positive height says that RGB is stored from the bottom up; it means nothing for YUV.
Bytes bitmap_header(const Pictures &pictures) {
    Bytes header;
    put32(header, 40);
    put32(header, pictures.width);
    put32(header, pictures.height);
    put16(header, 1);
    put16(header, pictures.pixels == Pixels::yuy2 ? 16 : 24);
    if (pictures.pixels == Pixels::yuy2) {
        put_code(header, "YUY2");
    } else {
        put32(header, 0); // BI_RGB
    }
    put32(header, pictures.picture_size());
    put32(header, 0);
    put32(header, 0);
    put32(header, 0);
    put32(header, 0);
    return header;
}

// AVISTREAMHEADER: `rate` samples of `sample_size` bytes (0: each chunk is one) in `scale` seconds.
Bytes stream_header(const char *kind, const char *handler, uint32_t scale, uint32_t rate, uint32_t length,
                    uint32_t buffer_size, uint32_t sample_size, uint32_t width, uint32_t height) {
    Bytes header;
    put_code(header, kind);
    put_code(header, handler);
    put32(header, 0); // flags
    put32(header, 0); // priority, language
    put32(header, 0); // initial frames
    put32(header, scale);
    put32(header, rate);
    put32(header, 0); // start
    put32(header, length);
    put32(header, buffer_size);
    put32(header, 0xFFFFFFFF); // quality: not said
    put32(header, sample_size);
    put16(header, 0);
    put16(header, 0);
    put16(header, width);
    put16(header, height);
    return header;
}

void put_stream(Bytes &to, const Bytes &header, const Bytes &format) {
    Bytes chunks;
    put_chunk(chunks, "strh", header);
    put_chunk(chunks, "strf", format);
    put_list(to, "LIST", "strl", chunks);
}

} // namespace

Bytes Sound::content() const {
    Bytes samples;
    samples.reserve(static_cast<size_t>(frames()) * frame_size);
    for (uint32_t frame = 0; frame < frames(); ++frame) {
        double phase = 2 * 3.14159265358979323846 * 440 * frame / rate;
        put16(samples, static_cast<uint16_t>(static_cast<int16_t>(std::lround(12000 * std::sin(phase)))));
        put16(samples, static_cast<uint16_t>(noise(frame)));
    }
    return samples;
}

Bytes Pictures::content() const {
    Bytes all;
    all.reserve(static_cast<size_t>(count) * picture_size());
    for (uint32_t picture = 0; picture < count; ++picture) {
        for (uint32_t place = 0; place < picture_size(); ++place) {
            uint64_t grain = noise(static_cast<uint64_t>(picture) * picture_size() + place) & 31;
            all.push_back(static_cast<uint8_t>(place + 7 * picture + grain));
        }
    }
    return all;
}

Bytes wave_file(const Sound &sound) {
    Bytes chunks;
    put_chunk(chunks, "fmt ", wave_format(sound));
    put_chunk(chunks, "data", sound.content());
    Bytes file;
    put_list(file, "RIFF", "WAVE", chunks);
    return file;
}

Bytes avi_file(const Pictures &pictures, const Sound *sound) {
    const bool yuy2 = pictures.pixels == Pixels::yuy2;
    const uint32_t sound_step = sound != nullptr ? sound->rate / pictures.rate * Sound::frame_size : 0;

    Bytes main_header;
    put32(main_header, 1000000 / pictures.rate); // microseconds a picture
    put32(main_header, pictures.picture_size() * pictures.rate + sound_step * pictures.rate);
    put32(main_header, 0);
    put32(main_header, sound != nullptr ? 0x110 : 0x10); // AVIF_HASINDEX, AVIF_ISINTERLEAVED
    put32(main_header, pictures.count);
    put32(main_header, 0);
    put32(main_header, sound != nullptr ? 2 : 1);
    put32(main_header, pictures.picture_size());
    put32(main_header, pictures.width);
    put32(main_header, pictures.height);
    for (int reserved = 0; reserved < 4; ++reserved) {
        put32(main_header, 0);
    }

    Bytes headers;
    put_chunk(headers, "avih", main_header);
    put_stream(headers,
               stream_header("vids", yuy2 ? "YUY2" : "DIB ", 1, pictures.rate, pictures.count, pictures.picture_size(),
                             0, pictures.width, pictures.height),
               bitmap_header(pictures));
    if (sound != nullptr) {
        put_stream(
            headers,
            stream_header("auds", "\0\0\0\0", 1, sound->rate, sound->frames(), sound_step, Sound::frame_size, 0, 0),
            wave_format(*sound));
    }

    Bytes chunks;
    Bytes index;
    auto put_data = [&](const char *code, const uint8_t *from, size_t count) {
        put_code(index, code);
        put32(index, 0x10);                         // AVIIF_KEYFRAME
        put32(index, as_length(4 + chunks.size())); // from the list's kind on
        put32(index, as_length(count));
        put_chunk(chunks, code, Bytes(from, from + count));
    };
    const Bytes picture_content = pictures.content();
    const Bytes sound_content = sound != nullptr ? sound->content() : Bytes();
    size_t sound_written = 0;
    for (uint32_t picture = 0; picture < pictures.count; ++picture) {
        if (sound != nullptr) {
            size_t left = sound_content.size() - sound_written;
            size_t count = picture + 1 == pictures.count ? left : std::min<size_t>(left, sound_step);
            if (count != 0) {
                put_data("01wb", sound_content.data() + sound_written, count);
                sound_written += count;
            }
        }
        const size_t size = pictures.picture_size();
        put_data(yuy2 ? "00dc" : "00db", picture_content.data() + picture * size, size);
    }

    Bytes lists;
    put_list(lists, "LIST", "hdrl", headers);
    put_list(lists, "LIST", "movi", chunks);
    put_chunk(lists, "idx1", index);
    Bytes file;
    put_list(file, "RIFF", "AVI ", lists);
    return file;
}

TemporaryFile::TemporaryFile(const std::string &name, const Bytes &content) {
    wchar_t folder[MAX_PATH + 1];
    require(GetTempPathW(MAX_PATH + 1, folder) != 0, "there is a folder for temporary files");
    full_path = folder + std::wstring(L"kspipe-") + std::to_wstring(GetCurrentProcessId()) + L"-" +
                std::wstring(name.begin(), name.end());
    HANDLE file =
        CreateFileW(full_path.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
    require(file != INVALID_HANDLE_VALUE, "the file is created");
    DWORD written = 0;
    BOOL whole = WriteFile(file, content.data(), as_length(content.size()), &written, nullptr);
    CloseHandle(file);
    require(whole && written == content.size(), "the file is written");
}

TemporaryFile::~TemporaryFile() { DeleteFileW(full_path.c_str()); }
