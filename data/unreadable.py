"""The boundary at which other libraries' errors about a file become one sentence."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from data.wording import reason

NETWORK = (ConnectionError, TimeoutError)


class UnreadableError(ValueError):
    """A file or a store cannot be read, or a field in it, or not as weather."""


@contextmanager
def reading(rule: str, remedy: str) -> Iterator[None]:
    """Make one sentence of any error of a library that reads a file, and silence its warnings.

    Sentences of this module pass unchanged, as do failures of the network and missing packages.

    >>> with reading("era5.nc could not be read", "fetch it again"):
    ...     [][0]
    Traceback (most recent call last):
    data.unreadable.UnreadableError: era5.nc could not be read (list index out of \
range); fetch it again

    Raises:
        UnreadableError: something was raised; its reason stands between the rule and the remedy.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (UnreadableError, ImportError, *NETWORK):
        raise
    except Exception as error:  # each library has classes of its own, and all mean the same here
        raise UnreadableError(f"{rule} ({reason(error)}); {remedy}") from error


@contextmanager
def understanding(where: str, rule: str, remedy: str) -> Iterator[None]:
    """As `reading` for contents: sentences of this project (`ValueError`) get the file's name.

    >>> with understanding("era5.nc", "cannot be read as weather", "look at it"):
    ...     raise ValueError("levels are pressures")
    Traceback (most recent call last):
    data.unreadable.UnreadableError: era5.nc: levels are pressures

    Raises:
        UnreadableError: something was raised.
    """
    with reading(f"{where} {rule}", remedy):
        try:
            yield
        except (UnreadableError, *NETWORK):
            raise
        except ValueError as error:
            text = str(error)
            raise UnreadableError(text if where in text else f"{where}: {text}") from error
