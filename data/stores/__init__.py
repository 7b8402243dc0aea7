"""Stores: folders that stand whole or not at all, whenever their writer is killed.

In reading order: `files` (single files, whole), `kind` (what kind of store a path is), `targets`
and `partial` (which paths may be written, and what an interrupted run left), `building` (a folder
that gets its name when all of it is there), `reading` (a missing chunk is an error), `cf`
(conventions, axes, codecs), `metadata` and `dataset` (Zarr's own files); then the stores
themselves, `forecast` (what models predict) and `analyses` (what they train on), and `workers`, the
processes that make a dataset.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
