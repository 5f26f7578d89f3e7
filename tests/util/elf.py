"""Programs that a test makes itself."""

import struct

TABLE = 8192  # far from the start, where a look at the first bytes does not find it


def asking_for(interpreter: str) -> bytes:
    """The smallest ELF file for x86-64 that has this interpreter."""
    text = interpreter.encode() + b"\0"
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, 0x400000, TABLE, 0, 0, 64, 56, 2, 0, 0,
                         0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, TABLE, TABLE, 4096)
    ask = struct.pack("<IIQQQQQQ", 3, 4, len(header), 0x400040, 0x400040, len(text), len(text), 1)
    return (header + text).ljust(TABLE, b"\0") + load + ask
