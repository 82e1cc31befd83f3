"""A configuration file -> `Settings`, or every error in it at once, each with file, line, key and what to write.

Fails by: `Flaws`, a `Misconfigured` of one line per error; YAML that cannot be read is one error.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base.errors import Misconfigured
from dnsops.base.secrets import Secret
from dnsops.base.settings import tree as yaml_tree
from dnsops.base.settings import versions
from dnsops.base.settings.tree import KeyPath, Tree

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from dnsops.base.settings.model import Settings
    from dnsops.base.settings.words import Spelling

LONGEST_ECHO = 40


class Flaws(Misconfigured):
    """All that is wrong with a configuration."""

    def __init__(self, flaws: list[Misconfigured]) -> None:
        super().__init__("\n".join(map(str, flaws)))
        self.flaws = tuple(flaws)


def load(path: Path | str, spell: Spelling | None = None) -> Settings:
    """The settings of a file. `spell` writes a host name canonically (dnsops.records.names.host), or raises ForUser."""
    try:
        tree = versions.newest(yaml_tree.octets(Path(path)), Path(path))
    except Misconfigured as error:
        raise Flaws([error]) from None
    return check(tree, spell)


def check(tree: Tree, spell: Spelling | None = None) -> Settings:
    """The settings of a tree."""
    from pydantic import ValidationError

    from dnsops.base.settings.model import Settings
    from dnsops.base.settings.rules import conflicts

    context: dict[str, object] = {"folder": tree.file.absolute().parent}
    if spell:
        context["spell"] = spell
    try:
        settings = Settings.model_validate(tree.values, context=context)
    except ValidationError as error:
        raise Flaws([_flaw(tree, detail) for detail in _in_order(tree, error.errors(include_url=False))]) from None
    broken = [Misconfigured(c.what, tree.where(c.path), c.advice) for c in conflicts(settings)]
    if broken:
        raise Flaws(broken)
    return settings


def unread_secrets(settings: Settings) -> list[Misconfigured]:
    """The secrets that cannot be read, now and by us."""
    return [error for secret in _secrets(settings) if (error := _unread(secret))]


def references(settings: Settings) -> list[yaml_tree.Reference]:
    """The secrets that the configuration names by their place, each once."""
    found = [secret for secret in _secrets(settings) if isinstance(secret, yaml_tree.Reference)]
    return list(dict.fromkeys(found))


def _secrets(value: object) -> Iterator[Secret]:
    from pydantic import BaseModel

    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secrets(item)


def _unread(secret: Secret) -> Misconfigured | None:
    try:
        secret.reveal()
    except Misconfigured as error:
        return error
    return None


def _in_order(tree: Tree, details: list[ErrorDetails]) -> list[ErrorDetails]:
    """By line, and without the complaint that a list is short of the items that were refused."""
    places = [detail["loc"] for detail in details]
    own = [d for d in details if d["type"] != "too_short" or not any(_below(place, d["loc"]) for place in places)]
    return sorted(own, key=lambda detail: _line(tree, detail["loc"]))


def _below(place: KeyPath, above: KeyPath) -> bool:
    return len(place) > len(above) and place[: len(above)] == above


def _line(tree: Tree, path: KeyPath) -> int:
    return next((tree.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in tree.lines), 0)


def _flaw(tree: Tree, detail: ErrorDetails) -> Misconfigured:
    """One of pydantic's errors in our words."""
    path = detail["loc"]
    model, field = _declared(path)
    what, advice = _words(detail, model, field)
    return Misconfigured(what, tree.where(path), advice)


def _words(detail: ErrorDetails, model: type[BaseModel], field: FieldInfo | None) -> tuple[str, str]:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    key = str(detail["loc"][-1]) if detail["loc"] else ""
    like = _like(key, field)
    match kind:
        case "ours":
            return str(context["what"]), str(context["advice"])
        case "missing":
            return "is missing", f"add `{key}: {_example(field)}`"
        case "extra_forbidden":
            return "there is no such setting", _nearest(key, _keys(model))
        case "literal_error":
            known = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
            return f"no such value: {_echo(given)}", _nearest(str(given), known)
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return f"not a number: {_echo(given)}", like
        case "bool_parsing" | "bool_type":
            return f"neither true nor false: {_echo(given)}", like
        case "string_type" if isinstance(given, bool | int | float):
            written = str(given).lower() if isinstance(given, bool) else str(given)
            return f"a text is wanted, and YAML reads {written} as no text", f'write it in quotes: "{written}"'
        case "model_type" | "model_attributes_type" | "dict_type":
            return "a section is wanted here, with its own keys", _keys_advice(model, field)
        case "tuple_type" | "list_type":
            return "a list is wanted here", like
        case "too_short":
            return "needs at least one value", like
        case "greater_than_equal" | "less_than_equal":
            bound = "at least" if "ge" in context else "at most"
            return f"out of range: {_echo(given)}, it must be {bound} {context.get('ge', context.get('le'))}", like
    return f"not what is wanted here: {detail['msg']}", like


def _declared(path: KeyPath) -> tuple[type[BaseModel], FieldInfo | None]:
    """The section that the path's last key is in, and that key's declaration."""
    from dnsops.base.settings.model import Settings

    model: type[BaseModel] = Settings
    field: FieldInfo | None = None
    for step in path:
        if isinstance(step, int):
            continue
        model = (section_of(field.annotation) if field else None) or model
        field = next((f for name, f in model.model_fields.items() if step in (name, f.alias)), None)
    return model, field


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section within a field's type: `Dns | None` -> Dns, `tuple[Target, ...]` -> Target."""
    from typing import get_args

    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := section_of(part))), None)


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _keys_advice(model: type[BaseModel], field: FieldInfo | None) -> str:
    section = section_of(field.annotation) if field else None
    return "its keys: " + ", ".join(_keys(section or model))


def _example(field: FieldInfo | None) -> str:
    from dnsops.base.settings.show import inline

    return inline(field.examples[0]) if field and field.examples else "..."


def _like(key: str, field: FieldInfo | None) -> str:
    return (
        f"write it like {_example(field)}" if field and field.examples else f"see {key!r} in `mailsrv config example`"
    )


def _nearest(word: str, known: list[str]) -> str:
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else "known are: " + ", ".join(known)


def _echo(given: object) -> str:
    """What was written, in short; a secret or a whole section is never repeated."""
    match given:
        case bool():
            return str(given).lower()
        case str() | int() | float():
            text = str(given)
            return f'"{text[:LONGEST_ECHO]}"' + ("..." if len(text) > LONGEST_ECHO else "")
        case dict():
            return "a section"
        case list():
            return "a list"
    return "a secret"
