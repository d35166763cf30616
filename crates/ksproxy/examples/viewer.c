/*
 * Says of every frame of a pin what is in it, from a loop that could wait for other things, too.
 *
 *     gcc -std=c99 -Iinclude examples/viewer.c -o viewer -L. -lksproxy && ./viewer SOCKET FILTER.PIN
 */

#include "kspipe.h"

#include <poll.h>
#include <stdio.h>

/* Says what failed, and why. */
static int failed(const char *what) {
    fprintf(stderr, "%s: %s\n", what, KspGetLastErrorText());
    return 1;
}

static void show(KSP_FRAME *frame) {
    KSP_FRAME_HEADER header;
    header.Size = sizeof(header);
    const void *data = NULL;
    size_t size = 0;
    if (FAILED(KspGetFrameHeader(frame, &header)) || FAILED(KspGetFrameData(frame, &data, &size))) {
        return;
    }
    const unsigned char *bytes = (const unsigned char *)data;
    unsigned long long sum = 0;
    size_t place;
    for (place = 0; place < size; place++) {
        sum += bytes[place];
    }
    printf("%llu: mean %llu\n", (unsigned long long)header.Sequence, size == 0 ? 0 : sum / size);
}

/* Takes frames until there are no more, and waits where none is there. */
static HRESULT watch(KSP_FRAMES *frames, int descriptor) {
    for (;;) {
        KSP_FRAME *frame = NULL;
        HRESULT result = KspNextFrame(frames, 0, &frame);
        if (SUCCEEDED(result)) {
            show(frame);
            KspReleaseFrame(frame);
        } else if (result == VFW_E_TIMEOUT) {
            if (KspArm(frames) == S_OK) {
                struct pollfd polled = {descriptor, POLLIN, 0};
                poll(&polled, 1, -1);
            }
        } else if (result != KSP_E_NO_FRAME) {
            return result;
        }
    }
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "viewer SOCKET FILTER.PIN\n");
        return 2;
    }
    KSP_CLIENT *client = NULL;
    KSP_FILTER *filter = NULL;
    KSP_FRAMES *frames = NULL;
    int descriptor = -1;
    if (FAILED(KspConnect(arguments[1], &client)) || FAILED(KspJoin(client, arguments[2], &filter)) ||
            FAILED(KspOpenFrames(filter, arguments[2], &frames)) || FAILED(KspGetDescriptor(frames, &descriptor))) {
        return failed(arguments[2]);
    }
    HRESULT result = watch(frames, descriptor);
    int code = result == KSP_E_END_OF_STREAM ? 0 : failed(arguments[2]);
    KspCloseFrames(frames);
    KspCloseFilter(filter);
    KspCloseClient(client);
    return code;
}
