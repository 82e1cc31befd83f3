"""Bytes to text by the charsets mail uses, and by no other codec Python happens to have. Pure.

Standard: the IANA names (RFC 2978). An unknown charset is read as UTF-8 or else Windows-1252, as people's programs do.
Never fails: what cannot be decoded becomes U+FFFD; NUL and lone surrogates do not come out.
"""

from __future__ import annotations

import codecs
import re

_ISO = {f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)}
_WINDOWS = {f"{name}125{n}": f"cp125{n}" for n in range(9) for name in ("windows-", "cp")}
_ASIAN = {
    "gb2312": "gb18030",  # the larger set, as browsers read it
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "cp932": "cp932",
    "windows-31j": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp_ext",
    "iso-2022-jp-2": "iso2022_jp_2",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-2022-kr": "iso2022_kr",
    "tis-620": "cp874",
    "windows-874": "cp874",
}
# Windows-1252 is what ISO-8859-1 and US-ASCII mean in practice (WHATWG Encoding 4.2); UTF-8 is tried before it
CODECS = {
    **_ISO,
    **_WINDOWS,
    **_ASIAN,
    "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    "ibm850": "cp850",
    "cp850": "cp850",
    "ibm866": "cp866",
    "cp866": "cp866",
    "ibm437": "cp437",
    "utf-7": "utf-7",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
}
_SHIFTING = frozenset(
    name for name in CODECS if name.startswith(("utf-", "iso-2022-", "hz-"))
)  # more than ASCII in 7 bits
_SURROGATE = re.compile("[\ud800-\udfff\0]")


def text(data: bytes, charset: str = "") -> str:
    """The text of these bytes."""
    if data.isascii() and charset not in _SHIFTING and b"\0" not in data:
        return data.decode("ascii")
    codec = CODECS.get(charset)
    if codec is None:
        return clean(_guessed(data))
    try:
        return clean(codecs.decode(data, codec, "replace"))
    except (UnicodeError, ValueError):  # a codec without a way to go on
        return clean(_guessed(data))


def _guessed(data: bytes) -> str:
    """UTF-8, also when its last character is cut off; otherwise one byte is one letter."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        cut = wrong.start > len(data) - 4 and not data[: wrong.start].isascii()
        return data.decode("utf-8", "replace") if cut else data.decode("cp1252", "replace")


def clean(decoded: str) -> str:
    """Without NUL, and U+FFFD for lone surrogates: neither may come into a database or onto a wire."""
    return _SURROGATE.sub(lambda found: "" if found[0] == "\0" else "\ufffd", decoded)
