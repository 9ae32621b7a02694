"""What apt's source files say of Docker's repository, in both of their formats: sources.list(5). Pure.

Two entries for one repository with different keys make apt refuse all of its sources, so one that is there is used or
taken out, never joined by another.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DOCKER = re.compile(r"https?://download\.docker\.com/", re.IGNORECASE)
_LINE = re.compile(r"\s*(?P<type>deb|deb-src)\s+(?:\[(?P<options>[^]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)")


@dataclass(frozen=True)
class Source:
    """One entry for Docker's repository that is in force."""

    file: str
    suite: str
    key: str
    """`Signed-By`: a path, a fingerprint, or an armored key; empty for none."""


def docker_sources(files: Mapping[str, str]) -> list[Source]:
    """`files`: text by path, of `sources.list`, `*.list` and `*.sources`."""
    return [source for path, text in files.items() for source in (_stanzas if _is_deb822(path) else _lines)(path, text)]


def without_docker(path: str, text: str) -> str:
    """The file without its entries for Docker's repository; empty when nothing is left but comments."""
    if _is_deb822(path):
        kept = [stanza for stanza in re.split(r"\n\s*\n", text) if not _DOCKER.search(_field(stanza, "uris"))]
        rest = "\n\n".join(kept)
    else:
        rest = "\n".join(line for line in text.splitlines() if not (_LINE.match(line) and _DOCKER.search(line)))
    is_empty = not any(line.strip() and not line.lstrip().startswith("#") for line in rest.splitlines())
    return "" if is_empty else rest.rstrip("\n") + "\n"


def _is_deb822(path: str) -> bool:
    return path.endswith(".sources")


def _lines(path: str, text: str) -> list[Source]:
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and _DOCKER.match(match["uri"]):
            options = dict(word.split("=", 1) for word in (match["options"] or "").split() if "=" in word)
            found.append(Source(path, match["suite"], {name.lower(): value for name, value in options.items()}.get("signed-by", "")))
    return found


def _stanzas(path: str, text: str) -> list[Source]:
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        is_on = _field(stanza, "enabled").strip().lower() not in ("no", "false", "without", "off", "disable")
        if is_on and _DOCKER.search(_field(stanza, "uris")):
            found += [Source(path, suite, _field(stanza, "signed-by").strip()) for suite in _field(stanza, "suites").split()]
    return found


def _field(stanza: str, name: str) -> str:
    """A field's value; lines that go on are joined as they are, a lone dot standing for an empty one."""
    lines = [line for line in stanza.splitlines() if not line.startswith("#")]
    for index, line in enumerate(lines):
        head, separator, value = line.partition(":")
        if separator and head.strip().lower() == name:
            rest = []
            for following in lines[index + 1 :]:
                if not following.startswith((" ", "\t")):
                    break
                rest.append("" if following.strip() == "." else following.strip())
            return "\n".join([value.strip(), *rest])
    return ""
