"""Other people's names, units, orders and time axes into ours.

Read `conventions` first: it turns any Dataset into a canonical one. `units` converts, `time_axis`
reads times, `humidity` derives specific humidity, `precipitation` makes six-hour totals.
"""
