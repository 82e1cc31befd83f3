"""YAML text -> plain values, each with its line: the bounded reader under the configuration.

Standards: YAML 1.2 core schema (only true and false are Booleans, so a country `no` stays a text), no anchors, aliases or
merge keys, no tags but `!file PATH`, `!env NAME` and `!credential NAME`.
Limits: 1 MiB, 50 levels, 10 000 values. Fails by: `Misconfigured` with FILE:LINE: KEY.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from dnsops.base import places
from dnsops.base.errors import Misconfigured
from dnsops.base.files import read_bounded
from dnsops.base.secrets import Secret, from_credential, from_env, from_file

LARGEST = 1 << 20
DEEPEST = 50
MOST_NODES = 10_000

KeyPath: TypeAlias = tuple[str | int, ...]
Value: TypeAlias = "bool | int | float | str | Secret | list[Value] | dict[str, Value] | None"

_CORE = (  # YAML 1.2.2 10.3.2
    ("null", re.compile(r"^(?:null|Null|NULL|~|)$"), ["n", "N", "~", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")),
    ("float", re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$"), list("-+.0123456789")),
)
_PREFIX = "tag:yaml.org,2002:"


class Reference(Secret):
    """A secret by its place: `!file`, `!env` or `!credential`. Read when revealed, not before."""

    __slots__ = ("kind", "name", "where")

    def __init__(self, kind: str, name: str, where: str) -> None:
        super().__init__("")
        self.kind, self.name, self.where = kind, name, where

    def reveal(self) -> str:
        match self.kind:
            case "file":
                return from_file(places.handed_over(Path(self.name)), self.where).reveal()
            case "env":
                return from_env(self.name, self.where).reveal()
        return from_credential(self.name, self.where).reveal()

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and (self.kind, self.name) == (other.kind, other.name)

    def __hash__(self) -> int:
        return hash((self.kind, self.name))


@dataclass
class Tree:
    """The values of a file, and the line where each stands."""

    file: Path
    values: dict[str, Value] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """FILE:LINE: dotted.key, at the closest line that the file has for it."""
        line = next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), 1)
        return f"{self.file}:{line}" + (f": {dotted(path)}" if path else "")


def dotted(path: KeyPath) -> str:
    """`accounts[0].name`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def parse(data: bytes, file: Path) -> Tree:
    """The tree of a text, an empty one an empty section; `file` is for messages, and what relative `!file` paths are relative to."""
    try:
        loader = _Composer(data.decode("utf-8-sig"))
        node = loader.get_single_node()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise Misconfigured("not UTF-8 text", f"{file}:{line}", "save it as UTF-8") from None
    except _NotHere as refusal:
        raise Misconfigured(refusal.what, f"{file}:{refusal.line}", refusal.advice) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise Misconfigured(
            f"not YAML: {what}", f"{file}:{mark.line + 1 if mark else 1}", "see `mailsrv config example`"
        ) from None
    except yaml.YAMLError as error:
        raise Misconfigured(f"not YAML: {str(error).splitlines()[0]}", str(file)) from None
    return _Builder(Tree(file)).build(node)


def octets(file: Path) -> bytes:
    """What is in the file, with a bound."""
    try:
        return read_bounded(file, LARGEST)
    except FileNotFoundError:
        raise Misconfigured(
            "there is no such file", str(file), "`mailsrv config example` prints one to start with"
        ) from None
    except OSError as error:
        raise Misconfigured(f"cannot be read ({error.strerror})", str(file)) from None
    except ValueError:
        raise Misconfigured(f"larger than {LARGEST} bytes", str(file), "a configuration is a few pages") from None


def composed(text: str) -> yaml.Node | None:
    """The nodes of a text that `parse` takes, with their places in it."""
    return _Composer(text).get_single_node()


