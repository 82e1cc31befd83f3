"""The settings of spam, echo and SRS: nobody is asked by default, and what cannot be is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsops.base import settings
from dnsops.base.settings import Flaws
from dnsops.records import names

HOUSE = """\
hostname: mx1.example.org
domains: [example.org]
accounts:
  - {name: user1, password: !env PW, addresses: [user1@example.org]}
aliases: [{address: info@example.org, to: user1}]
spam:
  dnsbl: [{zone: zen.spamhaus.org, listed: refuse, codes: [127.0.0.2/31, 127.0.0.4/30]}, {zone: dbl.spamhaus.org, of: domains}]
  greylist: true
  rspamd: http://127.0.0.1:11333
  spamd: "[::1]:783"
  clamd: /run/clamav/clamd.ctl
  junk_score: 4.5
  deadline: 20s
  on_failure: later
echo: {addresses: echo@example.org}
srs: {domain: Bounce.example.org, secret: srs}
"""


def load(folder: Path, text: str) -> settings.Settings:
    file = folder / "m.yml"
    file.write_text(text, encoding="utf-8")
    return settings.load(file, names.host)


def test_it_loads(tmp_path: Path) -> None:
    house = load(tmp_path, HOUSE)
    assert [one.zone for one in house.spam.dnsbl] == ["zen.spamhaus.org", "dbl.spamhaus.org"]
    assert house.echo.addresses == ("echo@example.org",)
    assert (house.srs.domain, house.srs.secret) == ("bounce.example.org", tmp_path / "srs")
    assert all(line.key for line in settings.show(house))


def test_by_default_nobody_is_asked_and_nobody_answered(tmp_path: Path) -> None:
    house = load(tmp_path, HOUSE.partition("spam:")[0])
    spam = house.spam
    assert (spam.dnsbl, spam.greylist, spam.rspamd, spam.spamd, spam.clamd) == ((), False, None, None, None)
    assert (spam.on_failure, spam.reputation, house.echo.addresses, house.srs.enabled) == ("accept", True, (), True)


@pytest.mark.parametrize(
    "right, wrong, said",
    [
        ("echo@example.org", "echo@example.net", "echo.addresses[0]: example.net is not one of `domains`"),
        ("echo@example.org", "Info@example.org", "echo.addresses[0]: Info@example.org is somebody's address"),
        ("zone: dbl", "zone: zen", "spam.dnsbl[1].zone: zen.spamhaus.org is there twice"),
        ("listed: refuse", "listed: drop", "spam.dnsbl[0].listed: "),
        ("127.0.0.2/31", "127.0.0.1/31", "spam.dnsbl[0].codes[0]: not a network"),
        ("http://127", "127", "spam.rspamd: "),
        ('"[::1]:783"', "localhost", "spam.spamd: "),
        ("/run/clamav/clamd.ctl", "clamd.ctl", "spam.clamd: "),
        ("later", "drop", "spam.on_failure: "),
        ("junk_score: 4.5", "junk_score: much", "spam.junk_score: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert HOUSE.count(right) == 1
    with pytest.raises(Flaws) as caught:
        load(tmp_path, HOUSE.replace(right, wrong))
    assert said in str(caught.value)
