"""An S3 store that nobody here wrote: moto's server, on loopback, as a process of its own; it verifies signatures.

    with Store(directory) as store:
        store.environment        what a program that goes to it needs
        store.objects()          what lies in its bucket

Fails by: `Unavailable` when it does not come up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.lab.mailserver import free_ports
from tests.lab.network import Unavailable
from tests.lab.program import wait_until

BUCKET = "mail"
_SET_UP = 4  # requests before signatures count: a user, its key, its rights, the bucket
_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


class Store:
    """One store with one bucket and one user."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "s3.log"
        (self.port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment: dict[str, str] = {}
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
                env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_SET_UP)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until(lambda: b"Running on" in self.log.read_bytes(), "the S3 store")
            self._set_up()
        except TimeoutError:
            self.__exit__()
            raise Unavailable(self.log.read_text()[-2000:]) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)

    def _set_up(self) -> None:
        iam = self._client("iam", "setup", "setup")
        iam.create_user(UserName="backup")
        key = iam.create_access_key(UserName="backup")["AccessKey"]
        iam.put_user_policy(UserName="backup", PolicyName="all", PolicyDocument=json.dumps(_EVERYTHING))
        self._client("s3", "setup", "setup").create_bucket(Bucket=BUCKET)
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def _client(self, service: str, access: str, secret: str) -> Any:
        import boto3

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access,
            aws_secret_access_key=secret,
        )

    @property
    def client(self) -> Any:
        """Another client than ours, to look and to harm."""
        return self._client("s3", self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"])

    def objects(self, prefix: str = "") -> dict[str, int]:
        """Names and octets."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {one["Key"]: int(one["Size"]) for page in pages for one in page.get("Contents", [])}
