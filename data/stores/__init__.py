"""Output formats: what a forecast is written to, one module each.

`forecast` is the forecast store, a CF-conforming Zarr in WeatherBench 2's forecast layout, written
lead time by lead time and safe from being killed at any moment; `header` is what the store says
about itself. A new format is a new module.
"""

from data.stores.forecast.header import Cell, ForecastHeader
from data.stores.forecast.store import ForecastStore

__all__ = ["Cell", "ForecastHeader", "ForecastStore"]
