"""``pixsortd search``: photos like one."""

import click

from pixsortd.cli import out, shell


@click.command(cls=shell.Reading)
@click.option(
    "--like", required=True, metavar="FILE|ID", help="The photo to compare with: an id, or any file with its bytes."
)
@click.option("--limit", "-n", default=20, type=click.IntRange(1, 200), show_default=True, help="How many to show.")
@shell.pass_session
def search(session: shell.Session, like: str, limit: int) -> None:
    """Find the photos that look most like one, nearest first."""
    from pixsortd.cli.photos import image_id

    answer = session.source.similar(image_id(session.source, like), limit)
    if session.json:
        for one in answer["items"]:
            out.record(one)
        return
    session.talk(f"compared in the space {answer['space']}")
    out.table(
        ("like", "path", "group"),
        [
            (f"{one['similarity']:.3f}", next((file["path"] for file in one["files"]), one["id"]), group_of(one))
            for one in answer["items"]
        ],
        right=(0,),
    )


def group_of(image: dict[str, object]) -> object:
    """What a photo's group is called."""
    return image["group_name"] or image["group"] or ""
