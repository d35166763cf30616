"""A client of KS objects, written from docs/protocol.md alone. A test runs it: its argument is the path of a filter.

It prints a line for each thing that it saw, which the test compares.
"""

import os
import socket
import struct
import sys
import uuid

HELLO, ATTACH, CONTROL, CREATE, CANCEL, ANSWER = 1, 2, 3, 4, 5, 0x8000
PROPERTY, ENABLE_EVENT, DISABLE_EVENT, METHOD = 0x2F0003, 0x2F0007, 0x2F000B, 0x2F000F
SUCCESS, CANCELLED, TOO_SMALL = 0, 0xC0000120, 0xC0000023


def guid(text):
    return uuid.UUID(text).bytes_le


STREAM_ALLOCATOR_STATUS = guid("cf6e4342-ec87-11cf-a130-0020afd156e4")
STREAM_ALLOCATOR_METHODS = guid("cf6e4341-ec87-11cf-a130-0020afd156e4")
STREAM_ALLOCATOR_EVENTS = guid("75d95571-073c-11d0-a161-0020afd156e4")
STANDARD_INTERFACES = guid("1a8766a0-62ce-11cf-a5d6-28db04c10000")
STANDARD_MEDIUMS = guid("4747b320-62ce-11cf-a5d6-28db04c10000")
PIN_NAME = "{146F1A80-4791-11D0-A5D6-28DB04C10000}"
ALLOCATOR_NAME = "{642F5D00-4791-11D0-A5D6-28DB04C10000}"


def packet(kind, number, payload, descriptors=0):
    return struct.pack("<HHIQ", kind, descriptors, 16 + len(payload), number) + payload


def receive(peer, flags=0):
    # Not socket.recv_fds, which leaves the flags out.
    bytes_, ancillary, _, _ = peer.recvmsg(65536, socket.CMSG_SPACE(16 * 4), flags)
    descriptors = [d for _, _, data in ancillary for (d,) in struct.iter_unpack("i", data)]
    if not bytes_:
        raise EOFError("the server hung up")
    kind, carried, length, number = struct.unpack_from("<HHIQ", bytes_)
    assert length == len(bytes_) and carried == len(descriptors)
    return kind, number, bytes_[16:], descriptors


def take_socket(descriptor):
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, descriptor)


