"""The HTTP API: one module a resource, problem details, the event stream and the static page."""
