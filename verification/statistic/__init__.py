"""Statistics: a field from each sample. Metrics are functions of means of such fields.

Read `contract` first (`Statistic`, which one of your own subclasses), then `pointwise` (errors and
products of anomalies of one variable) and `members` (`Each`, a statistic of every ensemble member).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
