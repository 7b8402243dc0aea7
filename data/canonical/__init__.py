"""Bringing any file's names, units, orders and time axes into canonical form.

Read `conventions` first: its `canonical` turns any Dataset into a canonical one, with `units`,
`time_axis` (absolute, valid times) and `humidity` (specific from relative). `precipitation` knows
the names and periods of precipitation, and sums hours to longer totals.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
