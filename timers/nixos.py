"""Unit files as a module for NixOS: the same units, in Nix's words. Pure text.

Standards: the Nix language's strings; NixOS options systemd.services.*, systemd.timers.*, users.*. Input: texts of ours.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

LISTS = {"After": "after", "Wants": "wants", "WantedBy": "wantedBy"}
CONFIGS = {"Service": "serviceConfig", "Timer": "timerConfig"}
HEAD = """# Made by `mailsrv timers nixos`.
{ ... }:
{
  users.groups.mailsrv = { };
  users.users.mailsrv = {
    isSystemUser = true;
    group = "mailsrv";
    home = "/var/lib/mailsrv";
  };
"""


def module(texts: Mapping[str, str]) -> str:
    """The module. texts: file name -> unit."""
    lines = [line for name, text in texts.items() for line in _unit(name, text)]
    return HEAD + "".join(f"{line}\n" for line in lines) + "}\n"


def string(text: str) -> str:
    """A Nix string."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${").replace("\n", "\\n")
    return f'"{inner}"'


def _unit(name: str, text: str) -> Iterator[str]:
    stem, _, kind = name.rpartition(".")
    sections = _sections(text)
    yield f"  systemd.{kind}s.{string(stem)} = {{"
    for section in ("Unit", "Install"):
        for key, values in sections.get(section, {}).items():
            words = [word for value in values for word in value.split()]
            if key in LISTS:
                yield f"    {LISTS[key]} = [ {' '.join(map(string, words))} ];"
            elif key == "Description":
                yield f"    description = {string(values[0])};"
    for section, option in CONFIGS.items():
        if section in sections:
            yield f"    {option} = {{"
            for key, values in sections[section].items():
                several = f"[ {' '.join(map(string, values))} ]"
                yield f"      {key} = {string(values[0]) if len(values) == 1 else several};"
            yield "    };"
    yield "  };"


def _sections(text: str) -> dict[str, dict[str, list[str]]]:
    """section -> key -> values in their order (systemd.syntax(7)); our units have no continued lines."""
    found: dict[str, dict[str, list[str]]] = {}
    here: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            here = found.setdefault(line.strip("[]"), {})
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            here.setdefault(key, []).append(value)
    return found
