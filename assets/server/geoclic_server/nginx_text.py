"""nginx's configuration as nginx reads it: words, blocks and includes. Pure.

Where a word begins and ends is as in `ngx_conf_read_token` of src/core/ngx_conf_file.c: a `#` begins a comment, a quote opens and
a `}` ends a block only where a word could begin; a backslash keeps the next character from meaning anything."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_SPACE = " \t\r\n"
_ESCAPED = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
_DEEPEST = 20
# Of the image, under names that every nginx has: none of them leads anywhere.
_HARMLESS = ("mime.types", "fastcgi.conf", "fastcgi_params", "scgi_params", "uwsgi_params", "proxy_params")


class Unreadable(Exception):
    """It is no configuration, or it includes what is not known."""


@dataclass(frozen=True)
class Directive:
    name: str
    arguments: tuple[str, ...]
    block: tuple["Directive", ...] = ()


def directives(files: Mapping[str, str]) -> list[Directive]:
    """Every directive from the main file on, those inside blocks and includes too.

    `files`: texts by their path inside the container; a folder of which every file is known ends with a `/`. Raises Unreadable."""
    mains = [path for path in files if posixpath.basename(path) == "nginx.conf"]
    if mains:
        main = min(mains, key=len)
        return list(_flat(_included(read(files[main]), files, posixpath.dirname(main))))
    # The image's own nginx.conf includes these.
    names = sorted(path for path in files if _fits(path, "/etc/nginx/conf.d/*.conf"))
    if not names:
        raise Unreadable("neither nginx.conf nor conf.d/*.conf is known")
    return [each for name in names for each in _flat(_included(read(files[name]), files, "/etc/nginx"))]


def read(text: str) -> tuple[Directive, ...]:
    """One file, its includes as directives. Raises Unreadable."""
    open_blocks: list[tuple[list[str], list[Directive]]] = [([], [])]
    statement: list[str] = []
    for mark, word in _tokens(text):
        if mark == "word":
            statement.append(word)
        elif mark == "}":
            if statement or len(open_blocks) == 1:
                raise Unreadable('unexpected "}"')
            head, block = open_blocks.pop()
            open_blocks[-1][1].append(Directive(head[0], tuple(head[1:]), tuple(block)))
        elif not statement:
            raise Unreadable(f'unexpected "{mark}"')
        elif mark == "{":
            open_blocks.append((statement, []))
            statement = []
        else:
            open_blocks[-1][1].append(Directive(statement[0], tuple(statement[1:])))
            statement = []
    if statement or len(open_blocks) > 1:
        raise Unreadable("unexpected end of file")
    return tuple(open_blocks[0][1])


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    """`word` and its text, or one of `;`, `{` and `}`."""
    at = 0
    while at < len(text):
        character = text[at]
        if character in _SPACE:
            at += 1
        elif character in ";{}":
            yield character, ""
            at += 1
        elif character == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        elif character in "\"'":
            word, at = _quoted(text, at)
            yield "word", word
            # An `if` may close its bracket behind a quote.
            if at < len(text) and text[at] not in f"{_SPACE};{{)":
                raise Unreadable(f'unexpected "{text[at]}"')
        else:
            word, at = _plain(text, at)
            yield "word", word


def _quoted(text: str, start: int) -> tuple[str, int]:
    at = start + 1
    while at < len(text) and text[at] != text[start]:
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise Unreadable("a quote is not closed")
    return _meant(text[start + 1:at]), at + 1


def _plain(text: str, start: int) -> tuple[str, int]:
    at = start
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith("${", at):
            at += 2
        elif text[at] in f"{_SPACE};{{":
            break
        else:
            at += 1
    return _meant(text[start:at]), min(at, len(text))


def _meant(word: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPED.get(found[1], found[0]), word, flags=re.DOTALL)


def _included(given: Iterable[Directive], files: Mapping[str, str], folder: str, depth: int = 0) -> Iterator[Directive]:
    if depth > _DEEPEST:
        raise Unreadable("includes go round")
    for each in given:
        if each.name != "include":
            yield Directive(each.name, each.arguments, tuple(_included(each.block, files, folder, depth)))
            continue
        if len(each.arguments) != 1:
            raise Unreadable("an include without a name")
        for path in _matches(posixpath.normpath(posixpath.join(folder, each.arguments[0])), files):
            yield from _included(read(files[path]), files, folder, depth + 1)


def _matches(pattern: str, files: Mapping[str, str]) -> list[str]:
    if pattern in files:
        return [pattern]
    if posixpath.basename(pattern) in _HARMLESS:
        return []
    is_glob = any(character in pattern for character in "*?[")
    is_known = any(path.endswith("/") and pattern.startswith(path) for path in files)
    if not is_glob or not is_known:
        raise Unreadable(f"{pattern} is not known")
    return sorted(path for path in files if _fits(path, pattern))


def _fits(path: str, pattern: str) -> bool:
    """As glob(3): no part of a name crosses a `/`, a hidden file is only meant where it is said."""
    names, patterns = path.split("/"), pattern.split("/")
    return path[-1] != "/" and len(names) == len(patterns) and all(
        fnmatchcase(name, wanted) and (not name.startswith(".") or wanted.startswith("."))
        for name, wanted in zip(names, patterns)
    )


def _flat(given: Iterable[Directive]) -> Iterator[Directive]:
    for each in given:
        yield each
        yield from _flat(each.block)
