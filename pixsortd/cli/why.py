"""``pixsortd why``: the passport of one file or photo."""

from typing import Any

import click

from pixsortd.cli import out, shell

Json = dict[str, Any]


@click.command(cls=shell.Reading)
@click.argument("photo", metavar="FILE|ID")
@shell.pass_session
def why(session: shell.Session, photo: str) -> None:
    """Tell how a file came to be where it is: state, group, scores and every step, with reasons."""
    from pixsortd.cli.photos import passport

    answer = passport(session.source, photo)
    if session.json:
        out.record(answer)
    else:
        show(answer)


def show(answer: Json) -> None:
    """A passport in words."""
    for file in answer["files"]:
        out.line(f"{out.safe(file['path'])}  {out.state(file['state'])} since {out.instant(file['since'])}")
        out.reason(file["reason"])
    if answer["excluded_by"]:
        out.line("kept out by a rule for a directory above it")
        out.reason(answer["excluded_by"])
    if answer["image"]:
        image(answer["image"])
    if answer["grouping"]:
        grouping(answer["grouping"])
    elif answer["membership"]:
        membership(answer["membership"])
    if answer["steps"]:
        out.line()
    for step in answer["steps"]:
        what = " ".join(part for part in (step["what"], step["detail"], step["path"] or "") if part)
        out.line(f"{out.instant(step['at'])}  {out.safe(what)}")


def image(given: Json) -> None:
    """What the photo is, and how it scores."""
    size = f"{given['width']} x {given['height']}" if given["width"] else "not decoded"
    out.line(f"photo {given['id']}")
    out.line(f"  {given['format'] or 'unknown format'}, {size}, taken {given['taken'] or 'unknown'}")
    if given["scores"]:
        out.line("  " + ", ".join(f"{name} {value:.3g}" for name, value in sorted(given["scores"].items())))
    if given["rating"] is not None:
        out.line(f"  rated {given['rating']} of 5 by you")


def membership(given: Json) -> None:
    """Why the photo is in its group."""
    name = out.safe(given["group_name"] or given["group"])
    alike = (
        f", mean likeness {given['similarity']:.3f} to its nearest members" if given["similarity"] is not None else ""
    )
    out.line(f"in group {name}: {given['how']}, strength {given['strength']:.2f}{alike}")
    for one in given["nearest"]:
        out.line(f"  near {one}")


def grouping(given: Json) -> None:
    """Why the photo is in its group, or in none, and what would change that."""
    if given["group"] is None:
        out.line("in no group" + (", by your decision" if given["how"] == "decided" else ""))
    else:
        membership({**given, "group_name": given["name"]})
    for words in (given["constraint"], given["unsure"]):
        if words:
            out.line(f"  {out.safe(words)}")
    for rival in given["rivals"]:
        out.line(f"  beside {out.safe(rival['name'] or rival['group'])}: {out.safe(rival['needs'])}")
