"""Readers of single files and stores, one module for each format."""
