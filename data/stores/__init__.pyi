from .building import Building as Building
from .files import written_whole as written_whole
from .forecast.header import Cell as Cell
from .forecast.header import ForecastHeader as ForecastHeader
from .forecast.store import ForecastStore as ForecastStore
from .kind import StoreKind as StoreKind
from .kind import kind_of as kind_of
