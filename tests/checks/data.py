"""Where the data of the checks' tests is: what internet.nl itself said. A test without it is skipped, with a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

DATA = Path(os.environ.get("MAILSRV_DATA", "") or Path(__file__).parents[3] / "shared" / "data")


def golden(name: str) -> Any:
    """A JSON file of it; the whole module is skipped when it is not here."""
    path = DATA / name
    if not path.exists():
        pytest.skip(
            f"{path} is not here: MAILSRV_DATA says where internet.nl's own results are", allow_module_level=True
        )
    return json.loads(path.read_text())
