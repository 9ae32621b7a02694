"""An environment file (`.env`) as Compose reads it. Pure.

Follows compose-go's `dotenv` and `template`, which Compose uses, with their oddities: the same files were read by both
(versions 2.0.2, in Compose 2.26, and 2.16.2). What the variables of the reading process add is unknown here: they count as unset.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

_WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_BLANK = "\t\v\f\r \x85\xa0"
"""Without the end of a line."""
_EXPORT = re.compile(r"export[\t\n\f\r ]+")
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_VARIABLE = re.compile(r"\$(?:(?P<escaped>\$)|(?P<named>[_a-zA-Z][_a-zA-Z0-9]*)|\{(?:(?P<braced>[_a-zA-Z][_a-zA-Z0-9]*(?::?[-+?].*)?)\}|(?P<invalid>)))")
_RULES = (":?", "?", ":-", "-", ":+", "+")


class Unreadable(ValueError):
    """Compose does not read the file either. Its words hold no value."""


def read(text: str) -> dict[str, str]:
    """Values by variable. Raises Unreadable."""
    values: dict[str, str] = {}
    whole = rest = text.removeprefix("\ufeff")
    while rest := _to_statement(rest):
        line = whole[: len(whole) - len(rest)].count("\n") + 1
        try:
            key, rest, is_inherited = _key(rest)
            if is_inherited:
                continue
            values[key], rest = _value(rest, values)
        except Unreadable as error:
            raise Unreadable(f"line {line}: {error}") from None
    values.pop("", None)
    return values


def _to_statement(rest: str) -> str:
    while (rest := rest.lstrip(_WHITE)).startswith("#"):
        end = rest.find("\n")
        rest = rest[end:] if end >= 0 else ""
    return rest


def _key(rest: str) -> tuple[str, str, bool]:
    """Name, what follows its sign, whether it has none: its value is the reading process's then."""
    if _EXPORT.match(rest):
        rest = rest.removeprefix("export").lstrip(_BLANK)
    if not rest:
        raise Unreadable("a variable has no name")
    key, start, sign = "", 0, ""
    for index, char in enumerate(rest):
        if char in "=:\n":
            key, start, sign = rest[:index], index + 1, char
            break
        if char not in _BLANK and char not in "_.-[]" and unicodedata.category(char)[0] not in "LN":
            raise Unreadable("a variable's name has a character that is not allowed")
    key = key.rstrip(_WHITE)
    if " " in key:
        raise Unreadable("a variable's name has a blank")
    return key, rest[start:].lstrip(_BLANK), sign == "\n"


def _value(rest: str, values: Mapping[str, str]) -> tuple[str, str]:
    quote = rest[:1]
    if quote not in ("'", '"'):
        value, _, rest = rest.partition("\n")
        return substitute(value.partition(" #")[0].rstrip(_WHITE), values.get), rest
    chars: list[str] = []
    is_escaped = False
    for index, char in enumerate(rest[1:], 1):
        if char == quote and not is_escaped:
            value = "".join(chars)
            return substitute(_ESCAPE.sub(_unescaped, value), values.get) if quote == '"' else value, rest[index + 1 :]
        if char == "\\" and not is_escaped:
            is_escaped = True
            continue
        if is_escaped and char != quote:
            chars.append("\\")
        is_escaped = False
        chars.append(char)
    raise Unreadable("a quoted value has no end")


def _unescaped(match: "re.Match[str]") -> str:
    code = match[0][1:]
    if code == "$":
        return "$$"
    if code[0] == "0":
        octal = code[1:]
        is_character = re.fullmatch(r"[0-3][0-7]{2}", octal)
        return chr(int(octal, 8)) if is_character else f"\\{octal}"
    return _ESCAPED.get(code, match[0])


def substitute(text: str, lookup: Callable[[str], "str | None"]) -> str:
    """Text with `$A`, `${A}`, `${A:-x}`, `${A-x}`, `${A:+x}`, `${A+x}`, `${A:?x}`, `${A?x}` and `$$` replaced. Raises Unreadable."""
    return _VARIABLE.sub(lambda match: _replacement(match[0], lookup), text)


def _replacement(found: str, lookup: Callable[[str], "str | None"]) -> str:
    if found == "$$":
        return "$"
    end = _closing(found)
    rest = found[end + 1 :] if end >= 0 else ""
    match = _VARIABLE.match(found[: end + 1] if end >= 0 else found)
    name = match and (match["named"] or match["braced"])
    if not match or not name:
        raise Unreadable("`$` stands before what is no name")
    # The rule is looked for in the whole, as Compose does.
    rules = [rule for rule in _RULES if rule in found]
    rule = min(rules, key=found.index) if rules else ""
    if not match["braced"] or not rule or rule not in name:
        return lookup(name) or ""
    name, _, word = name.partition(rule)
    value = lookup(name)
    is_given = value is not None and (value != "" or not rule.startswith(":"))
    if rule[-1] == "?" and not is_given:
        raise Unreadable(f"variable {name} has no value where one is required")
    uses_word = is_given if rule[-1] == "+" else not is_given
    return (substitute(word, lookup) if uses_word else value or "") + substitute(rest, lookup)


def _closing(text: str) -> int:
    """Where the first brace that is opened is closed."""
    depth = index = 0
    while index < len(text):
        if text[index] == "}":
            depth -= 1
            if depth == 0:
                return index
        elif text[index] == "{":
            depth += 1
            index += 1
        index += 1
    return -1
