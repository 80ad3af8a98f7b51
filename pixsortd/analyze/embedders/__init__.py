"""Embedding families, one file each, found through the entry points `pixsortd.embedders`."""
