"""The settings of backups: where they lie, who can read them, how many are kept. Pure."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

from dnsops.base.settings.section import FilePath, SecretPath, Section, Text
from dnsops.base.settings.words import ONE_OR_MANY, SecretText, WebAddress, refused

S3 = "s3://"
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9!_.*'()-]+)*")  # S3's names, and safe keys
_RECIPIENT = re.compile(r"age1[0-9a-z]{50,4096}|ssh-(?:ed25519|rsa) [A-Za-z0-9+/=]{40,4096}(?: .*)?")


def place(text: str) -> str:
    """A directory, or a bucket of an S3 store and what its objects' names begin with."""
    if not text.startswith(S3):
        return text
    bare = text.rstrip("/")
    if not _BUCKET.fullmatch(bare) or {".", ".."} & set(bare.split("/")):
        raise refused(f"not a place in an S3 store: {text[:80]!r}", "write it like s3://BUCKET/PREFIX")
    return bare


def recipient(text: str) -> str:
    """Who can read: the public half of an age key, or of an SSH key."""
    bare = text.strip()
    if bare.upper().startswith("AGE-SECRET-KEY-"):
        raise refused("that is the secret half", "write the recipient, age1..., which `age-keygen -y` prints")
    if not _RECIPIENT.fullmatch(bare):
        raise refused("not an age recipient", "write age1..., which `age-keygen` prints")
    return bare


def _beside(text: str, info: ValidationInfo) -> str:
    found = place(text)
    folder: Path = (info.context or {}).get("folder", Path.cwd())
    return found if found.startswith(S3) else str(folder / found)


Where = Annotated[str, AfterValidator(place)]


class Backup(Section):
    """Backups: where they lie, who can read them, how many are kept."""

    place: Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_beside)] | None = Field(
        default=None,
        description="Where backups go: a directory, or s3://BUCKET/PREFIX; without it none is taken by itself.",
        examples=["/var/backups/mailsrv"],
    )
    keep: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=30, description="How many of the newest are kept there.", examples=[30]
    )
    recipients: Annotated[tuple[Annotated[Text, AfterValidator(recipient)], ...], ONE_OR_MANY] = Field(
        default=(),
        description="Who can read them, as age recipients; without any they are as readable as their place.",
        examples=[["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudxsrqgqg2c4aa"]],
        max_length=20,
    )
    identity: SecretPath | None = Field(
        default=None,
        description="The age identity that opens them; where this host has it, the weekly proof opens them too.",
        examples=["/etc/mailsrv/backup-identity"],
    )
    also: Annotated[tuple[FilePath, ...], ONE_OR_MANY] = Field(
        default=(),
        description="More files to keep, beside the state, the configuration and the `!file` secrets that it names.",
        examples=[["/etc/mailsrv/notes.txt"]],
        max_length=1000,
    )
    endpoint: WebAddress | None = Field(
        default=None,
        description="The S3 store's address; AWS_ENDPOINT_URL of the environment, else Amazon's own, unless given.",
        examples=["https://s3.example.net"],
    )
    region: Text | None = Field(
        default=None, description="Its region; AWS_REGION, else us-east-1, unless given.", examples=["eu-central-1"]
    )
    access_key: SecretText | None = Field(
        default=None,
        description="The name of the access key there; AWS_ACCESS_KEY_ID unless given.",
        examples=["!file /etc/mailsrv/s3-access-key"],
    )
    secret_key: SecretText | None = Field(
        default=None,
        description="Its secret half; AWS_SECRET_ACCESS_KEY unless given.",
        examples=["!file /etc/mailsrv/s3-secret-key"],
    )
