"""Explaining the settings from their declaration: effective values, JSON Schema, a commented example.

Standards: JSON Schema 2020-12. Fails by: nothing; secrets are shown as `<secret>` with the place they come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dnsops.base.secrets import Secret

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from dnsops.base.settings.model import Settings

Plain = None | bool | int | float | str | list[Any]


@dataclass(frozen=True)
class Line:
    """One effective setting: its dotted key, its value, and whether that is the default."""

    key: str
    value: Plain
    default: bool


def show(settings: Settings) -> tuple[Line, ...]:
    """Every effective setting."""
    return tuple(_lines(settings, ""))


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors and programs."""
    from dnsops.base.settings.model import Settings

    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Settings.model_json_schema(mode="validation")}


def example() -> str:
    """A file that loads: what most need is set, all else is there as a comment with its default or an example."""
    from dnsops.base.settings.model import Settings

    head = ["# The configuration of mailsrv. What is commented out is optional: its default, or an example of it."]
    return "\n".join([*head, *_section_text(Settings, 0, off=False, shown=_SHOWN)]) + "\n"


def inline(value: object) -> str:
    """A value on one line of YAML; the tags of secrets stay tags."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return "[" + ", ".join(inline(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{key}: {inline(item)}" for key, item in value.items()) + "}"
        case timedelta():
            from dnsops.base.settings.words import in_words

            return in_words(value)
    text = str(value)
    return text if text.startswith("!") or _needs_no_quotes(text) else f'"{text}"'


# what the example sets for real; DESIGN 3's short configuration
_SHOWN: dict[str, Any] = {
    "hostname": {},
    "domains": {},
    "dns": {"provider": {}, "token": {}},
    "acme": {"contact": {}},
    "accounts": {"name": {}, "password": {}, "addresses": {}, "may_send_as": {}},
}


def _needs_no_quotes(text: str) -> bool:
    import re

    plain = re.fullmatch(r"[A-Za-z0-9/][A-Za-z0-9_./@ -]*(?:(?<=\S):(?=\S)[A-Za-z0-9_./@:-]*)?", text)
    return bool(plain) and not re.fullmatch(r"[-+0-9.eE]+|(?i:true|false|null|yes|no|on|off)", text)


def _lines(section: BaseModel, prefix: str) -> Iterator[Line]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        yield from _value_lines(value, prefix + (field.alias or name), name not in section.model_fields_set)


def _value_lines(value: object, key: str, default: bool) -> Iterator[Line]:
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        yield from _lines(value, key + ".")
    elif isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _value_lines(item, f"{key}.{name}", default)
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for n, item in enumerate(value):
            yield from _value_lines(item, f"{key}[{n}]", default)
    else:
        yield Line(key, _plain(value), default)


def _plain(value: object) -> Plain:
    from dnsops.base.settings.tree import Reference
    from dnsops.base.settings.words import in_words

    match value:
        case Reference():
            return f"<secret> from {value.kind} {value.name}"
        case Secret() | Path():
            return str(value)
        case timedelta():
            return in_words(value)
        case tuple() | list():
            return [_plain(item) for item in value]
        case dict():
            return None
        case None | bool() | int() | float() | str():
            return value
    raise TypeError(f"a setting of type {type(value).__name__}")


def _section_text(model: type[BaseModel], indent: int, off: bool, shown: dict[str, Any]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        hidden = off or name not in shown
        yield f"{' ' * indent}# {field.description}"
        yield from _field_text(field.alias or name, field, indent, hidden, shown.get(name, {}))
        if indent == 0:
            yield ""


def _field_text(key: str, field: FieldInfo, indent: int, off: bool, shown: dict[str, Any]) -> Iterator[str]:
    from dnsops.base.settings.load import section_of

    mark = "#" if off else ""
    section = section_of(field.annotation)
    if section is None or field.examples:
        yield f"{' ' * indent}{mark}{key}: {_default_or_example(field)}"
        return
    yield f"{' ' * indent}{mark}{key}:"
    listed = "tuple" in str(field.annotation)
    inner = list(_section_text(section, indent + (4 if listed else 2), off, shown))
    yield from _as_item(inner, indent + 2) if listed else inner


def _as_item(lines: list[str], indent: int) -> list[str]:
    """The lines of a section as the first item of a list: the dash stands before its first key."""
    first = next(n for n, line in enumerate(lines) if not line.strip().startswith("# "))
    body = lines[first].strip()
    dash = "#- " + body[1:] if body.startswith("#") else "- " + body
    return [*lines[:first], " " * indent + dash, *lines[first + 1 :]]


def _default_or_example(field: FieldInfo) -> str:
    default = field.default
    wanted = field.is_required() or default in (None, (), {})
    return inline(field.examples[0] if wanted and field.examples else default)
