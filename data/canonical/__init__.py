"""Any file's names, units, orders and time axes into canonical ones.

Read `conventions` first: its `canonical` turns any Dataset into a canonical one, with `units`,
`time_axis` (absolute, valid times) and `humidity` (specific from relative). `precipitation` knows
the names and periods of rain and sums hours to longer totals.
"""

from data.canonical.conventions import canonical, members

__all__ = ["canonical", "members"]
