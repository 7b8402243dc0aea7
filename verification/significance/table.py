"""The tests that a card may use, by name."""

from collections.abc import Callable, Iterable

from verification.significance.autoregressive import ar2_test
from verification.significance.bootstrap import bootstrap_test
from verification.significance.contract import Estimate
from verification.significance.long_run import hac_test

Test = Callable[..., Estimate]  # of differences at init times, and the level of the interval

TESTS: dict[str, Test] = {
    "ar2": ar2_test,
    "hac": hac_test,
    "bootstrap": bootstrap_test,
    "diebold-mariano": hac_test,
}


def check_tests(names: Iterable[str]) -> None:
    """Refuse names that are not tests.

    Raises:
        ValueError: a name is not in `TESTS`.
    """
    unknown = [repr(name) for name in names if name not in TESTS]
    if unknown:
        raise ValueError(f"unknown test(s) {', '.join(unknown)}; there are {', '.join(TESTS)}")
