#!/usr/bin/python
"""A check of mail domains or of the host itself, as an Ansible module: it changes nothing.

Runs on the target and calls the installed command with --json; the Python is any that Ansible takes. Fails by: the
command's own sentence, and its exit status in `rc`.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: mailsrv_check
short_description: Check that mail works, as seen from outside
description:
  - Runs C(mailsrv check) and fails on its findings. It changes nothing, so that it also runs in check mode.
version_added: "0.1.0"
author: The mailsrv project (@mailsrv)
options:
  kind:
    description: What is checked.
    type: str
    choices: [mail, dane, health]
    default: mail
  domains:
    description: The domains; those of the configuration when empty.
    type: list
    elements: str
    default: []
  fail:
    description: Whether findings fail the task; with V(false) they are only returned.
    type: bool
    default: true
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
- name: All is well
  mailsrv_check:
    kind: mail
    domains: [example.org]
"""

RETURN = r"""
document:
  description: What the command printed with --json.
  returned: always
  type: raw
status:
  description: The command's exit status; 0 all is well, 1 findings, 75 not to be seen now.
  returned: always
  type: int
"""

COMMON = {"program": {"type": "path", "default": "/usr/local/bin/mailsrv"}, "config": {"type": "path"}}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **COMMON,
            "kind": {"type": "str", "choices": ["mail", "dane", "health"], "default": "mail"},
            "domains": {"type": "list", "elements": "str", "default": []},
            "fail": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    kind = module.params["kind"]
    status, document = call(module, "check", kind, *module.params["domains"], expected=(0, 1, 75))
    if status and (module.params["fail"] or not document):
        said = {1: "there are findings", 75: "it could not be looked at now"}[status]
        module.fail_json(msg=f"mailsrv check {kind}: {said}", status=status, document=document)
    module.exit_json(changed=False, status=status, document=document)


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
