"""Metrics: the numbers that scores report, each a function of means of statistics.

Read `contract` first (`Metric`, which one of your own subclasses), then `deterministic` (RMSE, MAE,
bias, anomaly correlation), `members` (the mean of a metric over ensemble members) and `table`
(`METRICS`, those that `score` reports).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
