"""The store of analyses that models train on: `header`, `files` (its chunks), `store`."""
