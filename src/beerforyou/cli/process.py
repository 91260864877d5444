"""What a process does that serves or works for long: how it begins, and how it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable

import click

# A run makes some thousand objects that live as long as it does; 700 new ones, which is Python's, is a look at each step.
THRESHOLDS = (20_000, 20, 50)


def at_work() -> None:
    """Once all is there that lasts. What would be read when it is first needed is read now: there may be no file left to open
    then. What is there is not looked through again for what can be thrown away: for the catalogue and the code that takes
    longer than anybody may be kept waiting."""
    from beerforyou import clock
    from beerforyou.reading.words.lexicon.spelling import repaired
    from beerforyou.sentences import LANGUAGES, sentences

    for language in LANGUAGES:
        sentences(language)
    repaired("brewreies")  # reads the lexicons, and makes what mistakes are looked up in
    clock.days("UTC")  # reads every zone
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def told_to_stop(stop: Callable[[int], None], child: bool) -> None:
    """`stop` is called with each signal that says so. A `child` stops, too, when its parent is there no more."""
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, stop, signum)
    if child:
        loop.add_reader(sys.stdin, _orphaned, stop)


def _orphaned(stop: Callable[[int], None]) -> None:
    asyncio.get_running_loop().remove_reader(sys.stdin)
    stop(signal.SIGTERM)


def tell_parent() -> None:
    """That this child is ready: crew.py waits for a line."""
    click.echo("ready")
