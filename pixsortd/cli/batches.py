"""``pixsortd batches``: named sets of photos with groups of their own."""

from collections.abc import Sequence
from typing import Any

import click

from pixsortd.cli import jobs, out, shell

Json = dict[str, Any]


def _chosen(session: shell.Session, wanted: str) -> str:
    from pixsortd.cli.choice import BATCH, pick

    return str(pick(session.daemon.batches(), wanted, BATCH)["id"])


def _photos(session: shell.Session, named: Sequence[str]) -> list[str]:
    from pixsortd.cli.photos import image_ids

    return image_ids(session.daemon, named)


def _tell(session: shell.Session, answer: Json) -> None:
    """The batch as it is now."""
    if session.json:
        out.record(answer)
    else:
        session.talk(f"{answer['id']} {out.safe(answer['name'])!r}: {answer['size']} photos, {answer['status']}")


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def batches(context: click.Context) -> None:
    """List batches of photos; make, change, group and rank them. BATCH is an id or a name."""
    if context.invoked_subcommand is None:
        context.invoke(list_batches)


@batches.command("list", cls=shell.Reading)
@shell.pass_session
def list_batches(session: shell.Session) -> None:
    """List the batches, newest first."""
    found = session.source.batches()
    if session.json:
        for one in found:
            out.record(one)
    else:
        rows = [(one["id"], one["status"], one["size"], one["groups"], one["name"]) for one in found]
        out.table(("batch", "status", "photos", "groups", "name"), rows, right=(2, 3))


@batches.command(cls=shell.Reading)
@click.argument("batch")
@shell.pass_session
def show(session: shell.Session, batch: str) -> None:
    """Show a batch with its groups and photos, the best of a ranked group first."""
    from pixsortd.cli.choice import BATCH, pick

    found = session.source.batch(pick(session.source.batches(), batch, BATCH)["id"])
    if session.json:
        out.record(found)
        return
    metrics = {one["label"]: one["metric"] for one in found["groups_list"]}
    _tell(session, found)
    out.reason({"message": found["error"] or ""})
    out.table(
        ("group", "rank", "by", "name", "photo"),
        [
            (
                one["batch_group"] or "",
                one["rank"] or "",
                metrics[one["batch_group"]] if one["rank"] else "",
                one["name"],
                one["id"],
            )
            for one in found["images"]
        ],
        right=(1,),
    )


@batches.command(cls=shell.Reading)
@click.argument("name")
@click.argument("photos", metavar="[FILE|ID]...", nargs=-1)
@shell.pass_session
def create(session: shell.Session, name: str, photos: tuple[str, ...]) -> None:
    """Make a batch of the given photos: ids, or any files with their bytes."""
    _tell(session, session.daemon.create_batch(name, _photos(session, photos)))


@batches.command(cls=shell.Reading)
@click.argument("batch")
@click.argument("name")
@shell.pass_session
def rename(session: shell.Session, batch: str, name: str) -> None:
    """Give a batch another name."""
    _tell(session, session.daemon.rename_batch(_chosen(session, batch), name))


@batches.command(cls=shell.Reading)
@click.argument("batch")
@shell.pass_session
def delete(session: shell.Session, batch: str) -> None:
    """Take a batch off the list. No photo is touched, and `restore` with its id brings it back."""
    _tell(session, session.daemon.delete_batch(_chosen(session, batch)))


@batches.command(cls=shell.Reading)
@click.argument("batch", metavar="ID")
@shell.pass_session
def restore(session: shell.Session, batch: str) -> None:
    """Bring a deleted batch back, by its id."""
    _tell(session, session.daemon.restore_batch(batch))


@batches.command(cls=shell.Reading)
@click.argument("batch")
@click.argument("photos", metavar="FILE|ID...", nargs=-1, required=True)
@shell.pass_session
def add(session: shell.Session, batch: str, photos: tuple[str, ...]) -> None:
    """Put photos into a batch: ids, or any files with their bytes."""
    _tell(session, session.daemon.add_to_batch(_chosen(session, batch), _photos(session, photos)))


@batches.command(cls=shell.Reading)
@click.argument("batch")
@click.argument("photos", metavar="FILE|ID...", nargs=-1, required=True)
@shell.pass_session
def remove(session: shell.Session, batch: str, photos: tuple[str, ...]) -> None:
    """Take photos out of a batch."""
    _tell(session, session.daemon.remove_from_batch(_chosen(session, batch), _photos(session, photos)))


@batches.command(cls=shell.Reading)
@click.argument("batch")
@click.option("--min-cluster-size", type=click.IntRange(2, 1000), help="Least photos in a group; as last time.")
@click.option("--min-samples", type=click.IntRange(1, 1000), help="More of it leaves more photos out; as last time.")
@click.option("--metric", type=click.Choice(("cosine", "euclidean")), help="How unlike photos are; as last time.")
@click.option(
    "--weights", type=click.Choice(("shared", "plain")), help="Shared neighbours, or plain distance; as last time."
)
@click.option("--wait", is_flag=True, help="Return when the groups are formed.")
@shell.pass_session
def analyze(
    session: shell.Session,
    batch: str,
    min_cluster_size: int | None,
    min_samples: int | None,
    metric: str | None,
    weights: str | None,
    wait: bool,
) -> None:
    """Form the groups of a batch. Labels given by hand stay."""
    from pixsortd.cli.choice import BATCH, pick

    chosen = pick(session.daemon.batches(), batch, BATCH)
    given = {
        "min_cluster_size": min_cluster_size,
        "min_samples": min_samples,
        "metric": metric,
        "weights": weights,
    }
    parameters = chosen["parameters"] | {name: value for name, value in given.items() if value is not None}
    jobs.follow(session, session.daemon.analyze_batch(chosen["id"], parameters), wait)


@batches.command(cls=shell.Reading)
@click.argument("batch")
@click.argument("label")
@click.option("--metric", required=True, help="A configured metric, or `composite`.")
@shell.pass_session
def rank(session: shell.Session, batch: str, label: str, metric: str) -> None:
    """Rank the photos of one group of a batch, the best first."""
    found = session.daemon.rank_batch(_chosen(session, batch), label, metric)
    if session.json:
        out.record(found)
        return
    if found["job"]:
        session.talk(f"job {found['job']['id']} computes what is missing and ranks again")
    rows = [
        (one["rank"] or "", "" if one["value"] is None else f"{one['value']:.4g}", one["id"]) for one in found["items"]
    ]
    out.table(("rank", metric, "photo"), rows, right=(0, 1))
