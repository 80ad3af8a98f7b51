"""Quality metric families, found through the entry points `pixsortd.metrics`."""
