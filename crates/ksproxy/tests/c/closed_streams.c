/*
 * A program without standard streams, as services are: closed_streams SOCKET, of a graph with the filters `a`, a source, and
 * `c`, a sink, both outside. What it prints to a number that is a standard stream's must not land in frames or control words,
 * so nothing of the library's has such a number. Says on standard error, which it keeps under another number, what has.
 */

#include "kspipe.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int said = -1;
static int wrong = 0;

static void say(const char *what) {
    wrong = 1;
    if (write(said, what, strlen(what)) < 0 || write(said, "\n", 1) < 0) {
        wrong = 2;
    }
}

/* Looks at the standard streams after each step. */
static void expect(int is_right, const char *what) {
    int stream;
    if (!is_right) {
        say(what);
        say(KspGetLastErrorText());
    }
    for (stream = 0; stream < 3; stream++) {
        if (fcntl(stream, F_GETFD) != -1) {
            say("a standard stream is the library's, after");
            say(what);
        }
    }
}

#define EXPECT(what) expect(what, #what)

int main(int count, char **arguments) {
    KSP_CLIENT *client = NULL;
    KSP_FILTER *source = NULL, *sink = NULL;
    KSP_WRITER *writer = NULL;
    KSP_FRAMES *frames = NULL;
    KSP_FRAME *frame = NULL;
    char *text = NULL;
    int stream;
    said = fcntl(2, F_DUPFD, 10);
    if (count != 2 || said < 0) {
        return 2;
    }
    for (stream = 0; stream < 3; stream++) {
        close(stream);
    }
    EXPECT(KspConnect(arguments[1], &client) == S_OK);
    EXPECT(KspJoin(client, "a", &source) == S_OK);
    EXPECT(KspJoin(client, "c", &sink) == S_OK);
    EXPECT(KspOpenWriter(source, "out", &writer) == S_OK);
    EXPECT(KspOpenFrames(sink, "in", &frames) == S_OK);
    EXPECT(KspGetStatus(client, &text) == S_OK);
    EXPECT(KspAcquireFrame(writer, KSP_INFINITE, &frame) == S_OK);
    EXPECT(KspSendFrame(writer, frame) == S_OK);
    EXPECT(KspNextFrame(frames, KSP_INFINITE, &frame) == S_OK);
    EXPECT(KspReleaseFrame(frame) == S_OK);
    EXPECT(KspEndStream(writer) == S_OK);
    EXPECT(KspCloseFrames(frames) == S_OK);
    EXPECT(KspCloseFilter(sink) == S_OK);
    EXPECT(KspCloseFilter(source) == S_OK);
    EXPECT(KspCloseClient(client) == S_OK);
    return wrong;
}
