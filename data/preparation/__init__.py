"""`graphcast prepare`: any series into one store of analyses on one grid.

`recipe` says what is made from what, `prepare` makes it.
"""
