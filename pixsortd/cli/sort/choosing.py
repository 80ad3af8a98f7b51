"""Which steps of a plan are meant."""

from collections.abc import Sequence
from typing import Any

import click

from pixsortd.cli import shell
from pixsortd.errors import NotFound

Json = dict[str, Any]

step_option = click.option(
    "--step", "steps", multiple=True, metavar="ID", help="Only this step of the plan. May be repeated."
)
photo_option = click.option(
    "--photo", "photos", multiple=True, metavar="FILE|ID", help="Only the steps of this photo. May be repeated."
)


def chosen(session: shell.Session, plan: str, steps: Sequence[str], photos: Sequence[str]) -> list[str] | None:
    """The ids of the steps that are named, those of photos looked up; None where none is. Raises NotFound."""
    if not photos:
        return list(dict.fromkeys(steps)) or None
    from pixsortd.cli.photos import image_ids

    images = dict.fromkeys(image_ids(session.daemon, photos))
    known = session.daemon.plan(plan)["items"]
    for image in images:
        if all(one["image"] != image for one in known):
            raise NotFound(
                f"no step of this plan concerns the photo {image}", next_step="`pixsortd sort plan` shows them."
            )
    return list(dict.fromkeys([*steps, *(one["id"] for one in known if one["image"] in images)]))
