#!/usr/bin/python
"""The records of our domains, as an Ansible module: planned, or applied and seen.

Runs on the target and calls the installed command with --json; the Python is any that Ansible takes. Fails by: the
command's own sentence, and its exit status in `rc`.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
---
module: mailsrv_dns
short_description: Make the DNS say what a mail server's configuration wants
description:
  - Plans the records of all domains of the configuration with C(mailsrv dns plan), and applies them with C(mailsrv dns apply).
  - Records of others are left alone; one that stands in the way fails the task and says which.
version_added: "0.1.0"
author: The mailsrv project (@mailsrv)
options:
  state:
    description: V(applied) writes what is missing; V(planned) only reports, and is changed when something is pending.
    type: str
    choices: [applied, planned]
    default: applied
  domains:
    description: Only the zones of these domains.
    type: list
    elements: str
    default: []
  force:
    description: Also past the configuration's C(records.most_removed).
    type: bool
    default: false
  wait:
    description: How many seconds to look for what was written at all name servers.
    type: int
    default: 60
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
- name: The records
  mailsrv_dns:
    state: applied

- name: What would change
  mailsrv_dns:
    state: planned
    domains: [example.org]
"""

RETURN = r"""
items:
  description: What was changed, or would be.
  returned: always
  type: list
  elements: dict
waiting:
  description: Written, and not seen at all name servers yet.
  returned: always
  type: bool
"""

COMMON = {"program": {"type": "path", "default": "/usr/local/bin/mailsrv"}, "config": {"type": "path"}}
CHANGING = ("add", "replace", "remove")
QUIET = ("none", "wait", "later", "refuse", "decide")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **COMMON,
            "state": {"type": "str", "choices": ["applied", "planned"], "default": "applied"},
            "domains": {"type": "list", "elements": "str", "default": []},
            "force": {"type": "bool", "default": False},
            "wait": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    chosen = [word for domain in module.params["domains"] for word in ("--domain", domain)]
    status, plan = call(module, "dns", "plan", *chosen, expected=(0, 1, 2))
    if status == 1:
        refuse(module, plan)
    pending = changes(plan["results"], "items")
    if module.check_mode or module.params["state"] == "planned" or status == 0:
        module.exit_json(changed=status == 2, items=pending, waiting=False, diff=diff(pending, plan))
    more = ["--force"] if module.params["force"] else []
    words = ("--yes", "--wait", str(module.params["wait"]), *more, *chosen)
    status, done = call(module, "dns", "apply", *words, expected=(0, 1, 75))
    made = changes(done["results"], "done")
    changed = bool(made) or any(story and story["action"] not in QUIET for story in done["keys"].values())
    if status == 1 or done["action"] in ("later", "refuse"):
        refuse(module, done, changed)
    module.exit_json(changed=changed, items=made, waiting=status == 75, diff=diff(made, done))


def changes(results: Any, key: str) -> list[Any]:
    return [item for result in results for item in result[key] if item["step"] in CHANGING]


def diff(items: list[Any], document: Any) -> dict[str, str]:
    """As `dns plan` has it: what goes, what comes."""
    lines = []
    for item in items:
        lines += [f"{sign}{line(item[side])}" for side, sign in (("before", "-"), ("after", "+")) if item[side]]
    for kind, story in document["keys"].items():
        if story and story["action"] not in QUIET:
            lines.append(f"+{kind}: {story['action']}")
    return {"prepared": "".join(f"{text}\n" for text in lines)}


def line(record: Any) -> str:
    return f"{record['name']} {record['ttl']} {record['type']} {record['data']}"


def refuse(module: AnsibleModule, document: Any, changed: bool = False) -> None:
    """What a person must decide, in one sentence."""
    found = [str(result.get("refused") or "") for result in document["results"]]
    for result in document["results"]:
        found += [
            f"{item['name']} {item['type']}: {item['why']}" for item in result["items"] if item["step"] == "conflict"
        ]
        found += [" - ".join(str(one[k]) for k in ("what", "advice") if one.get(k)) for one in result["findings"]]
    said = "; ".join(filter(None, found)) or "a person should look: mailsrv dns plan"
    module.fail_json(msg=f"mailsrv dns: {said}", changed=changed, document=document)


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
