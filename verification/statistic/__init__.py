"""Statistics: a field from each sample, from which every metric is made by averaging.

Read `contract` first (`Statistic`: what one of your own must have), then `pointwise` (errors and
products of anomalies of one variable) and `members` (`Each`: of every ensemble member by itself).
"""

from verification.statistic.contract import Statistic
from verification.statistic.members import MEMBERS, Each
from verification.statistic.pointwise import (
    AbsoluteError,
    AnomalyProduct,
    Error,
    SquaredError,
)

__all__ = [
    "MEMBERS",
    "AbsoluteError",
    "AnomalyProduct",
    "Each",
    "Error",
    "SquaredError",
    "Statistic",
]
