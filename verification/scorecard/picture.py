"""A picture on the page."""

from typing import NamedTuple


class Picture(NamedTuple):
    """A map, a spectrum, or another picture.

    Attributes:
        title: above it.
        alternative: what it shows, in words.
        source: a data URI.
    """

    title: str
    alternative: str
    source: str
