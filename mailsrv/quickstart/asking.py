"""From the command line, a configuration that is there, or a person's answers to everything a quickstart has to know.

A configuration that is there is the truth: it is read, never asked about again, and never written over.
Fails by: `Misused` for an answer that is none and nobody there to give another; `ForUser` where the configuration says otherwise.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser, Misused
from dnsops.base.places import state_directory
from dnsops.base.secrets import Secret, from_file
from dnsops.base.settings.acme import LETS_ENCRYPT
from mailsrv.quickstart import answers, probing, questions, telling
from mailsrv.quickstart.answers import Answers, Credential, Kept
from mailsrv.quickstart.questions import Hints, Question
from mailsrv.quickstart.talk import Request, Talk

if TYPE_CHECKING:
    from dnsops.base.settings import Settings

TOKENS = ("TOKEN", "CLOUDFLARE_API_TOKEN")  # of the environment, as `dnsops.providers.choose` reads them
TRIES = 5


def asked(request: Request, talk: Talk) -> tuple[Answers, Secret | None]:
    """All answers, and the token where there is one."""
    domain = answers.domain(request.domain)
    known = {key: text for key, text in request.given.items() if text}
    for question in questions.QUESTIONS:
        if question.key in known:
            question.read(known[question.key])
    hints = _hints(domain, known, talk)
    if talk.attended and not request.yes:
        for question in questions.open_questions(known):
            known[question.key] = _answer(question, domain, hints, known, talk)
    texts = questions.complete(domain, known, hints)
    credential, token = _credential(request, answers.provider(texts["provider"]), talk)
    return _answers(domain, texts, credential, request), token


def _hints(domain: str, known: dict[str, str], talk: Talk) -> Hints:
    """Guesses are worth a look only where something is left open."""
    if not questions.open_questions(known):
        return Hints()
    talk.say("Looking at this machine and the domain ...")
    return asyncio.run(probing.hints(domain, os.environ.get("SUDO_USER") or _user()))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _answer(question: Question, domain: str, hints: Hints, known: dict[str, str], talk: Talk) -> str:
    """Asked until it is one."""
    for _ in range(TRIES):
        text = talk.ask(question.text, question.guess(domain, hints, known))
        try:
            question.read(text)
        except Misused as error:
            talk.say(f"  {error.what} - {error.advice}")
        else:
            return text
    raise Misused(f"no answer to: {question.text}", question.option, f"write it like {question.like}")


def _credential(request: Request, provider: str, talk: Talk) -> tuple[Credential, Secret | None]:
    """What opens the zone, from where it was named: a file, the environment, the person."""
    kind = provider.partition(":")[0]
    if request.token_file:
        path = str(Path(request.token_file).absolute())
        return Credential(Kept.FILE, path), from_file(Path(path), "--token-file") if kind == "cloudflare" else None
    if kind == "rfc2136":
        raise Misused("the TSIG key is not given", "--token-file", "name its file, as tsig-keygen writes it")
    if kind != "cloudflare":
        return Credential(), None
    token = request.token or _from_environment() or (_typed(talk) if talk.attended and not request.yes else None)
    if token is None:
        advice = "name it with --token-file FILE or --token-env NAME, or set CLOUDFLARE_API_TOKEN"
        raise Misused("the API token of the zone's holder is not given", "--token-file", advice)
    return Credential(Kept.OURS), token


def _from_environment() -> Secret | None:
    found = next((value for name in TOKENS if (value := os.environ.get(name, "").strip())), "")
    return Secret(found) if found else None


def _typed(talk: Talk) -> Secret | None:
    talk.say("Cloudflare: My Profile, API Tokens, Create Token; permissions Zone:Read and DNS:Edit for this zone only.")
    text = talk.ask_secret("API token").strip()
    return Secret(text) if text else None


def _answers(domain: str, texts: dict[str, str], credential: Credential, request: Request) -> Answers:
    found = Answers(
        domain=domain,
        hostname=answers.hostname(texts["hostname"]),
        provider=answers.provider(texts["provider"]),
        credential=credential,
        contact=answers.contact(texts["contact"]),
        account=answers.account(texts["account"]),
        addresses=answers.addresses(texts["addresses"]),
        bind=request.bind,
        state=str(Path(request.state).absolute()) if request.state else "",
        roots=str(Path(request.roots).absolute()) if request.roots else "",
        directory=request.directory or LETS_ENCRYPT,
    )
    if found.hostname == found.domain:
        advice = f"take a name below it, such as mx1.{found.domain}"
        raise Misused("the mail host cannot have the domain's own name", "--hostname", advice)
    return found


# a configuration that is there


def of_settings(settings: Settings, request: Request) -> tuple[Answers, Secret | None]:
    """What the configuration says, in the same words; what the command line says otherwise is refused."""
    from dnsops.commands.request import spec_of

    domain = answers.domain(request.domain)
    if domain not in settings.domains:
        advice = f"add {domain} to `domains` there, then `mailsrv dns plan`"
        raise ForUser(
            f"is for {', '.join(settings.domains) or 'no domain'}", str(request.output / "mailsrv.yml"), advice
        )
    if settings.dns is None:
        raise ForUser("says nothing about `dns`", str(request.output / "mailsrv.yml"), "add `dns: {provider: …}` there")
    first = settings.accounts[0] if settings.accounts else None
    key_file = str(settings.dns.key_file or "")
    found = Answers(
        domain=domain,
        hostname=settings.hostname,
        provider=spec_of(settings.dns),
        credential=Credential(Kept.FILE, key_file) if key_file else Credential(),
        contact=settings.acme.contact or "",
        account=first.name if first else "",
        addresses=settings.records.addresses or probing.public(),
        bind=bool(settings.queue.bind),
        state=str(settings.state.directory or ""),
        directory=settings.acme.directory,
        roots=str(settings.acme.roots or ""),
    )
    _same(found, request)
    return found, settings.dns.token


def _same(found: Answers, request: Request) -> None:
    """Nothing is written over: what was asked for must be what is there."""
    wanted = {key: _spelled(key, text) for key, text in request.given.items() if text}
    there = {
        "hostname": found.hostname,
        "provider": _spelled("provider", found.provider),
        "addresses": ", ".join(answers.addresses(" ".join(found.addresses))) if found.addresses else "",
        "account": found.account,
        "contact": found.contact,
        "directory": found.directory,
    }
    wanted |= {"directory": request.directory} if request.directory else {}
    if others := telling.differences(wanted, there):
        told = "; ".join(f"{key} is {here or 'not set'}, asked for was {asked}" for key, here, asked in others)
        advice = "change it there, or leave these options out; it is never written over"
        raise ForUser(f"says otherwise: {told}", str(request.output / "mailsrv.yml"), advice)


def _spelled(key: str, text: str) -> str:
    """In the one spelling, so that equal things are equal."""
    read = next(question.read for question in questions.QUESTIONS if question.key == key)
    value = read(text)
    if key == "provider":
        return str(value).removesuffix(":53")
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def state_of(found: Answers) -> Path:
    """Where its state is."""
    return state_directory(Path(found.state) if found.state else None)
