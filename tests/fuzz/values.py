"""Values that have broken servers before, and others like them."""

import random
from collections.abc import Callable
from typing import Any

Make = Callable[[random.Random], Any]

_LONG = "x" * 5000

NASTY_TEXT = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udcff.txt",
    "\r\nX-Injected: 1",
    "\u202e\u2066",
    "\ufeff",
    "e\u0301",
    "😀" * 300,
    "'\"`$(){}[]<>|&;\\",
    "%00",
    "%2e%2e%2f",
    "null",
    "undefined",
    "NaN",
    "-1",
    "0x10",
    "1e999",
    "٣",
    "a,b,,c",
    '["a",',
    "__proto__",
    "{{home}}",
    "~root",
    _LONG,
)
COMMANDS = (
    "true",
    ":",
    "",
    "   ",
    "\n",
    "exit 7",
    "exit 300",
    "printf 'a\\0b\\377\\n'",
    "printf '%s' 'ä€😀'",
    "printf out; printf err >&2",
    "head -c 200000 /dev/zero",
    "seq 2000",
    "kill -9 $$",
    "(sleep 0.05 & echo hi)",
    "echo $HOME; pwd; id",
    'read line; echo "$line"',
    "syntax error (",
    "echo '" + _LONG + "'",
    "echo " + "ä" * 70_000,
    "a\0b",
    "echo \ud800",
    "exec 1>&-",
    "\u202eecho",
    "no-such-program",
)
"""All harmless, should the walls around the server fall."""
GOOD_PATHS = (
    ".",
    "~",
    "a.txt",
    "~/a.txt",
    "crlf.txt",
    "binary.bin",
    "picture.png",
    "note.ipynb",
    "folder",
    "folder/inner.txt",
)
ODD_PATHS = (
    "..",
    "/",
    "./folder/../a.txt",
    "broken.ipynb",
    "broken.pdf",
    "broken.docx",
    "folder/",
    "new",
    "new/deep/er.txt",
    "a.txt/under",
    "loop",
    "gone",
    "fifo",
    "closed",
    "/proc",
    "/proc/self/mem",
    "/proc/1/environ",
    "/dev/zero",
    "/dev/null",
    "/dev/stdin",
    "/tmp/moved",  # noqa: S108 - the jail's own
    "/etc/passwd",
    "/etc/shadow",
    "/root",
    "../" * 40 + "etc/passwd",
    "x" * 256,
    "y/" * 2100,
)
PREPARE = r"""
cd ~; chmod -f 700 closed; rm -rf ./*
printf 'one\ntwo\nthree\n' > a.txt; printf 'one\r\ntwo\r\n' > crlf.txt; head -c 3000 /dev/urandom > binary.bin
printf '\211PNG\r\n\032\n' > picture.png; printf 'PK\003\004no' > broken.docx; printf '%%PDF-1.7 no' > broken.pdf
mkdir -p folder closed; echo inner > folder/inner.txt; ln -s loop loop; ln -s nowhere gone; mkfifo fifo; chmod 0 closed
printf '{"cells":[{"cell_type":"code","source":"1","metadata":{},"outputs":[],"execution_count":null}],' > note.ipynb
printf '"metadata":{},"nbformat":4,"nbformat_minor":5}' >> note.ipynb; printf '{"cells":[' > broken.ipynb
"""
"""A command that makes what these paths name."""

_NUMBERS = (0, 1, 2, 10, -1, 1e300, 2**31, 2**63, 2**64, 10**400, 0.5, -0.0, float("nan"), float("inf"))
_NAMES = ("a.txt", "a.txt", "../x", "/etc/passwd", "x\0", "..", "", "ä.txt", "z" * 300)


def one_of(*options: Any) -> Make:
    """Make one of these values, each as likely."""
    return lambda chance: chance.choice(options)


def text(chance: random.Random) -> str:
    """Make a text, that has broken something before or that is only strange."""
    if chance.random() < 0.5:
        return chance.choice(NASTY_TEXT)
    highest = chance.choice((0x7F, 0xFF, 0x10FFFF))
    return "".join(chr(chance.randint(0, highest)) for _ in range(chance.randint(0, 8)))


def or_text(*options: Any) -> Make:
    """Make one of these values mostly, else some text."""
    return lambda chance: chance.choice(options) if chance.random() < 0.8 else text(chance)


def path(chance: random.Random) -> str:
    """Make a path: of something there, or of something that had better not be touched, or none at all."""
    luck = chance.random()
    if luck < 0.6:
        return chance.choice(GOOD_PATHS)
    return chance.choice(ODD_PATHS) if luck < 0.9 else text(chance)


def name(chance: random.Random) -> str:
    """Make the name of an uploaded file."""
    return chance.choice(_NAMES) if chance.random() < 0.8 else text(chance)


def few(chance: random.Random) -> int:
    """Make a number that nobody objects to."""
    return chance.randint(1, 20)


def junk(chance: random.Random) -> Any:
    """Make any value JSON can have, and some that it cannot."""
    kind = chance.randrange(8)
    if kind == 0:
        return None
    if kind == 1:
        return chance.random() < 0.5
    if kind <= 3:
        return chance.choice(_NUMBERS)
    if kind <= 5:
        return text(chance)
    if kind == 6:
        return [junk(chance) for _ in range(chance.randint(0, 3))]
    return {text(chance): junk(chance) for _ in range(chance.randint(0, 2))}
