"""One forecast by several processes, each with its devices, perhaps on a host each.

- `rendezvous`: the processes meet before JAX starts, or say who is missing.
- `runtime`: how JAX is set up, for one process or several; its caches.
- `shared_store`: they agree on one forecast, and process 0 writes it.
"""
