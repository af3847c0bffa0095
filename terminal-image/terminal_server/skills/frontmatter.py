"""Reads the head of a `SKILL.md`: the small part of YAML that skills are written in.

Plain, quoted, literal (`|`) and folded (`>`) values of top-level names. Anything else, lists and nested values,
is passed over: nothing in it is wanted, and nothing in a user's file can go wrong here.
"""

import json
import re
from collections.abc import Sequence

_FENCE = re.compile(r"---[ \t]*")
_NO_NAME = frozenset(" \t#-")
_BLOCK = re.compile(r"([|>])([+-]?[1-9]?|[1-9][+-])(?:[ \t]+#.*)?")
_COMMENT = re.compile(r"(?<![^ \t])#.*")
_SINGLE_QUOTED = re.compile(r"'((?:[^']|'')*)'(?:[ \t]+#.*)?")
_DOUBLE_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*")(?:[ \t]+#.*)?')


def split(text: str) -> tuple[dict[str, str], str]:
    """Return the values of the head, and the body without spaces around it. Without a head all is body."""
    lines = text.removeprefix("\ufeff").split("\n")
    if not _FENCE.fullmatch(lines[0].rstrip("\r")):
        return {}, "\n".join(lines).strip()
    lines = [line.removesuffix("\r") for line in lines]
    end = next((index for index, line in enumerate(lines[1:], 1) if _FENCE.fullmatch(line)), None)
    if end is None:
        return {}, "\n".join(lines).strip()
    return _values(lines[1:end]), "\n".join(lines[end + 1 :]).strip()


def _values(lines: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    index = 0
    while index < len(lines):
        name, colon, first = lines[index].partition(":")
        index += 1
        begin = index
        while index < len(lines) and (not lines[index].strip() or lines[index][0] in " \t"):
            index += 1
        if colon and name.strip() and name[0] not in _NO_NAME and first[:1] in {"", " ", "\t"}:
            values[name.strip()] = _value(first, lines[begin:index])
    return values


def _value(first: str, more: Sequence[str]) -> str:
    """Return a value: what stands behind the colon, and the indented lines below it."""
    block = _BLOCK.fullmatch(first.strip())
    if block is not None:
        return _literal(more) if block[1] == "|" else _folded(_literal(more))
    text = " ".join(part for line in (first, *more) if (part := line.strip()))
    if (quoted := _SINGLE_QUOTED.fullmatch(text)) is not None:
        return quoted[1].replace("''", "'")
    if (quoted := _DOUBLE_QUOTED.fullmatch(text)) is not None:
        return _unescaped(quoted[1])
    plain = (_COMMENT.sub("", line.strip()).rstrip() for line in (first, *more))
    return " ".join(part for part in plain if part)


def _literal(lines: Sequence[str]) -> str:
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:].rstrip() for line in lines).strip("\n")


def _folded(text: str) -> str:
    """Join the lines of each paragraph."""
    return "\n".join(paragraph.replace("\n", " ") for paragraph in re.split(r"\n\n+", text))


def _unescaped(quoted: str) -> str:
    # JSON's escapes are those of YAML that are used; a value with others is left as it is written.
    try:
        text = json.loads(quoted, strict=False)
    except ValueError:
        return quoted[1:-1]
    # Half a surrogate pair can be written like this, but not sent.
    return str(text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
