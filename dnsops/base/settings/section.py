"""What every section of the settings is, and the types that settings share. Pure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from dnsops.base.places import handed_over

SHORTEST_TTL, LONGEST_TTL = 30, 86400  # seconds; a TLSA answer should not outlive a day


def _beside(path: Path, info: ValidationInfo) -> Path:
    """Relative paths are relative to the configuration's own directory."""
    folder: Path = (info.context or {}).get("folder", Path.cwd())
    return folder / path


def _handed_over(path: Path, info: ValidationInfo) -> Path:
    return handed_over(_beside(path, info))


FilePath = Annotated[Path, AfterValidator(_beside)]
SecretPath = Annotated[Path, AfterValidator(_handed_over)]  # systemd may have passed it as a credential
Port = Annotated[int, Field(ge=1, le=65535)]
Ttl = Annotated[int, Field(ge=SHORTEST_TTL, le=LONGEST_TTL)]
Text = Annotated[str, Field(min_length=1, max_length=4096)]


class Section(BaseModel):
    """A section knows all its keys, and does not change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
