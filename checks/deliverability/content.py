"""The body's rules: text, HTML, links, pictures, files, size. Pure.

Standards: RFC 2045, 2046 5.1.4, 3986, 5321 4.5.3.1. Links are judged by their syntax; what answers is in `Known.pages`.
Points: `checks.catalogue.letters`. Never fails. Limits: those of `Letter` and `Page`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from checks.deliverability.known import Known
from checks.deliverability.letter import TEXT, Letter, body_of, charset_of
from checks.deliverability.loss import judged, untold
from checks.deliverability.target import Target, split
from checks.finding import Finding
from mailsrv.message.scan import Part
from mailsrv.message.transfer import IDENTITY

Lost = Iterator[tuple[int, str]]

LARGE, TOO_LARGE, CLIPPED = 10 << 20, 25 << 20, 102 << 10
LONGEST_LINE = 998
FEW_WORDS = 3
ENCODINGS = IDENTITY | {b"BASE64", b"QUOTED-PRINTABLE"}
SCHEMES = {"https", "http", "mailto", "tel", "sms", "cid"}
_SHORTENERS = """bit.ly tinyurl.com goo.gl t.co ow.ly is.gd buff.ly rebrand.ly cutt.ly shorturl.at tiny.cc t.ly lnkd.in rb.gy v.gd s.id
bl.ink adf.ly bit.do mcaf.ee soo.gd clck.ru x.co tr.im"""
_PROGRAMS = """exe com scr pif bat cmd msi msp cpl dll jar js jse vbs vbe wsf wsh hta ps1 psm1 lnk reg iso img vhd vhdx chm appx
application gadget inf sct ade adp mde xll one url"""
_MACROS = "docm dotm xlsm xltm xlam pptm potm ppam ppsm sldm"
SHORTENERS, PROGRAMS, MACROS = (frozenset(words.split()) for words in (_SHORTENERS, _PROGRAMS, _MACROS))
PACKED = frozenset(("zip", "rar", "7z", "gz", "cab", "ace", "arj"))
_LINK = re.compile(r"https?://[^\s<>\"'\])}]{1,2000}", re.IGNORECASE)
_HOST = re.compile(r"(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})(?:[/?#:].*)?", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(r"\w{2,40}")


def findings(letter: Letter, known: Known) -> Iterator[Finding]:
    """All of them, in the order of the catalogue."""
    yield judged("empty", *_empty(letter))
    yield judged("mime", *_mime(letter))
    yield from _pages(letter)
    yield judged("links", *(lost for target, text in links(letter) for lost in _link(target, text)))
    yield judged("shorteners", *_shortened(letter))
    yield from _looks(letter)
    yield judged("files", *_files(letter))
    yield judged("size", *_size(letter))
    yield _reached(known)


def links(letter: Letter) -> list[tuple[str, str]]:
    """Where it leads, with what stands on it: from HTML, else from the text. Each once."""
    found = [(link.target, link.text) for page in letter.pages for link in page.links]
    found = found or [(target, "") for text in letter.texts for target in _LINK.findall(text)]
    return list(dict.fromkeys(found))[:500]


def _empty(letter: Letter) -> Lost:
    if len(_WORD.findall(letter.words[:TEXT])) < FEW_WORDS:
        yield 10, "there are no words to read" + (", only files" if letter.files else "")


def _mime(letter: Letter) -> Lost:
    if b"mime-version" not in letter.head.fields and (letter.root.children or b"content-type" in letter.head.fields):
        yield 3, "MIME-Version is missing"
    for part in letter.leaves:
        yield from _part(part)
    body = letter.content[letter.root.body :]
    longest = max((len(line) for line in body.split(b"\n")), default=1) - 1
    if longest > LONGEST_LINE:
        yield 3, f"a line of {longest} octets: servers may cut it, which breaks signatures"
    if b"\0" in body:
        yield 3, "NUL octets in the body"


def _part(part: Part) -> Lost:
    number = part.number or "1"
    if part.encoding not in ENCODINGS:
        yield 5, f"part {number}: Content-Transfer-Encoding {part.encoding.decode('ascii', 'replace')} is unknown"
    if part.media.type != b"TEXT":
        return
    body, charset = body_of(part), charset_of(part)
    if not body.isascii() and charset in ("", "us-ascii", "ascii"):
        yield 3, f"part {number}: other letters than ASCII, and no charset says which"
    if charset in ("utf-8", "utf8") and len(body) < TEXT and not _is_utf8(body):
        yield 3, f"part {number}: it says UTF-8 and is not"


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# HTML


def _pages(letter: Letter) -> Iterator[Finding]:
    if not letter.pages:
        for name in ("plain", "alike", "balance"):
            yield untold(name, "it has no HTML")
        return
    plain = any(text.strip() for text in letter.texts)
    yield judged("plain", *(() if plain else ((10, "it has HTML only, and no text/plain alternative"),)))
    yield judged("alike", *_alike(letter)) if plain else untold("alike", "it has no plain text")
    yield judged("balance", *_balance(letter))


def _alike(letter: Letter) -> Lost:
    if not letter.alternative:
        return
    text, page = (
        set(_WORD.findall(source.lower()[:TEXT])) for source in ("\n".join(letter.texts), letter.pages[0].text)
    )
    if page and len(text & page) < len(page) / 3:
        yield 5, f"of {len(page)} different words in the HTML only {len(text & page)} stand in the plain text"


def _balance(letter: Letter) -> Lost:
    text = sum(len(page.text) for page in letter.pages)
    source = sum(len(page.source) for page in letter.pages)
    pictures = sum(len(page.pictures) for page in letter.pages)
    if pictures and text < 100 * min(pictures, 3):
        yield 4, f"{pictures} pictures and only {text} characters of text"
    elif source > 5000 and text < source / 50:
        yield 2, f"{text} characters of text in {source} of markup"
    if any(page.hidden for page in letter.pages):
        yield 3, "text of font size 0 is hidden in it"


def _looks(letter: Letter) -> Iterator[Finding]:
    if not letter.pages:
        yield untold("alt", "it has no HTML")
        yield untold("tags", "it has no HTML")
        return
    bare = [tag for page in letter.pages for tag in page.pictures if "alt" not in tag.attributes]
    yield judged("alt", *((1, f"no alt: {tag.attributes.get('src', '')[:120]}") for tag in bare))
    yield judged("tags", *((4, said) for page in letter.pages for said in page.acting))


# links


def _link(target: str, text: str) -> Lost:
    if target.startswith("#"):
        return
    parts = split(target)
    if parts is None or not parts.scheme:
        yield 3, f"no whole address: {target[:120]}"
    elif parts.scheme not in SCHEMES:
        yield 3, f"the scheme {parts.scheme[:20]}: {target[:120]}"
    elif parts.web:
        yield from _web(parts, target, text)


def _web(parts: Target, target: str, text: str) -> Lost:
    host = parts.host
    if not host or " " in target.strip():
        yield 3, f"no whole address: {target[:120]}"
        return
    if parts.scheme == "http":
        yield 0, f"http instead of https: {target[:120]}"
    if _number(host):
        yield 6, f"a number instead of a name: {target[:120]}"
    elif "." not in host:
        yield 3, f"no full name: {target[:120]}"
    if parts.user is not None:
        yield 5, f"a user name before the host hides where it goes: {target[:120]}"
    said = _HOST.fullmatch(text.strip())
    if said and _registered(said[1]) != _registered(host):
        yield 8, f"the text says {said[1][:80]}, the link goes to {host[:80]}"


def _number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdigit()
    return True


def _registered(host: str) -> str:
    """Near enough to compare what a text says with where it goes: the last two labels."""
    return ".".join(host.lower().rstrip(".").split(".")[-2:])


def _shortened(letter: Letter) -> Lost:
    for target, _ in links(letter):
        parts = split(target)
        host = (parts.host if parts else "").removeprefix("www.")
        if host in SHORTENERS:
            yield 3, target[:120]


def _reached(known: Known) -> Finding:
    if known.pages is None:
        return untold("reach", "links are followed with --fetch only")
    bad = [page for page in known.pages if not 200 <= page.status < 400]
    return judged("reach", *((2, f"{page.why or page.status}: {page.target[:120]}") for page in bad))


# files


def _files(letter: Letter) -> Lost:
    for file in letter.files:
        ending = file.name.lower().strip().rpartition(".")[2] if "." in file.name else ""
        inner = file.name.lower().split(".")[-2] if file.name.count(".") > 1 else ""
        if ending in PROGRAMS:
            yield 10, f"a program: {file.name[:120]}"
        elif ending in MACROS:
            yield 6, f"a document with macros: {file.name[:120]}"
        elif ending in PACKED and inner in PROGRAMS:
            yield 8, f"a packed program: {file.name[:120]}"
        elif ending in ("htm", "html", "svg", "shtml"):
            yield 4, f"a page as a file, as phishing has it: {file.name[:120]}"


def _size(letter: Letter) -> Lost:
    size = len(letter.content)
    if size > TOO_LARGE:
        yield 5, f"{size >> 20} MiB: many servers refuse it"
    elif size > LARGE:
        yield 2, f"{size >> 20} MiB: some servers refuse it"
    longest = max((len(page.source) for page in letter.pages), default=0)
    if longest > CLIPPED:
        yield 2, f"{longest >> 10} kB of HTML: Gmail cuts it off at {CLIPPED >> 10}"
