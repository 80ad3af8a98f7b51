"""``pixsortd upload``: send files to the daemon's inbox."""

from __future__ import annotations

import os
from collections import Counter

import click

from pixsortd.cli import out, shell


@click.command(cls=shell.Reading)
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=click.Path(path_type=bytes))
@click.option("--batch", metavar="ID", help="Put what is here then into this batch, be it new or known.")
@shell.pass_session
@click.pass_context
def upload(context: click.Context, session: shell.Session, paths: tuple[bytes, ...], batch: str | None) -> None:
    """Send files, and the photos below directories, to the inbox.

    What is here already is not stored twice, so an upload that was broken off is simply repeated.
    """
    from pixsortd.cli.bars import bars
    from pixsortd.cli.sending import Form, found, requests
    from pixsortd.errors import Conflict

    limits = session.daemon.upload_limits()
    if limits["inbox"] is None:
        raise Conflict(limits["reason"]["message"], next_step=limits["reason"]["next_step"])
    files = list(found(paths, frozenset(map(os.fsencode, limits["extensions"]))))
    total, done = sum(one.size for one in files), 0
    seen: Counter[str] = Counter()
    with bars(session, of_bytes=True) as show:

        def count(size: int) -> None:
            nonlocal done
            done += size
            show("uploading", done, total)

        for some in requests(files, limits["max_files"]):
            form = Form(some, count)
            for answer in session.daemon.upload(form, form.kind, len(some), batch)["items"]:
                seen[answer["status"]] += 1
                _tell(session, answer)
    session.talk(f"{seen['stored']} stored, {seen['duplicate']} here already, {seen['refused']} refused.")
    context.exit(1 if seen["refused"] else 0)


def _tell(session: shell.Session, answer: dict[str, object]) -> None:
    from pixsortd.cli.sending import told

    if session.json:
        out.record(answer)
        return
    place = f": {out.safe(str(answer['path']))}" if answer["path"] else ""
    out.line(f"{told(answer)}  {out.safe(str(answer['filename']))}{place}")
    out.reason(answer["reason"])  # type: ignore[arg-type]
