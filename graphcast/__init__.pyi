from .forecaster import Forecaster as Forecaster
from .forecaster import PlacedForecaster as PlacedForecaster
from .machine import Machine as Machine
