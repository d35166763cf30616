/*
 * Fills the frames of a pin: the first with zeros, the next with ones.
 *
 *     gcc -std=c99 -Iinclude examples/producer.c -o producer -L. -lksproxy && ./producer SOCKET FILTER.PIN FRAMES
 */

#include "kspipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a frame is shown, in units of 100 ns. */
static LONGLONG duration(KSP_CLIENT *client, const char *pin) {
    KSP_FORMAT format;
    format.Size = sizeof(format);
    if (FAILED(KspGetFormat(client, pin, &format)) || format.RateNumerator == 0) {
        return 0;
    }
    return 10000000LL * format.RateDenominator / format.RateNumerator;
}

/* Sends a frame. */
static HRESULT send_one(KSP_WRITER *writer, LONGLONG shown) {
    KSP_FRAME *frame = NULL;
    HRESULT result = KspAcquireFrame(writer, KSP_INFINITE, &frame);
    if (FAILED(result)) {
        return result;
    }
    KSP_FRAME_HEADER header;
    header.Size = sizeof(header);
    void *bytes = NULL;
    size_t size = 0;
    if (FAILED(result = KspGetFrameHeader(frame, &header)) || FAILED(result = KspGetFrameBytes(frame, &bytes, &size))) {
        KspReleaseFrame(frame);
        return result;
    }
    memset(bytes, (int)(header.Sequence & 0xFF), size);
    header.PresentationTime = (LONGLONG)header.Sequence * shown;
    header.Duration = shown;
    header.OptionsFlags = KSSTREAM_HEADER_OPTIONSF_TIMEVALID | KSSTREAM_HEADER_OPTIONSF_DURATIONVALID |
            KSSTREAM_HEADER_OPTIONSF_SPLICEPOINT;
    KspSetFrameHeader(frame, &header);
    return KspSendFrame(writer, frame); /* it is the receiver's from here on */
}

int main(int count, char **arguments) {
    if (count != 4) {
        fprintf(stderr, "producer SOCKET FILTER.PIN FRAMES\n");
        return 2;
    }
    KSP_CLIENT *client = NULL;
    KSP_FILTER *filter = NULL;
    KSP_WRITER *writer = NULL;
    HRESULT result = KspConnect(arguments[1], &client);
    if (SUCCEEDED(result)) {
        result = KspJoin(client, arguments[2], &filter);
    }
    if (SUCCEEDED(result)) {
        result = KspOpenWriter(filter, arguments[2], &writer);
    }
    LONGLONG shown = SUCCEEDED(result) ? duration(client, arguments[2]) : 0;
    long left = strtol(arguments[3], NULL, 10);
    while (SUCCEEDED(result) && left-- > 0) {
        result = send_one(writer, shown);
    }
    /* Asked to end, it has done what it should. */
    int code = SUCCEEDED(result) || result == KSP_E_STOPPING ? 0 : 1;
    if (code != 0) {
        fprintf(stderr, "%s: %s\n", arguments[2], KspGetLastErrorText());
    }
    KspEndStream(writer);
    KspCloseFilter(filter);
    KspCloseClient(client);
    return code;
}
