"""A disk that stops answering: a FUSE file system that is one file, mounted over a file of the same bytes.

stalling-file.py FILE BYTES: reads up to BYTES are answered, later ones are not, until a line comes on standard input.
Prints `mounted` when it is, and `waiting` for each read that is not answered. Needs root and /dev/fuse. The structures are those of linux/fuse.h.
"""

import ctypes
import errno
import os
import select
import stat
import struct
import sys

GETATTR, OPEN, READ, STATFS, RELEASE, FLUSH, INIT, ACCESS, INTERRUPT, DESTROY = 3, 14, 15, 17, 18, 25, 26, 34, 36, 38
FORGET = 2
DIRECT_IO = 1

path, answered = sys.argv[1], int(sys.argv[2])
with open(path, "rb") as file:
    content = file.read()
mtime = int(os.stat(path).st_mtime)

device = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={device},rootmode={stat.S_IFREG:o},user_id=0,group_id=0,allow_other"
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"stalling", os.fsencode(path), b"fuse", 0, options.encode()) != 0:
    sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
print("mounted", flush=True)

waiting = []
is_stalled = True


def answer(unique, body=b"", error=0):
    os.write(device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)


def attributes():
    blocks = (len(content) + 511) // 512
    times = struct.pack("<QQQIII", mtime, mtime, mtime, 0, 0, 0)
    owner = struct.pack("<IIIIIII", stat.S_IFREG | 0o644, 1, 0, 0, 0, 4096, 0)
    return struct.pack("<QII", 1, 0, 0) + struct.pack("<QQQ", 1, len(content), blocks) + times + owner


def read(unique, offset, size):
    if is_stalled and offset + size > answered:
        waiting.append((unique, offset, size))
        print("waiting", flush=True)
    else:
        answer(unique, content[offset : offset + size])


inputs = [device, sys.stdin]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if sys.stdin in ready:
        is_stalled = False
        inputs.remove(sys.stdin)
        for request in waiting:
            read(*request)
    if device not in ready:
        continue
    try:
        request = os.read(device, 1 << 20)
    except OSError:
        break  # unmounted
    _, opcode, unique, _ = struct.unpack_from("<IIQQ", request)
    if opcode == INIT:
        major, minor, _, _ = struct.unpack_from("<IIII", request, 40)
        answer(unique, struct.pack("<IIIIHHIIHHIII", major, min(minor, 31), 0, 0, 8, 8, 65536, 1, 0, 0, 0, 0, 0) + bytes(16))
    elif opcode == GETATTR:
        answer(unique, attributes())
    elif opcode == OPEN:
        answer(unique, struct.pack("<QII", 1, DIRECT_IO, 0))
    elif opcode == READ:
        _, offset, size = struct.unpack_from("<QQI", request, 40)
        read(unique, offset, size)
    elif opcode in (FLUSH, RELEASE, ACCESS):
        answer(unique)
    elif opcode == DESTROY:
        answer(unique)
        break
    elif opcode == INTERRUPT:
        # Whoever waits has been killed. As disks of a network do, let it go.
        (interrupted,) = struct.unpack_from("<Q", request, 40)
        if any(one == interrupted for one, _, _ in waiting):
            waiting = [read for read in waiting if read[0] != interrupted]
            answer(interrupted, error=errno.EINTR)
    elif opcode != FORGET:
        answer(unique, error=errno.ENOSYS)
