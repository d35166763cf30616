"""A mediated process of a served graph, written from docs/sessions.md and docs/protocol.md alone. A test runs it.

Its argument is the server's path. It joins `a`, which has one pin that sends, and `c`, which has one that receives. What it
sends comes back inverted. It prints a line for each thing that it saw, which the test compares.
"""

import fcntl
import json
import os
import select
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "ksobject" / "tests"))
from client import METHOD, SUCCESS, Connection, guid, open_at, pin_name, request, take_socket

FILTER_METHODS = guid("3748652A-283D-4187-B51D-B8793F787C25")
DESCRIBE, STATUS = 0, 1
PIN_METHODS = guid("918F4174-61B4-4A7E-BB77-39875F898449")
JOIN, DESCRIPTORS, LEAVE, NEXT, RELEASE, FILE, ACQUIRE, WRITE, SEND, END = range(10)
# Steps of an answer.
NOTHING, FRAME, ENDED, CLOSED, SHUT, NO_FRAME, KEEPS_MOST = range(7)
FRAME_LAYOUT = struct.Struct("<IIqqQQII")
WRITTEN_AT_ONCE = 1 << 20
F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2


def call(connection, set_, method, data=b"", room=None, descriptors=()):
    """What a method answers, and the descriptors that come with it."""
    room = len(data) if room is None else room
    number = connection.control(METHOD, request(set_, method, 2), room, data, descriptors=descriptors)
    status, _, answer, descriptors = connection.wait(number)
    if status != SUCCESS:
        raise OSError(hex(status))
    return answer, descriptors


class Graph:
    def __init__(self, path):
        # The handle is kept: an object that nobody has a handle of hangs up.
        self.handle = open_at(path)
        self.connection = Connection(self.handle)

    def text(self, method):
        answer, (descriptor,) = call(self.connection, FILTER_METHODS, method, room=8)
        (length,) = struct.unpack("<Q", answer)
        text = os.pread(descriptor, length, 0)
        os.close(descriptor)
        return json.loads(text)


class Pin:
    """The one pin of a filter that this process has."""

    def __init__(self, graph, name):
        factory = [pin["name"] for pin in graph.text(DESCRIBE)["pins"]].index(name)
        self.handle = graph.connection.create(pin_name(factory))
        self.connection = Connection(self.handle)
        self.joined = json.loads(self.call(JOIN, struct.pack("<I", 1), 65512)[0])
        descriptors = []
        while len(descriptors) < self.joined["descriptors"]:
            descriptors += self.call(DESCRIPTORS, struct.pack("<I", len(descriptors)))[1]
        files = sum(pool["files"] for pool in self.joined["pools"])
        self.files = descriptors[:files]
        self.news = take_socket(descriptors[files])
        self.stop, self.begun = descriptors[files + 1 :]

    def call(self, method, data=b"", room=None, descriptors=()):
        return call(self.connection, PIN_METHODS, method, data, room, descriptors)

    def ask(self, method):
        """What NEXT or ACQUIRE answers now."""
        return FRAME_LAYOUT.unpack(self.call(method, room=FRAME_LAYOUT.size)[0])

    def wait(self, method):
        """What it answers once there is something to say."""
        while True:
            answer = self.ask(method)
            if answer[0] != NOTHING:
                return answer
            select.select([self.news], [], [])
            self.read_the_news()

    def read_the_news(self):
        self.news.setblocking(False)
        try:
            while self.news.recv(4096):
                pass
        except BlockingIOError:
            return
        raise EOFError("the server hung up")

    def data(self, frame, used):
        """Of a frame that came in, read where it lies."""
        layout = self.joined["pools"][0]["frames"]
        at = frame * (layout["prefix"] + layout["size"]) + layout["prefix"]
        return os.pread(self.files[0], used, at)

    def send(self, picture, file, sequence):
        _, frame, *_ = self.wait(ACQUIRE)
        os.pwrite(file, picture, 0)
        for at in range(0, len(picture), WRITTEN_AT_ONCE):
            self.call(WRITE, struct.pack("<QQ", at, min(WRITTEN_AT_ONCE, len(picture) - at)))
        self.call(SEND, FRAME_LAYOUT.pack(0, frame, sequence * 100, 100, sequence, len(picture), 0, 0))


def main():
    graph = Graph(sys.argv[1])
    described = graph.text(DESCRIBE)
    print("outside", *described["outside"], "version", described["version"])
    camera, viewer = Pin(graph, "a.out"), Pin(graph, "c.in")
    print("mediated", camera.joined["mediated"], viewer.joined["mediated"])
    select.select([viewer.begun], [], [])

    format_ = described["formats"]["a.out"]
    width, height = format_["width"], format_["height"]
    size = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)  # I420
    file = os.memfd_create("pictures", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(file, size)
    fcntl.fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK)
    camera.call(FILE, struct.pack("<Q", 1), descriptors=[file])

    right = 0
    for sequence in range(100):
        camera.send(bytes([sequence]) * size, file, sequence)
        _, frame, time, duration, number, used, _, _ = viewer.wait(NEXT)
        inverted = viewer.data(frame, used) == bytes([255 - sequence]) * size
        right += (inverted, time, duration, number) == (True, sequence * 100, 100, sequence)
        if sequence == 0:
            try:
                os.pwrite(viewer.files[0], b"x", 0)
                print("frames can be written")
            except OSError:
                print("frames cannot be written")
            print("keeps most", viewer.ask(NEXT)[0] == KEEPS_MOST)
        viewer.call(RELEASE, struct.pack("<I", frame))
    print("right", right)
    states = {filter_["name"]: filter_["state"] for filter_ in graph.text(STATUS)["filters"]}
    print("states", states["a"], states["c"])

    camera.call(END)
    print("ended", viewer.wait(NEXT)[0] == ENDED)
    viewer.call(LEAVE)
    camera.call(LEAVE)
    print("left")


main()
