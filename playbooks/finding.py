"""Which playbook a word means, and in which surroundings Ansible runs: ours, whatever the user's own are set to.

Fails by: `Misused` for a playbook or an inventory that is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dnsops.base.errors import Misused

HERE = Path(__file__).parent
NO_PLAYBOOKS = ("inventory.example.yml",)
# How hosts are reached and vaults opened is the user's business; what a play does is not changed from outside.
KEPT = frozenset(
    f"ANSIBLE_{name}"
    for name in (
        "ASK_PASS",
        "BECOME_PASSWORD_FILE",
        "CONNECTION_PASSWORD_FILE",
        "HOME",
        "HOST_KEY_CHECKING",
        "LOCAL_TEMP",
        "PRIVATE_KEY_FILE",
        "REMOTE_PORT",
        "REMOTE_TEMP",
        "REMOTE_USER",
        "SSH_ARGS",
        "SSH_COMMON_ARGS",
        "SSH_CONTROL_PATH_DIR",
        "SSH_EXTRA_ARGS",
        "TIMEOUT",
        "VAULT_PASSWORD_FILE",
    )
)


def ours() -> list[str]:
    """The names of our playbooks."""
    return sorted(path.stem for path in HERE.glob("*.yml") if path.name not in NO_PLAYBOOKS)


def playbook(word: str) -> Path:
    """`site`, `site.yml`: one of ours; everything else is a path."""
    if "/" not in word and word.removesuffix(".yml") in ours():
        return HERE / f"{word.removesuffix('.yml')}.yml"
    path = Path(word)
    if not path.is_file():
        raise Misused(f"there is no playbook {word}", "deploy", f"ours are: {', '.join(ours())}; or name a file")
    return path.absolute()


def inventory(word: str) -> str:
    """A file or directory; or, as Ansible has it, a list of hosts with a comma in it."""
    if "," in word:
        return word
    if not Path(word).exists():
        raise Misused(f"there is no inventory {word}", "deploy", f"begin with a copy of {HERE / NO_PLAYBOOKS[0]}")
    return str(Path(word).absolute())


def surroundings(env: Mapping[str, str], programs: Path) -> dict[str, str]:
    """The environment: our ansible.cfg, the programs beside our interpreter first."""
    found = {name: value for name, value in env.items() if not name.startswith("ANSIBLE_") or name in KEPT}
    path = ":".join(filter(None, (str(programs), env.get("PATH", ""))))
    return found | {"ANSIBLE_CONFIG": str(HERE / "ansible.cfg"), "PATH": path}
