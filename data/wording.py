"""How messages write a time, a short list and another library's error.

Every message of the project that names one of these uses the functions here, so that the same
thing always looks the same.
"""

from collections.abc import Iterable

import numpy as np

HOUR = np.timedelta64(1, "h")


def hour(time: np.datetime64) -> str:
    """A UTC time to the hour, or to the minute where it has minutes.

    >>> hour(np.datetime64("2024-06-03T06:00:00.000"))
    '2024-06-03T06'
    >>> hour(np.datetime64("2024-06-03T06:30"))
    '2024-06-03T06:30'
    """
    whole = time.astype("datetime64[h]")
    return str(whole if whole == time else time.astype("datetime64[m]"))


def hours(duration: np.timedelta64) -> float:
    """A duration in hours.

    >>> hours(np.timedelta64(90, "m"))
    1.5
    """
    return float(duration / HOUR)


def listed(items: Iterable[object], most: int = 6) -> str:
    """Items separated by commas; of more than `most`, the first ones and the last.

    Numbers are written without a trailing ".0".

    >>> listed([50.0, 100, "surface"])
    '50, 100, surface'
    >>> listed(range(10), most=4)
    '0, 1, 2, ..., 9'
    """
    words = [_word(item) for item in items]
    if len(words) > most:
        words = [*words[: most - 1], "...", words[-1]]
    return ", ".join(words)


def reason(error: BaseException) -> str:
    r"""The first line of another library's error, or the error's class where it says nothing.

    >>> reason(KeyError())
    'KeyError'
    >>> reason(ValueError("no such chunk\nTraceback ..."))
    'no such chunk'
    """
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def one_line(error: BaseException) -> str:
    r"""All of an error's text on one line, or the error's class where it says nothing.

    >>> one_line(ValueError("two\n  lines"))
    'two lines'
    """
    return " ".join(str(error).split()) or type(error).__name__


def _word(item: object) -> str:
    return f"{item:g}" if isinstance(item, float | np.floating) else str(item)