def open_at(path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.connect(path)
        kind, number, payload, descriptors = receive(door)
    assert (kind, number, payload) == (ANSWER, 0, struct.pack("<II", SUCCESS, 0))
    return take_socket(descriptors[0])


class Connection:
    """A connection to the object behind a handle."""

    def __init__(self, handle, version=1):
        kind, _, payload, _ = receive(handle, socket.MSG_PEEK)
        assert kind == HELLO and payload[:8] == b"KSOBJECT"
        self.lowest, self.highest, self.object, self.pointer, _, _ = struct.unpack_from("<HHHHII", payload, 8)
        self.socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        attach = packet(ATTACH, 0, b"KSOBJECT" + struct.pack("<H6x", version), 1)
        socket.send_fds(handle, [attach], [other.fileno()])
        other.close()
        self.last = 0
        self.answers = {}

    def send(self, kind, payload, descriptors=()):
        self.last += 1
        socket.send_fds(self.socket, [packet(kind, self.last, payload, len(descriptors))], descriptors)
        return self.last

    def control(self, code, about, output, data=b"", key=0, descriptors=()):
        head = struct.pack("<IIIIQ", code, len(about), output, len(data), key)
        return self.send(CONTROL, head + about + data, descriptors)

    def wait(self, number):
        while number not in self.answers:
            kind, answered, payload, descriptors = receive(self.socket)
            assert kind == ANSWER
            status, returned = struct.unpack_from("<II", payload)
            self.answers[answered] = status, returned, payload[8:], descriptors
        return self.answers.pop(number)

    def create(self, name):
        status, _, _, descriptors = self.wait(self.send(CREATE, name))
        assert status == SUCCESS, hex(status)
        return take_socket(descriptors[0])


def create_name(name, parameters):
    return (name + "\\").encode("utf-16-le") + parameters


def pin_name(factory):
    interface = STANDARD_INTERFACES + struct.pack("<II", 0, 0)
    medium = STANDARD_MEDIUMS + struct.pack("<II", 0, 0)
    connect = interface + medium + struct.pack("<I4xQII", factory, 0, 0x40000000, 1)
    return create_name(PIN_NAME, connect + struct.pack("<I60x", 64))


def request(set_, id_, flags):
    return set_ + struct.pack("<II", id_, flags)


def main():
    # The handles are kept: an object that nobody has a handle of hangs up.
    filter_handle = open_at(sys.argv[1])
    filter_ = Connection(filter_handle)
    print("object", filter_.object, "versions", filter_.lowest, filter_.highest, "pointers", filter_.pointer)
    pin_handle = filter_.create(pin_name(0))
    pin = Connection(pin_handle)
    print("object", pin.object)
    # SYSTEM_MEMORY, paged, 1 frame of 4096 bytes.
    framing = struct.pack("<IIIIII", 2, 1, 1, 4096, 0, 0)
    handle = pin.create(create_name(ALLOCATOR_NAME, framing))
    allocator = Connection(handle)
    print("object", allocator.object)

    def status():
        answer = allocator.wait(allocator.control(PROPERTY, request(STREAM_ALLOCATOR_STATUS, 1, 1), 32))
        assert answer[:2] == (SUCCESS, 32) and answer[2][:24] == framing
        return struct.unpack_from("<II", answer[2], 24)

    small = allocator.wait(allocator.control(PROPERTY, request(STREAM_ALLOCATOR_STATUS, 1, 1), 31))
    assert small == (TOO_SMALL, 32, b"", [])
    print("status", *status())

    event = os.eventfd(0)
    data = struct.pack("<IIQQQ", 1, 0, 1, 0, 0)
    enable = request(STREAM_ALLOCATOR_EVENTS, 1, 1)
    enabled = allocator.control(ENABLE_EVENT, enable, 32, data, 7, [event])
    assert allocator.wait(enabled)[0] == SUCCESS

    alloc, free = request(STREAM_ALLOCATOR_METHODS, 0, 2), request(STREAM_ALLOCATOR_METHODS, 1, 1)
    first = allocator.wait(allocator.control(METHOD, alloc, 8))
    assert first[:2] == (SUCCESS, 8) and first[2][7] & 0x80
    print("status", *status())
    second, third = (allocator.control(METHOD, alloc, 8) for _ in range(2))
    allocator.socket.send(packet(CANCEL, third, b""))
    print("cancelled", hex(allocator.wait(third)[0]))
    assert allocator.wait(allocator.control(METHOD, free, 8, first[2]))[0] == SUCCESS
    frame = allocator.wait(second)
    print("given", frame[0], frame[2] != first[2])
    print("signalled", os.eventfd_read(event))
    assert allocator.wait(allocator.control(METHOD, free, 8, frame[2]))[0] == SUCCESS
    print("signalled", os.eventfd_read(event))
    assert allocator.wait(allocator.control(DISABLE_EVENT, bytes(32), 0, b"", 7))[0] == SUCCESS
    print("status", *status())

    other = Connection(handle, version=9)
    code, returned, data, _ = other.wait(0)
    print("versions", hex(code), returned, *struct.unpack("<HHHH", data))

    unknown = allocator.wait(allocator.send(0x0123, b"anything"))
    print("unknown kind", hex(unknown[0]))
    allocator.control(METHOD, alloc, 8)
    waiting = allocator.control(METHOD, alloc, 8)
    handle.close()
    print("closed", hex(allocator.wait(waiting)[0]))
    try:
        receive(allocator.socket)
    except EOFError:
        print("hung up")


if __name__ == "__main__":
    main()
