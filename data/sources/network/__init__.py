"""What comes over the network: object stores, downloads and the services that need requests."""
