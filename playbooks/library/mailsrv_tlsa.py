#!/usr/bin/python
"""TLSA records kept true to the served keys, as an Ansible module: one run of `mailsrv tlsa reconcile`.

Runs on the target and calls the installed command with --json; the Python is any that Ansible takes. Fails by: the
command's own sentence, and its exit status in `rc`.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: mailsrv_tlsa
short_description: Keep TLSA records true to the keys that a mail server serves
description:
  - One step of C(mailsrv tlsa reconcile); safe to repeat, for every run looks first. The step after a wait is the next run's.
  - The provider's token comes from the configuration, or from the task's C(environment); it is no option.
version_added: "0.1.0"
author: The mailsrv project (@mailsrv)
options:
  hosts:
    description: The hosts; those of the configuration when empty.
    type: list
    elements: str
    default: []
  ports:
    description: PORT, or PORT/smtp, PORT/imap, PORT/implicit.
    type: list
    elements: str
    default: []
  sources:
    description: Where the served certificate is; see C(mailsrv cert sources).
    type: list
    elements: str
    default: []
  provider:
    description: Who holds the zone, such as V(cloudflare) or V(rfc2136:SERVER).
    type: str
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
- name: TLSA of a Postfix host
  mailsrv_tlsa:
    hosts: [mx1.example.org]
    sources: ["certbot:mx1.example.org"]
    provider: cloudflare
  environment:
    CLOUDFLARE_API_TOKEN: "{{ token }}"
  no_log: true
"""

RETURN = r"""
waiting:
  description: The next step has to wait for the caches of others.
  returned: always
  type: bool
results:
  description: Each host and port, its records and the step.
  returned: always
  type: list
  elements: dict
"""

COMMON = {"program": {"type": "path", "default": "/usr/local/bin/mailsrv"}, "config": {"type": "path"}}
QUIET = ("none", "wait", "later", "refuse")
LISTS = {"hosts": "--host", "ports": "--port", "sources": "--source"}


def main() -> None:
    lists = {name: {"type": "list", "elements": "str", "default": []} for name in LISTS}
    module = AnsibleModule(
        argument_spec={**COMMON, **lists, "provider": {"type": "str"}},
        supports_check_mode=True,
    )
    words = [word for name, option in LISTS.items() for value in module.params[name] for word in (option, value)]
    words += ["--provider", module.params["provider"]] if module.params["provider"] else []
    words += ["--dry-run"] if module.check_mode else []
    status, document = call(module, "tlsa", "reconcile", *words, expected=(0, 2, 75))
    if "results" not in document:
        module.fail_json(msg=f"mailsrv tlsa: {document.get('error', 'not now')}", rc=status)
    acted = [one for one in document["results"] if one["action"] not in QUIET]
    lines = "".join(f"{one['name']}: {one['why']}\n" for one in acted)
    changed = status == 2 if module.check_mode else bool(acted)
    module.exit_json(changed=changed, waiting=status == 75, results=document["results"], diff={"prepared": lines})


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
