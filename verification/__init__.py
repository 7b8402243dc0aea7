"""Forecast verification: fields to means, means to metrics; strict about what is compared.

`score` does all of it: a forecast and a truth in, one Dataset of scores out. Behind it, in reading
order:

- `sample` and `statistic`: a field for each init time, such as a squared error;
- `regions` and `averaging`: the area-weighted mean of a field over boxes;
- `means`: these means, by init time; they add. `metric`: the reported numbers, functions of means;
- `alignment`: the parts of a forecast that a truth can judge; the rest is refused or noted;
- `entrants`: the forecasts that are compared (the forecast, persistence, climatology);
- `engine` (`means_of`): the one pass over the fields, `shard` for each init time, which `fields`
  and `occasion` read; `means_store` keeps its results on disk;
- `protocols` and `scoring` (`score`): metrics of all variables in one Dataset, with a description;
- `comparing` and `significance`: differences between entrants, and whether they are chance;
- `run` (`score_forecasts`): from files to a store of scores; `files` opens, `writing` writes;
- `scorecard`: scores as a report and as figures.

A metric of your own is a `Metric` of the statistics here, or of a `Statistic` of your own:

>>> from verification import MeanOf, SquaredError, HEADLINE
>>> mse = {"mse": lambda variable: MeanOf(SquaredError(variable), units="squared")}
>>> metrics = {**HEADLINE, **mse}

Give it to `score(..., metrics=metrics)`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
