"""Statistics: a field from each sample. Metrics are functions of means of such fields.

Read `contract` first (`Statistic`, which one of your own subclasses), then `pointwise` (errors and
products of anomalies of one variable) and `members` (`Each`, a statistic of every ensemble member).
"""

from verification.statistic.contract import Bins, Statistic
from verification.statistic.members import MEMBERS, Each
from verification.statistic.pointwise import (
    AbsoluteError,
    Anomaly,
    AnomalyProduct,
    Error,
    SquaredError,
)

__all__ = [
    "MEMBERS",
    "AbsoluteError",
    "Anomaly",
    "AnomalyProduct",
    "Bins",
    "Each",
    "Error",
    "SquaredError",
    "Statistic",
]
