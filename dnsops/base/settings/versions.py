"""Versions of the configuration, and the way from an old one to ours, by edits that leave every other letter as it was. Pure.

    version: 1   (or none)                 what files said before there was a version
    version: 2   checks.global_routes_only became checks.local, its opposite

    tree = newest(data, file)              the tree of a file of any version, as of the newest
    moved = migrated(data, file)           moved.text, moved.told: the text of the newest version, and what was changed
A file of an old version is read as if it were migrated: every edit keeps its line, so that messages name the file's own.
Limits: those of `tree`. Fails by: `Misconfigured` for a version that is none, or newer than ours; for what no edit can change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from dnsops.base.errors import Misconfigured
from dnsops.base.settings import tree as yaml_tree
from dnsops.base.settings.tree import Tree

KEY = "version"
FIRST = 1


@dataclass(frozen=True, slots=True)
class Renamed:
    """A key that got another name in its section, and perhaps another value.

    path: section, key.  anew: the value's new text for its old one, None when it is kept as it was written.
    """

    path: tuple[str, ...]
    name: str
    anew: Callable[[str], str | None]
    why: str


Step = tuple[Renamed, ...]


def _opposite(text: str) -> str | None:
    return {"true": "false", "false": "true"}.get(text.lower())


# step n leads from version n + 1 to n + 2; steps are added, never changed
STEPS: tuple[Step, ...] = ((Renamed(("checks", "global_routes_only"), "local", _opposite, "`local` is its opposite"),),)


@dataclass(frozen=True, slots=True)
class Migrated:
    """A text of the newest version. version: the one it had; told: what was changed, a line each."""

    text: str
    version: int
    told: tuple[str, ...]


def current(steps: tuple[Step, ...] = STEPS) -> int:
    return FIRST + len(steps)


def version(tree: Tree, steps: tuple[Step, ...] = STEPS) -> int:
    """Which version a file has; one without says nothing and has the first."""
    found, newest = tree.values.get(KEY, FIRST), current(steps)
    if isinstance(found, bool) or not isinstance(found, int) or found < FIRST:
        raise Misconfigured("not a version", tree.where((KEY,)), f"write {newest}, or leave it out for {FIRST}")
    if found > newest:
        what = f"a newer mailsrv wrote this file (version {found}, and this program knows {newest} at most)"
        raise Misconfigured(what, tree.where((KEY,)), "install that again, or put the copy back that `migrate` kept")
    return found


def newest(data: bytes, file: Path) -> Tree:
    """The tree of a text of any version that we know, as one of the newest."""
    tree = yaml_tree.parse(data, file)
    text, told = _edited(data.decode("utf-8-sig"), file, version(tree), STEPS)
    return yaml_tree.parse(text.encode(), file) if told else tree


def migrated(data: bytes, file: Path, steps: tuple[Step, ...] = STEPS) -> Migrated:
    """The text with the newest version in it; `told` is empty when it has that already."""
    had = version(yaml_tree.parse(data, file), steps)
    text = data.decode("utf-8-sig")
    if had == current(steps):
        return Migrated(text, had, ())
    text, told = _edited(text, file, had, steps)
    return Migrated(_numbered(text, file, current(steps)), had, (*told, f"{KEY}: {current(steps)}"))


def _edited(text: str, file: Path, had: int, steps: tuple[Step, ...]) -> tuple[str, list[str]]:
    told = []
    for step in steps[had - FIRST :]:
        for edit in step:
            found = _pair(text, edit.path)
            if found:
                text = _renamed(text, file, found, edit)
                told.append(f"{'.'.join(edit.path)} is {'.'.join((*edit.path[:-1], edit.name))} now: {edit.why}")
    return text, told


def _renamed(text: str, file: Path, pair: tuple[yaml.Node, yaml.Node], edit: Renamed) -> str:
    key, value = pair
    where = f"{file}:{key.start_mark.line + 1}: {'.'.join(edit.path)}"
    if _pair(text, (*edit.path[:-1], edit.name)):
        raise Misconfigured(f"is there beside `{edit.name}`, its new name", where, "keep `" + edit.name + "`")
    said = value.value if isinstance(value, yaml.ScalarNode) else ""
    anew = edit.anew(said)
    if said and anew is None:
        raise Misconfigured("cannot be carried over", where, f"write `{edit.name}` yourself: {edit.why}")
    if said and anew is not None:
        text = _put(text, value, anew)
    return _put(text, key, edit.name)


def _put(text: str, node: yaml.Node, anew: str) -> str:
    return text[: node.start_mark.index] + anew + text[node.end_mark.index :]


def _numbered(text: str, file: Path, number: int) -> str:
    """The text with its version: in its place, else before the first key, so that comments at the top stay there."""
    found = _pair(text, (KEY,))
    if found and found[1].value:
        return _put(text, found[1], str(number))
    if found:
        raise Misconfigured("is empty", f"{file}:{found[0].start_mark.line + 1}: {KEY}", f"write {number}")
    root = _root(text)
    if root is None or not root.value:
        return text.rstrip("\n") + ("\n" if text.strip() else "") + f"{KEY}: {number}\n"
    if root.flow_style:
        opening = root.start_mark.index + 1
        return f"{text[:opening]}{KEY}: {number}, {text[opening:]}"
    start = root.start_mark.index
    indent = " " * root.start_mark.column
    return f"{text[:start]}{KEY}: {number}\n{indent}{text[start:]}"


def _root(text: str) -> yaml.MappingNode | None:
    node = yaml_tree.composed(text)
    return node if isinstance(node, yaml.MappingNode) else None


def _pair(text: str, path: tuple[str, ...]) -> tuple[yaml.Node, yaml.Node] | None:
    """A key and its value, with their places in the text."""
    section = _root(text)
    found = None
    for step in path:
        if section is None:
            return None
        found = next((pair for pair in section.value if pair[0].value == step), None)
        if found is None:
            return None
        section = found[1] if isinstance(found[1], yaml.MappingNode) else None
    return found
