"""For processes of another day (tests/days.py): faketime 0.9.10 refuses the sleep until a moment that Python 3.11 asks for,
so that it sleeps for as long instead.
"""

import select
import time


def sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = sleep
