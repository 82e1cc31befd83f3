"""THREAD: messages gathered into conversations, by subject or by what they refer to. Pure.

Standard: RFC 5256 3 (ORDEREDSUBJECT, REFERENCES). No recursion: a chain of a million answers is a list, not a stack.
Limits: the caller's, by the number of messages; time grows with n log n. Never fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

_CLIMB = 1000  # ancestors looked at for a circle
_EARLIEST = datetime.min.replace(tzinfo=UTC)


class Letter(NamedTuple):
    """A message as threading sees it. `uid`: or a sequence number; `sent`: the Date field, or when it was received.

    `answers`: its subject was a reply's or a forward's (`subjects.base_subject`).
    """

    uid: int
    message_id: str = ""
    references: tuple[str, ...] = ()
    base: str = ""
    sent: datetime | None = None
    answers: bool = False


class Node:
    """A place in a thread: a message, or None where one is missing; its answers in order."""

    __slots__ = ("children", "letter", "linked", "parent")

    def __init__(self, letter: Letter | None = None) -> None:
        self.letter = letter
        self.parent: Node | None = None
        self.linked = False  # something stands below it
        self.children: list[Node] = []

    @property
    def first(self) -> Letter:
        """The message, or the first of its children's."""
        node = self
        while node.letter is None:
            node = node.children[0]
        return node.letter

    def adopt(self, child: Node) -> None:
        child.parent = self
        self.children.append(child)


def text(threads: Iterable[Node]) -> bytes:
    """The threads as a THREAD response has them: (1 2 (3)(4 5))."""
    pieces: list[str] = []
    for thread in threads:
        _write(thread, pieces)
    return "".join(pieces).encode()


def _write(thread: Node, pieces: list[str]) -> None:
    """One thread; what is still to be written stands on a stack."""
    todo: list[Node | str] = [")", thread, "("]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            pieces.append(item)
            continue
        if item.letter is not None:
            if pieces[-1] not in ("(", ")"):
                pieces.append(" ")
            pieces.append(str(item.letter.uid))
        if len(item.children) == 1:
            todo.append(item.children[0])
        elif item.children:
            if item.letter is not None:
                pieces.append(" ")
            for child in reversed(item.children):
                todo += [")", child, "("]


def ordered_subject(letters: Iterable[Letter]) -> list[Node]:
    """Same base subject: one thread, its first message above all others."""
    groups: dict[str, list[Letter]] = {}
    for letter in sorted(letters, key=_when):
        groups.setdefault(letter.base, []).append(letter)
    return [_flat(group) for group in groups.values()]


def _flat(group: list[Letter]) -> Node:
    root = Node(group[0])
    for letter in group[1:]:
        root.adopt(Node(letter))
    return root


def references(letters: Sequence[Letter]) -> list[Node]:
    """The six steps of RFC 5256's REFERENCES."""
    roots = _pruned([node for node in _linked(letters) if node.parent is None])
    _sort(roots)
    roots = _merged(roots)
    _sort(roots)
    return roots


def _linked(letters: Sequence[Letter]) -> list[Node]:
    """Steps 1 and 2: every message and everything it refers to, linked."""
    known: dict[str, Node] = {}
    nodes: list[Node] = []
    for letter in letters:
        node = _place(letter, known, nodes)
        above: Node | None = None
        for name in letter.references:
            ancestor = known.get(name)
            if ancestor is None:
                ancestor = known[name] = Node()
                nodes.append(ancestor)
            if above is not None and ancestor.parent is None:
                _link(ancestor, above)
            above = ancestor
        node.parent = None  # what others said about it counts less than what it says itself
        if above is not None:
            _link(node, above)
    for node in nodes:
        if node.parent is not None:
            node.parent.children.append(node)
    return nodes


def _place(letter: Letter, known: dict[str, Node], nodes: list[Node]) -> Node:
    """The message's node: the one others referred to, or a new one; a Message-ID used twice is only the first's."""
    node = known.get(letter.message_id) if letter.message_id else None
    if node is not None and node.letter is None:
        node.letter = letter
        return node
    fresh = Node(letter)
    nodes.append(fresh)
    if letter.message_id and node is None:
        known[letter.message_id] = fresh
    return fresh


def _link(child: Node, above: Node) -> None:
    """Put one below the other, unless that closes a circle (or to see so takes too long)."""
    if child is above:
        return
    climber: Node | None = above if child.linked else None  # who has nothing below closes no circle
    for _ in range(_CLIMB):
        if climber is None:
            child.parent, above.linked = above, True
            return
        climber = climber.parent
        if climber is child:
            return


def _pruned(roots: list[Node]) -> list[Node]:
    """Step 3: missing messages go; their children take their place, at the top only if it is one."""
    for node in _children_first(roots):
        kept: list[Node] = []
        for child in node.children:
            if child.letter is not None:
                kept.append(child)
            else:
                kept += child.children
        node.children = kept
        for child in kept:
            child.parent = node
    found: list[Node] = []
    for root in roots:
        if root.letter is not None or len(root.children) > 1:
            found.append(root)
        else:
            found += root.children
    for root in found:
        root.parent = None
    return found


def _children_first(roots: Iterable[Node]) -> list[Node]:
    order: list[Node] = []
    todo = list(roots)
    while todo:
        node = todo.pop()
        order.append(node)
        todo += node.children
    order.reverse()
    return order


def _sort(roots: list[Node]) -> None:
    """Steps 4 and 6: siblings by the moment they were sent, the deepest first."""
    for node in _children_first(roots):
        if len(node.children) > 1:
            node.children.sort(key=_when_node)
    roots.sort(key=_when_node)


def _merged(roots: list[Node]) -> list[Node]:
    """Step 5: threads of one subject are one."""
    table = _subjects(roots)
    kept: list[Node] = []
    for root in roots:
        base = root.first.base
        other = table.get(base, root) if base else root
        if root.parent is not None:  # it stands below another already
            continue
        if other is root:
            kept.append(root)
            continue
        table[base] = _merge(root, other)
        if table[base] is not other:
            kept.append(table[base])
    return [node for node in kept if node.parent is None]


def _subjects(roots: list[Node]) -> dict[str, Node]:
    """For each base subject the thread that others join."""
    table: dict[str, Node] = {}
    for root in roots:
        base = root.first.base
        if not base:
            continue
        other = table.get(base)
        if other is None or (other.letter is not None and (root.letter is None or _original(root, other))):
            table[base] = root
    return table


def _original(root: Node, other: Node) -> bool:
    return other.first.answers and not root.first.answers


def _merge(root: Node, other: Node) -> Node:
    """Put `root` to `other`, the table's; gives the thread that holds both."""
    if other.letter is None:
        for child in root.children if root.letter is None else [root]:
            other.adopt(child)
        return other
    if root.first.answers and not other.first.answers:
        other.adopt(root)
        return other
    both = Node()
    both.adopt(other)
    both.adopt(root)
    return both


def _when(letter: Letter) -> tuple[datetime, int]:
    return (letter.sent or _EARLIEST, letter.uid)


def _when_node(node: Node) -> tuple[datetime, int]:
    return _when(node.first)


ALGORITHMS: dict[str, Callable[[Sequence[Letter]], list[Node]]] = {
    "ORDEREDSUBJECT": ordered_subject,
    "REFERENCES": references,
}
