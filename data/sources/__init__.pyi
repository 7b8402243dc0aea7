from .files.formats import READERS as READERS
from .inputs import open_inputs as open_inputs
from .inputs import open_truth as open_truth
from .series.collection import Series as Series
from .series.registry import SERIES as SERIES
from .series.registry import missing_times as missing_times
from .series.registry import open_series as open_series