class _NotHere(Exception):
    """YAML that this reader refuses."""

    def __init__(self, what: str, line: int, advice: str) -> None:
        super().__init__(what)
        self.what, self.line, self.advice = what, line, advice


class _Composer(yaml.SafeLoader):
    """PyYAML's parser and composer with limits; the constructor is never used."""

    yaml_implicit_resolvers = {}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.depth = self.nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _NotHere(
                "anchors and aliases are not read here", line, "write the value out; quote a text with & or *"
            )
        self.depth, self.nodes = self.depth + 1, self.nodes + 1
        if self.depth > DEEPEST:
            raise _NotHere(f"more than {DEEPEST} levels deep", line, "see `mailsrv config example`")
        if self.nodes > MOST_NODES:
            raise _NotHere(f"more than {MOST_NODES} values", line, "keep accounts in the database: mailsrv account add")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


for _name, _pattern, _first in _CORE:
    _Composer.add_implicit_resolver(_PREFIX + _name, _pattern, _first)


class _Builder:
    """Nodes -> values, noting lines. `build` is the way in."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def build(self, node: yaml.Node | None) -> Tree:
        if node is None or node.tag == _PREFIX + "null":
            return self.tree
        if not isinstance(node, yaml.MappingNode):
            raise Misconfigured("not `key: value` lines", self.tree.where(()), "see `mailsrv config example`")
        self.tree.values = self.mapping(node, ())
        return self.tree

    def value(self, node: yaml.Node, path: KeyPath) -> Value:
        self.tree.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            self.untagged(node, path, "map")
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self.untagged(node, path, "seq")
            return [self.value(item, (*path, n)) for n, item in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            here = (*path, key)
            if here in self.tree.lines:
                first = self.tree.lines[here]
                where = f"{self.tree.file}:{key_node.start_mark.line + 1}: {dotted(here)}"
                raise Misconfigured(f"given twice, first on line {first}", where, "keep one")
            self.tree.lines[here] = key_node.start_mark.line + 1
            value = self.value(value_node, here)
            if value is not None:  # an empty value means: the default
                found[key] = value
        return found

    def key(self, node: yaml.Node, path: KeyPath) -> str:
        where = f"{self.tree.file}:{node.start_mark.line + 1}" + (f": {dotted(path)}" if path else "")
        if not isinstance(node, yaml.ScalarNode) or node.tag.startswith("!"):
            raise Misconfigured("a key must be one word", where, "quote it if it is meant as a text")
        if node.value == "<<" and node.style is None:
            raise Misconfigured("merge keys (<<) are not read here", where, "write the values out")
        return str(node.value)

    def untagged(self, node: yaml.Node, path: KeyPath, kind: str) -> None:
        if node.tag != _PREFIX + kind:
            raise Misconfigured(f"the tag {node.tag} is not known", self.tree.where(path), _TAGS)

    def scalar(self, node: yaml.Node, path: KeyPath) -> Value:
        text = str(node.value)
        match node.tag.removeprefix(_PREFIX):
            case "null":
                return None
            case "bool" if text.lower() in ("true", "false"):
                return text.lower() == "true"
            case "int" if re.fullmatch(r"[-+]?[0-9]{1,18}", text):
                return int(text)
            case "float" if re.fullmatch(r"[-+.0-9eE]{1,30}", text):
                return float(text)
            case "str" | "int" | "float":
                return text
            case "!file" | "!env" | "!credential" as tag:
                return self.reference(tag[1:], text.strip(), path)
        raise Misconfigured(f"the tag {node.tag} is not known", self.tree.where(path), _TAGS)

    def reference(self, kind: str, name: str, path: KeyPath) -> Reference:
        if not name:
            raise Misconfigured(f"!{kind} names nothing", self.tree.where(path), _TAGS)
        if kind == "file":
            name = str(self.tree.file.absolute().parent / name)
        return Reference(kind, name, self.tree.where(path))


_TAGS = "a secret is !file PATH, !env NAME or !credential NAME"
