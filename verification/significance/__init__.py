"""Is a difference between two forecasts more than chance? Tests on paired differences.

A test takes the differences of a score at each init time, one column for each cell of a card, and
returns an `Estimate`: the mean difference, its interval, p and n of every cell. Successive
differences are correlated, since the weather is, and each test in `TESTS` allows for it in its own
way:

    ar2        t-test with an inflated standard error (Geer 2016), as in GraphCast's paper
    hac        t-test with a long-run variance from cosines (Lazarus et al. 2018)
    bootstrap  stationary bootstrap with automatic block length (Politis & White 2004)

The test of Diebold and Mariano (1995) is a t-test of the mean difference with a long-run variance:
`hac` is that test with a better variance, and has its name too.

`linearised` brings scores that are functions of a mean (the root of a mean square) to differences
at init times. `skill_interval` has the interval of a skill score. `adjusted` holds the rate of
false discoveries over a whole card, after Benjamini and Hochberg. `benchmarks/significance.py`
reports how often each test rejects where there is no difference.
"""

from verification.significance.autoregressive import ar2_test, inflation
from verification.significance.bootstrap import block_length, bootstrap_test
from verification.significance.contract import LEVEL, Estimate
from verification.significance.differences import linearised, skill_interval
from verification.significance.discoveries import adjusted
from verification.significance.long_run import hac_test, long_run_variance
from verification.significance.table import TESTS, check_tests

__all__ = [
    "LEVEL",
    "TESTS",
    "Estimate",
    "adjusted",
    "ar2_test",
    "block_length",
    "bootstrap_test",
    "check_tests",
    "hac_test",
    "inflation",
    "linearised",
    "long_run_variance",
    "skill_interval",
]
