"""Parses lead times, sizes and tasks as people type them."""

import re
from pathlib import Path

import numpy as np

from data.task import STEP, TASKS, Task

HOUR = np.timedelta64(1, "h")
UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "KI": 2**10, "MI": 2**20, "GI": 2**30}
LONGEST_DAYS = 36_525  # a century; a longer lead time is a typing error


def lead_time(text: str, step: np.timedelta64 = STEP) -> int:
    """The number of steps of a task in `10d`, `36h` or `1d12h`.

    >>> lead_time("1d12h")
    6

    Raises:
        ValueError: the text is no duration, or not a whole number of steps.
    """
    total = int(duration(text) / HOUR)
    length = int(step / HOUR)
    if total == 0 or total % length:
        near = max(length, length * round(total / length))
        raise ValueError(
            f"a forecast goes in steps of {length} h, so --lead-time is a positive multiple of it; "
            f"{text} is {total} h, and {near}h would do"
        )
    return total // length


def duration(text: str, flag: str = "--lead-time") -> np.timedelta64:
    """The lead time that `10d`, `36h` or `1d12h` means, nanoseconds.

    >>> bool(duration("36h") == np.timedelta64(36, "h"))
    True

    Raises:
        ValueError: the text is no duration, or longer than a century.
    """
    match = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?", text.strip().lower())
    if match is None or not text.strip():
        raise ValueError(f"{flag} reads days and hours, as 10d, 36h or 1d12h, not {text!r}")
    days, hours = (int(part or 0) for part in match.groups())
    total = 24 * days + hours
    if total > 24 * LONGEST_DAYS:
        raise ValueError(f"{flag} is at most {LONGEST_DAYS}d, and {text} is more")
    return np.timedelta64(3600 * 10**9 * total, "ns")


def number_of_bytes(text: str) -> int:
    """Bytes in `12GB`, `12GiB` or `500M`.

    >>> number_of_bytes("1.5 GiB")
    1610612736

    Raises:
        ValueError: the text is no size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*([KMGT]?I?)B?", text.strip().upper())
    if match is None or match[2] not in UNITS:
        raise ValueError(f"--memory reads a size as 12GB or 500MiB, not {text!r}")
    return int(float(match[1]) * UNITS[match[2]])


def task_named(text: str) -> Task:
    """A published task by name, or the task in a JSON file.

    Raises:
        ValueError: the text is neither, or the file describes no task.
    """
    if text in TASKS:
        return TASKS[text]
    if not Path(text).is_file():
        raise ValueError(
            f"--task is one of {', '.join(TASKS)} or a JSON file, and there is no file {text}"
        )
    return Task.from_file(Path(text))
