"""The queue under any weather: every recipient ends delivered, told of once, or still queued, and none outlives its time."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from mailsrv.send.letter import Recipient
from mailsrv.send.schedule import Schedule
from mailsrv.send.verdict import Fate, Verdict
from mailsrv.store.door import NEVER, Hop
from tests.mailsrv.send.test_story import actions
from tests.mailsrv.send.world import DARK, NO, RELAYED, TAKEN, WAIT, World

VERDICTS = st.sampled_from([TAKEN, RELAYED, NO, WAIT, WAIT, WAIT, DARK, DARK])
NOTIFY = st.sampled_from(
    [(), (), ("NOTIFY=NEVER",), ("NOTIFY=FAILURE",), ("NOTIFY=SUCCESS,FAILURE,DELAY",), ("NOTIFY=DELAY",)]
)
STEPS = st.sampled_from([timedelta(minutes=m) for m in (1, 7, 60, 600, 3000, 9000)])


class Queue(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.taken: Counter[str] = Counter()
        self.sent: dict[str, tuple[str, ...]] = {}
        self.dropped: set[str] = set()
        self.held: set[str] = set()
        self.verdicts = [TAKEN]
        self.turn = 0
        self.world = self.loop.run_until_complete(self.build())

    async def build(self) -> World:
        world = World(self.weather)
        await world.store.account("a")
        return world

    def teardown(self) -> None:
        """When the world is kind again everything ends, and once."""
        self.verdicts = [TAKEN]
        self.do(self.let_all_go())
        self.do(self.world.after(timedelta(days=6)))
        assert self.do(self.world.queue()) == ()
        self.everyone_is_accounted_for()
        self.loop.run_until_complete(self.world.outbound.stop())
        self.loop.close()

    def do(self, story: Any) -> Any:
        return self.loop.run_until_complete(story)

    def weather(self, recipient: Recipient) -> Verdict:
        self.turn += 1
        verdict = self.verdicts[self.turn % len(self.verdicts)]
        if verdict.fate in (Fate.DELIVERED, Fate.RELAYED):
            self.taken[recipient.address] += 1
        return verdict

    @rule(
        count=st.integers(1, 4),
        domains=st.integers(1, 3),
        options=NOTIFY,
        sender=st.sampled_from(["a@us.org", "a@us.org", ""]),
    )
    def accept(self, count: int, domains: int, options: tuple[str, ...], sender: str) -> None:
        names = [f"r{len(self.sent) + number}@d{number % domains}.net" for number in range(count)]
        self.sent |= dict.fromkeys(names, options if sender else ("NOTIFY=NEVER",))
        self.do(self.world.send(*(Hop(name, options) for name in names), sender=sender))

    @rule(verdicts=st.lists(VERDICTS, min_size=1, max_size=5))
    def turn_of_the_weather(self, verdicts: list[Verdict]) -> None:
        self.verdicts = verdicts

    @rule(step=STEPS)
    def time_goes_by(self, step: timedelta) -> None:
        self.do(self.world.after(step))

    @rule(step=STEPS)
    def the_server_is_off_for_a_while(self, step: timedelta) -> None:
        self.world.clock.now += step
        self.world.outbound = self.world.built()

    @rule(data=st.data())
    def the_administrator_holds_one(self, data: st.DataObject) -> None:
        queue = self.do(self.world.queue())
        if queue:
            one = data.draw(st.sampled_from(queue))
            self.do(self.world.store.reschedule([one.id], NEVER))
            self.held.add(one.hop.recipient)

    @rule()
    def the_administrator_lets_all_go(self) -> None:
        self.do(self.let_all_go())

    @rule(data=st.data())
    def the_administrator_drops_one(self, data: st.DataObject) -> None:
        queue = self.do(self.world.queue())
        if queue:
            one = data.draw(st.sampled_from(queue))
            self.do(self.world.store.settle([one.id], []))
            self.dropped.add(one.hop.recipient)

    async def let_all_go(self) -> None:
        await self.world.store.reschedule([one.id for one in await self.world.queue()], self.world.clock.now)
        self.held.clear()

    @invariant()
    def everyone_is_accounted_for(self) -> None:
        queued = {one.hop.recipient for one in self.do(self.world.queue())}
        told = [action for notice in self.do(self.world.inbox()) for action in actions(notice)]
        failed = Counter(recipient for recipient, action, _ in told if action == "failed")
        delayed = Counter(recipient for recipient, action, _ in told if action == "delayed")
        assert all(count == 1 for count in self.taken.values()), "sent twice"
        assert all(count == 1 for count in failed.values()), "told twice"
        assert all(count <= 2 for count in delayed.values()), "warned too often"
        for recipient, options in self.sent.items():
            ends = [recipient in queued, recipient in self.taken, recipient in failed, recipient in self.dropped]
            silent = options and not any("FAILURE" in option for option in options)
            assert sum(ends) == 1 or (silent and sum(ends) == 0), (recipient, ends)

    @invariant()
    def nothing_outlives_its_time(self) -> None:
        """Save what is held, and what was due while the server was off: that has its last attempt at once."""
        now = self.world.clock.now
        for one in self.do(self.world.queue()):
            if one.hop.recipient not in self.held:
                assert one.next <= max(one.received + Schedule().lifetime, now)


Queue.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestQueue = Queue.TestCase
