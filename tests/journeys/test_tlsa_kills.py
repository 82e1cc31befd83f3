"""kill -9, for real: at each rename and each fsync of a run, and while the provider is at work. The next run brings it to the end."""

from __future__ import annotations

import pytest

from tests.conftest import without
from tests.journeys import strace
from tests.journeys.rehearsed import FOREIGN, Scene
from tests.journeys.strace import DEAD, KILLED, RENAMES, SYNCS, killing
from tests.lab.program import wait_until

MOST = 40


@pytest.fixture(autouse=True)
def traced() -> None:
    if reason := strace.why_not():
        without("strace", reason)


def sweep(scene: Scene, calls: str, wanted: set[str]) -> int:
    """Die at call 1, 2, 3 ... until a run passes untouched; how often it died."""
    for number in range(1, MOST):
        scene.again()
        done = scene.shell.child(*scene.words, prefix=killing(calls, number))
        if done.status not in DEAD:
            assert done.status == 0, done
            return number - 1
        assert_finished(scene, wanted)
    raise AssertionError(f"more than {MOST} calls of {calls}")


def assert_finished(scene: Scene, wanted: set[str]) -> None:
    """A plain run brings it to the end, the foreign record never leaves, and nothing stands there twice."""
    assert FOREIGN in scene.held()
    assert set(scene.held()) <= set(scene.texts) | wanted
    done = scene.shell.here(*scene.words)
    assert done.status == 0, done
    assert set(scene.held()) == wanted


def test_a_publication_killed_at_any_write(publishing: Scene) -> None:
    scene, wanted = publishing, set(publishing.texts) | {publishing.new}
    deaths = [sweep(scene, calls, wanted) for calls in (RENAMES, SYNCS)]
    assert deaths == [1, 2]


def test_a_removal_killed_at_any_write(pruning: Scene) -> None:
    scene, wanted = pruning, set(pruning.texts) - {pruning.old}
    deaths = [sweep(scene, calls, wanted) for calls in (RENAMES, SYNCS)]
    assert min(deaths) >= 1


@pytest.mark.parametrize("when", ["before the commit", "after the commit"])
def test_killed_while_cloudflare_is_at_it(when: str, publishing: Scene) -> None:
    scene, cloudflare, shell = publishing, publishing.api, publishing.shell
    if when == "before the commit":
        cloudflare.fail([{"hang": 0.5, "method": "POST"}])
    else:
        cloudflare.drop(1)  # it pauses before it asks again
    child = shell.start(*scene.words)
    wait_until(lambda: any(request.method == "POST" for request in cloudflare.log), "the request")
    if when == "after the commit":
        wait_until(lambda: len(scene.held()) > len(scene.texts), "the commit")
    child.kill()
    child.communicate()
    assert (child.returncode, (shell.state / "tlsa.lock").exists()) == (KILLED, True)
    assert_finished(scene, set(scene.texts) | {scene.new})


def test_two_runs_at_once_and_the_lock_of_the_dead(publishing: Scene) -> None:
    scene, cloudflare, shell = publishing, publishing.api, publishing.shell
    cloudflare.fail([{"hang": 3.0}])
    first = shell.start(*scene.words)
    wait_until(lambda: bool(cloudflare.log), "the first run to be at work")
    second = shell.here(*scene.words)
    assert second.status == 75
    assert f"process {first.pid} is at it already" in second.out
    first.kill()
    first.communicate()
    assert shell.here(*scene.words).action == "publish"
