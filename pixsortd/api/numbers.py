"""``/metrics``: the daemon's readings and our own request times in Prometheus' text form."""

from collections.abc import Iterable

from litestar import Response, Router, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from pixsortd.api.parameters import Lib
from pixsortd.api.ports import MetricKind, Reading

_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_FAMILIES = {MetricKind.GAUGE: GaugeMetricFamily, MetricKind.COUNTER: CounterMetricFamily}
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})


class _Readings(Collector):
    """Presents one set of readings to the exposition."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterable[Metric]:
        families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for one in self._readings:
            names = sorted(one.labels)
            family = families.get(one.name)
            if family is None:
                family = families[one.name] = _FAMILIES[one.kind](f"pixsortd_{one.name}", one.help, labels=names)
            family.add_metric([one.labels[name] for name in names], one.value)
        return families.values()


class Numbers:
    """Counts requests, and renders everything there is to know."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "pixsortd_http_requests", "Answers sent.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "pixsortd_http_request_seconds",
            "Time until an answer began.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def render(self, readings: Iterable[Reading]) -> bytes:
        """The text exposition of the readings and of our own numbers."""
        fresh = CollectorRegistry()
        fresh.register(_Readings(readings))
        return generate_latest(fresh) + generate_latest(self._registry)


Meter = NamedDependency[SkipValidation[Numbers]]


@get("/", summary="Prometheus metrics", media_type="text/plain", sync_to_thread=True)
def metrics(library: Lib, numbers: Meter) -> Response[bytes]:
    """Gauges and counters of every room.

    Where the daemon has a token, Prometheus sends it with ``authorization: {credentials_file: ...}``.
    """
    return Response(numbers.render(library.readings()), media_type=_MEDIA_TYPE)


router = Router(path="/metrics", tags=["health"], route_handlers=[metrics])
short_router = Router(path="/metrics", include_in_schema=False, route_handlers=[metrics])
