"""One forecast by several processes, each with its devices, perhaps on a host each.

- `rendezvous`: the processes meet before JAX starts; an error names those that are missing.
- `runtime`: sets up JAX, for one process or several, and its caches.
- `shared_store`: the processes agree on one forecast, and process 0 writes it.
"""
