"""What a process that works for long has done when it begins."""

import gc
import subprocess
import sys

from beerforyou.cli.process import THRESHOLDS

# In a process of its own: with no file left to open, everything that a run says and reads, of every language and zone.
WITHOUT_FILES = """
import resource
from datetime import UTC, datetime
from beerforyou import clock
from beerforyou.cli.process import at_work
from beerforyou.reading.words.lexicon.spelling import repaired
from beerforyou.sentences import LANGUAGES, day, number, sentences

at_work()
resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
try:
    open("/dev/null")
except OSError:
    pass
else:
    raise SystemExit("there are files left")
for language in LANGUAGES:
    assert sentences(language) and number(1234.5, language) and day(datetime(2026, 1, 2).date(), language)
for word in ("cervejarais", "brewreies", "simmmm", "qwertyuiop"):
    assert repaired(word)
for zone in clock.zones():
    clock.local(datetime.now(UTC), zone)
"""


def test_nothing_that_a_run_says_or_reads_is_a_file_any_more() -> None:
    program = [sys.executable, "-c", WITHOUT_FILES]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_there_is_not_looked_through_again() -> None:
    from beerforyou.cli.process import at_work

    usual = gc.get_threshold()
    try:
        at_work()
        assert gc.get_freeze_count() > 10_000 and gc.get_threshold() == THRESHOLDS
    finally:
        gc.unfreeze()
        gc.set_threshold(*usual)
