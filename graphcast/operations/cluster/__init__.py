"""One forecast made by several processes: `rendezvous`, `runtime`, `shared_store`."""
