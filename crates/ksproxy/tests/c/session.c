/*
 * What the examples in C leave out, and what a program in C may do wrong: session SOCKET, of a graph with the filters `a`, a
 * source, and `c`, a sink, both outside. Prints what is otherwise than it should be.
 */

#include "kspipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int wrong = 0;

#define EXPECT(what)                                                                  \
    do {                                                                              \
        if (!(what)) {                                                                \
            printf("%d: %s (last error: %s)\n", __LINE__, #what, KspGetLastErrorText()); \
            wrong = 1;                                                                \
        }                                                                             \
    } while (0)

/* Texts are the caller's. */
static void texts(KSP_CLIENT *client) {
    char *text = NULL;
    EXPECT(KspGetDescription(client, &text) == S_OK && strstr(text, "\"c.in\"") != NULL);
    free(text);
    EXPECT(KspGetStatus(client, &text) == S_OK && strstr(text, "\"version\":1") != NULL);
    free(text);
    EXPECT(KspGetStatus(client, NULL) == E_POINTER);
    EXPECT(KspGetStatus(NULL, &text) == E_HANDLE && text == NULL);
    EXPECT(strcmp(KspGetLastErrorText(), "this is no such handle, or it was closed") == 0);
}

/* Null and handles that were closed are answered. */
static void misuse(KSP_CLIENT *client, KSP_FILTER *source, KSP_WRITER *writer, KSP_FRAMES *frames) {
    KSP_CLIENT *other = NULL;
    KSP_FILTER *filter = NULL;
    KSP_FRAME *frame = NULL;
    const void *data = &data;
    size_t size = 1;
    int descriptor = 0;
    EXPECT(KspConnect(NULL, &other) == E_POINTER && KspConnect("/nowhere", &other) == KSP_E_NO_SERVER && other == NULL);
    EXPECT(KspJoin(client, "nothing", &filter) == KSP_E_NO_SUCH_PIN && KspJoin(client, "a", &filter) == KSP_E_TAKEN);
    EXPECT(KspOpenFrames(source, "out", &frames) == VFW_E_INVALID_DIRECTION && frames == NULL);
    EXPECT(KspGetFrameData(NULL, &data, &size) == E_HANDLE && data == NULL && size == 0);
    EXPECT(KspGetDescriptor(NULL, &descriptor) == E_HANDLE && descriptor == -1);
    EXPECT(KspNextFrame(NULL, KSP_INFINITE, &frame) == E_HANDLE && frame == NULL);
    EXPECT(KspNextFrame((KSP_FRAMES *)(void *)writer, KSP_INFINITE, &frame) == E_HANDLE);
    EXPECT(KspSendFrame(writer, NULL) == E_HANDLE && KspArm(NULL) == E_HANDLE && KspIsStopping(NULL) == E_HANDLE);
    EXPECT(KspAcquireFrame(writer, KSP_INFINITE, &frame) == S_OK && KspReleaseFrame(frame) == S_OK);
    EXPECT(KspReleaseFrame(frame) == E_HANDLE && KspSendFrame(writer, frame) == E_HANDLE);
    EXPECT(KspReleaseFrame(NULL) == S_OK && KspCloseFrames(NULL) == S_OK && KspCloseWriter(NULL) == S_OK);
    EXPECT(KspCloseFilter(NULL) == S_OK && KspCloseClient(NULL) == S_OK && KspEndStream(NULL) == E_HANDLE);
}

int main(int count, char **arguments) {
    KSP_CLIENT *client = NULL;
    KSP_FILTER *source = NULL, *sink = NULL;
    KSP_WRITER *writer = NULL;
    KSP_FRAMES *frames = NULL;
    KSP_FRAME *frame = NULL;
    if (count != 2) {
        return 2;
    }
    EXPECT(strcmp(KspGetLastErrorText(), "") == 0);
    EXPECT(KspConnect(arguments[1], &client) == S_OK);
    EXPECT(KspJoin(client, "a", &source) == S_OK && KspJoin(client, "c.in", &sink) == S_OK);
    EXPECT(KspOpenWriter(source, "a.out", &writer) == S_OK && KspOpenFrames(sink, "in", &frames) == S_OK);
    texts(client);
    misuse(client, source, writer, frames);
    EXPECT(KspIsStopping(source) == S_FALSE);

    /* Whoever closes a writer leaves the stream to the next one. */
    EXPECT(KspCloseWriter(writer) == S_OK && KspCloseWriter(writer) == E_HANDLE);
    EXPECT(KspOpenWriter(source, "out", &writer) == S_OK);
    EXPECT(KspNextFrame(frames, 0, &frame) == VFW_E_TIMEOUT && KspNextFrame(frames, 1, &frame) == VFW_E_TIMEOUT);
    EXPECT(KspAcquireFrame(writer, KSP_INFINITE, &frame) == S_OK && KspSendFrame(writer, frame) == S_OK);
    EXPECT(KspNextFrame(frames, KSP_INFINITE, &frame) == S_OK && KspReleaseFrame(frame) == S_OK);
    EXPECT(KspEndStream(writer) == S_OK && KspEndStream(writer) == E_HANDLE);
    EXPECT(KspNextFrame(frames, KSP_INFINITE, &frame) == KSP_E_END_OF_STREAM && frame == NULL);
    EXPECT(KspCloseFrames(frames) == S_OK && KspCloseFilter(sink) == S_OK && KspCloseFilter(source) == S_OK);
    EXPECT(KspCloseClient(client) == S_OK && KspCloseClient(client) == E_HANDLE);
    return wrong;
}
