"""``/api/groups``: look-alike photos, one module a resource. Members of a group: ``/api/images?group=ID``."""

from litestar import Router

from pixsortd.api.groups import editing, history, learning, levels, listing, proposals

_RESOURCES = (listing, editing, history, proposals, levels, learning)

router = Router(path="/groups", tags=["groups"], route_handlers=[one for part in _RESOURCES for one in part.HANDLERS])
