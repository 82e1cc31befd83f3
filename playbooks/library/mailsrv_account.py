#!/usr/bin/python
"""Accounts in the server's database, as an Ansible module.

Runs on the target and calls the installed command with --json; the Python is any that Ansible takes. Fails by: the
command's own sentence, and its exit status in `rc`.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: mailsrv_account
short_description: Accounts of a mail server
description:
  - Makes, closes, opens and removes accounts in the database of the server, beside a running one.
  - An account that the configuration declares is not touched; the task fails and says so. Removing an account keeps its mail.
version_added: "0.1.0"
author: The mailsrv project (@mailsrv)
options:
  name:
    description: The account.
    type: str
    required: true
  state:
    description: V(disabled) takes mail but lets nobody in.
    type: str
    choices: [present, disabled, absent]
    default: present
  addresses:
    description: Its addresses, the main one first. Needed to make it.
    type: list
    elements: str
  may_send_as:
    description: Further senders, when the account is made.
    type: list
    elements: str
    default: []
  quota:
    description: How much mail it may keep, when the account is made.
    type: str
  password:
    description: Its password; reaches the command by its stdin.
    type: str
  password_hash:
    description: The hash of a password, as Dovecot or Stalwart write it.
    type: str
  update_password:
    description: V(always) sets the password at each run and is changed each time, for a hash cannot be compared.
    type: str
    choices: [on_create, always]
    default: on_create
  program:
    description: The installed command.
    type: path
    default: /usr/local/bin/mailsrv
  config:
    description: The configuration; the command's own default when not given.
    type: path
attributes:
  check_mode:
    description: It says what it would do, and does nothing.
    support: full
  diff_mode:
    description: It shows what changes, before and after.
    support: full
"""

EXAMPLES = r"""
- name: An account
  mailsrv_account:
    name: user3
    addresses: [user3@example.org, sales@example.org]
    password: "{{ user3_password }}"
"""

RETURN = r"""
account:
  description: The account before and after, without its secrets.
  returned: always
  type: dict
"""

COMMON = {"program": {"type": "path", "default": "/usr/local/bin/mailsrv"}, "config": {"type": "path"}}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **COMMON,
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "disabled", "absent"], "default": "present"},
            "addresses": {"type": "list", "elements": "str"},
            "may_send_as": {"type": "list", "elements": "str", "default": []},
            "quota": {"type": "str"},
            "password": {"type": "str", "no_log": True},
            "password_hash": {"type": "str", "no_log": True},
            "update_password": {
                "type": "str",
                "choices": ["on_create", "always"],
                "default": "on_create",
                "no_log": False,
            },
        },
        mutually_exclusive=[("password", "password_hash")],
        supports_check_mode=True,
    )
    before = found(module)
    steps = wanted(module, before)
    if not module.check_mode:
        for words, typed in steps:
            call(module, "account", *words, typed=typed)
    after = expected(module, before) if module.check_mode else found(module)
    seen = {"before": shown(before), "after": shown(after)}
    if any(words[0] == "passwd" for words, _ in steps):
        seen["after"] += "password: another\n"
    module.exit_json(changed=bool(steps), account={"before": before, "after": after}, diff=seen)


def found(module: AnsibleModule) -> Any:
    """The account as it is; None when there is none."""
    _, rows = call(module, "account", "list")
    name = module.params["name"].casefold()
    return next((row for row in rows if row["name"].casefold() == name), None)


def wanted(module: AnsibleModule, before: Any) -> list[tuple[tuple[str, ...], str | None]]:
    """The command's words and what is typed, for each step from here to what is wanted."""
    given, name = module.params, module.params["name"]
    if before is not None and before["where"] == "file":
        module.fail_json(msg=f"{name} is declared in the configuration: change it there")
    if given["state"] == "absent":
        return [(("remove", name), None)] if before else []
    steps = [made(module)] if before is None else kept(module, before)
    if (before is None or before["enabled"]) and given["state"] == "disabled":
        steps.append((("disable", name), None))
    if before is not None and not before["enabled"] and given["state"] == "present":
        steps.append((("enable", name), None))
    return steps


def secret(module: AnsibleModule) -> tuple[tuple[str, ...], str]:
    """The option that says what is typed, and the line to type."""
    given = module.params
    return (("--as-hash",) if given["password_hash"] else ()), f"{given['password_hash'] or given['password']}\n"


def made(module: AnsibleModule) -> tuple[tuple[str, ...], str | None]:
    given = module.params
    if not given["addresses"] or not (given["password"] or given["password_hash"]):
        module.fail_json(msg=f"there is no account {given['name']} yet: give addresses, and a password or its hash")
    option, typed = secret(module)
    more = [word for pattern in given["may_send_as"] for word in ("--may-send-as", pattern)]
    more += ["--quota", given["quota"]] if given["quota"] else []
    return ("add", given["name"], *given["addresses"], *more, *option), typed


def kept(module: AnsibleModule, before: Any) -> list[tuple[tuple[str, ...], str | None]]:
    given = module.params
    if given["addresses"] is not None and given["addresses"] != before["addresses"]:
        has = ", ".join(before["addresses"])
        module.fail_json(
            msg=f"{given['name']} has other addresses ({has}): remove it (its mail stays) and make it again"
        )
    if given["update_password"] == "on_create" or not (given["password"] or given["password_hash"]):
        return []
    option, typed = secret(module)
    return [(("passwd", before["name"], *option), typed)]


def expected(module: AnsibleModule, before: Any) -> Any:
    """The account as it would be."""
    if module.params["state"] == "absent":
        return None
    base = before or {"name": module.params["name"], "where": "database", "addresses": module.params["addresses"]}
    return {**base, "enabled": module.params["state"] == "present"}


def shown(row: Any) -> str:
    """The lines of a diff."""
    if row is None:
        return ""
    return f"account: {row['name']}\naddresses: {', '.join(row['addresses'])}\nenabled: {row['enabled']}\n"


def call(module: AnsibleModule, *words: str, expected: tuple[int, ...] = (0,), typed: str | None = None) -> Any:
    """(exit status, the JSON document). An unexpected status ends the module with the command's sentence."""
    argv = [module.params["program"], *words, "--json"]
    argv += ["--config", module.params["config"]] if module.params["config"] else []
    status, out, err = module.run_command(argv, data=typed, handle_exceptions=False)
    try:
        document = json.loads(out)
    except ValueError:
        document = {}
    if status not in expected:
        parts = document if isinstance(document, dict) else {}
        said = parts.get("error") or err.strip() or f"it ended with {status}"
        told = " - ".join(str(part) for part in (said, parts.get("advice")) if part)
        module.fail_json(msg=f"mailsrv {' '.join(words[:2])}: {told}", rc=status, document=document)
    return status, document


if __name__ == "__main__":
    main()
