"""Mounts a disk that never answers, as a network's does when its server is gone: `dead_disk.py FOLDER`.

It is a file system in user space whose user never looks. What has asked it waits until this program ends; then it is
told that nobody is there. `mounted` is printed when it is.
"""

import ctypes
import os
import signal
import struct
import sys

_HEADER = struct.Struct("IIQQIIII")
_ANSWER = struct.Struct("IiQ")
_FIRST = struct.Struct("IIIIHHIIHHI28x")
_INIT = 26
_VERSION = (7, 31)


def main() -> None:
    """Mount, greet, and never answer again."""
    descriptor = os.open("/dev/fuse", os.O_RDWR)
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={descriptor},rootmode=40000,user_id=0,group_id=0,allow_other"
    if libc.mount(b"dead", os.fsencode(sys.argv[1]), b"fuse", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    request = os.read(descriptor, 65536)
    _, operation, unique, *_ = _HEADER.unpack_from(request)
    if operation != _INIT:
        raise RuntimeError("the kernel does not begin with a greeting")
    greeting = _FIRST.pack(*_VERSION, 65536, 0, 0, 0, 65536, 1, 0, 0, 0)
    os.write(descriptor, _ANSWER.pack(_ANSWER.size + len(greeting), 0, unique) + greeting)
    sys.stdout.write("mounted\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
