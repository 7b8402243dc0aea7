"""Long series of analyses, read a few times at a time.

`collection` has the contract, `Series`, and `Lazy`, which makes one of any opened Dataset.
`archives` (public Zarr stores) and `folder` (files on disk) implement it, as do the services in
`data.sources.network`. `registry` finds the series behind a name, URL or path.
"""
