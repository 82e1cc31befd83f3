"""Parameters of MAIL FROM and RCPT TO."""

from __future__ import annotations

import pytest

from mailsrv.smtp.parameters import Body, MailOptions, RcptOptions, mail_options, rcpt_options, unxtext
from mailsrv.smtp.replies import Refused


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", MailOptions()),
        ("SIZE=1000 BODY=8BITMIME", MailOptions(size=1000, body=Body.EIGHT_BIT)),
        ("size=0  body=7bit smtputf8", MailOptions(smtputf8=True)),
        ("RET=full ENVID=Case+2BKept", MailOptions(ret="FULL", envid="Case+2BKept")),
        ("REQUIRETLS AUTH=<>", MailOptions(requiretls=True, auth="<>")),
        ("AUTH=e+3Dmc2@example.com", MailOptions(auth="e+3Dmc2@example.com")),  # RFC 4954 5
    ],
)
def test_of_mail(text: str, options: MailOptions) -> None:
    assert mail_options(text) == options


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("NOTIFY=never", RcptOptions(("NEVER",))),
        (
            "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;Bob@x",
            RcptOptions(("SUCCESS", "FAILURE", "DELAY"), "rfc822;Bob@x"),
        ),
        ("ORCPT=utf-8;ü@x", RcptOptions(orcpt="utf-8;ü@x")),
    ],
)
def test_of_rcpt(text: str, options: RcptOptions) -> None:
    assert rcpt_options(text) == options
    assert rcpt_options(" ".join(options.words())) == options


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SIZE", 501), ("SIZE=", 501), ("SIZE=-1", 501), ("SIZE=1e3", 501), ("SIZE=٣", 501), (f"SIZE={'9' * 21}", 501),
        ("BODY=9BIT", 501), ("BODY=BINARYMIME", 501), ("BODY", 501), ("SMTPUTF8=1", 501), ("RET=ALL", 501), ("RET", 501),
        (f"ENVID={'x' * 101}", 501), ("ENVID=a+2", 501), ("AUTH=nobody", 501), ("SIZE=1 size=2", 501), ("=1", 501),
        ("-A=1", 501), ("A==", 501), ("HOLDFOR=10", 555), ("FOO", 555), ("NOTIFY=NEVER", 555), (" ".join(["A"] * 21), 501),
    ],
)  # fmt: skip
def test_what_is_refused_of_mail(text: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        mail_options(text)
    assert refused.value.reply.code == code


@pytest.mark.parametrize(
    "text",
    ["NOTIFY", "NOTIFY=", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=PERHAPS", "ORCPT=x", "ORCPT=;x",
     "ORCPT=rfc822;a+4", f"ORCPT=rfc822;{'x' * 500}", "ORCPT=rfc822;ü"],
)  # fmt: skip
def test_what_is_refused_of_rcpt(text: str) -> None:
    with pytest.raises(Refused):
        rcpt_options(text)


def test_a_size_that_is_too_large() -> None:
    assert mail_options("SIZE=1000", 1000).size == 1000
    with pytest.raises(Refused) as refused:
        mail_options("SIZE=1001", 1000)
    assert refused.value.reply.code == 552


def test_what_travels_on() -> None:
    options = mail_options("SIZE=9 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=Q AUTH=<> REQUIRETLS")
    assert options.words() == ("BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=Q", "REQUIRETLS")


def test_xtext() -> None:
    assert unxtext("a+2Bb+3Dc") == "a+b=c"
