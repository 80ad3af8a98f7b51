"""All routes together, and what their handlers may ask for."""

from collections.abc import Mapping, Sequence

from litestar import Litestar, Router
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.plugins import PluginProtocol
from litestar.types import ControllerRouterHandler

from pixsortd.api import (
    batches,
    feed,
    groups,
    images,
    jobs,
    numbers,
    overview,
    page,
    plans,
    quality,
    quarantine,
    roots,
    search,
    session,
    settings,
    sorting,
    status,
    trash,
    uploads,
    why,
)
from pixsortd.api.bodies import MAX_BODY
from pixsortd.api.problems import HANDLERS
from pixsortd.api.strictly import strictly

DEPENDENCIES = ("library", "streams", "numbers", "page", "door", "slots")
"""Names under which handlers ask for what they need."""


class _Application(Litestar):
    """Litestar without its plug-ins for pydantic and attrs, which cost an always-on process 7 MB for nothing."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return plugins


def api_router() -> Router:
    """Everything below ``/api``."""
    return Router(
        path="/api",
        route_handlers=[
            images.router,
            uploads.router,
            quality.router,
            batches.router,
            trash.router,
            sorting.router,
            plans.router,
            overview.router,
            overview.get_overview,
            groups.router,
            search.router,
            jobs.router,
            roots.router,
            quarantine.router,
            why.router,
            session.router,
            status.router,
            status.status,
            settings.list_settings,
            numbers.router,
            feed.events,
        ],
        before_request=strictly,
    )


def assemble(
    given: Mapping[str, object], *, more: Sequence[ControllerRouterHandler] = (), describe: OpenAPIConfig | None = None
) -> Litestar:
    """The routed application. ``given`` has a value for each of `DEPENDENCIES`; ``describe`` turns OpenAPI on."""

    def provide(value: object) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    return _Application(
        route_handlers=[api_router(), status.short_router, numbers.short_router, *page.ROUTES, *more],
        dependencies={name: provide(given[name]) for name in DEPENDENCIES},
        exception_handlers=HANDLERS,
        logging_config=None,
        request_max_body_size=MAX_BODY,
        openapi_config=describe,
    )
