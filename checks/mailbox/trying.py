"""A visit to a mailbox: log in, put a marked message into a folder of ours, read it back, take it out, remove the folder.

    visit = await try_mailbox(ways)

Standards: RFC 9051 6.3.12 (APPEND), 6.4.3 (EXPUNGE). No folder and no message but ours is touched: the folder's name has a token.
Limits: those of `checks.echo.reading`; SECONDS for all of it. Fails by: values that say so.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime

from checks.echo import marked
from checks.echo.reading import Box
from checks.echo.ways import Ways
from checks.mailbox.judging import Visit
from dnsops.base.errors import ForUser
from mailsrv.spam.hints import plain

SECONDS = 60.0


async def try_mailbox(ways: Ways) -> Visit:
    """How far it went."""
    visit = Visit(datetime.now(UTC), ways.sender)
    try:
        async with asyncio.timeout(SECONDS), Box.opened(ways.reading, ways.user, ways.password) as box:
            visit = replace(visit, tls=box.tls, capabilities=await box.capabilities())
            return await _marker(box, ways, visit)
    except ForUser as error:
        why = error.what
    except TimeoutError:
        why = "no answer in time"
    except (OSError, EOFError) as error:
        why = plain(f"{type(error).__name__}: {error}")
    return replace(visit, put=why) if visit.capabilities else replace(visit, why=why)


async def _marker(box: Box, ways: Ways, visit: Visit) -> Visit:
    """In, read, out. The folder goes whatever happens in between, as far as the server is there."""
    token = secrets.token_hex(8)
    folder = f"mailsrv-check-{token}"
    content = marked.message(marked.mark(token, ways.sender), ways.sender, ways.sender, visit.now)
    await box.command(f'CREATE "{folder}"')
    try:
        visit = await _put(box, folder, token, content, visit)
        return visit if visit.put else replace(visit, removed=await _removed(box, token))
    finally:
        await box.command("UNSELECT" if "UNSELECT" in visit.capabilities else "CLOSE")
        await box.command(f'DELETE "{folder}"')


async def _put(box: Box, folder: str, token: str, content: bytes, visit: Visit) -> Visit:
    await box.append(folder, content)
    await box.command(f'SELECT "{folder}"')
    fetched = await box.command("UID FETCH 1:* (BODY.PEEK[])")
    lines = (f"APPEND of {len(content)} octets to {folder}", f"FETCH gave {[len(one) for one in fetched.literals]}")
    found = await box.command(f'UID SEARCH TEXT "{token}"')
    searched = any(line.upper().startswith(b"* SEARCH ") and line.split()[2:] for line in found.lines)
    why = "" if content in fetched.literals else "what was put in is not what is read"
    return replace(visit, put=why or ("" if searched else "SEARCH does not find it"), lines=lines)


async def _removed(box: Box, token: str) -> str:
    await box.command("STORE 1:* +FLAGS.SILENT (\\Deleted)")
    await box.command("EXPUNGE")
    left = await box.command("FETCH 1:* (UID)") if await box.exists() else None
    return "it is still there after EXPUNGE" if left and left.lines else ""
