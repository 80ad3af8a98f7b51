"""``pixsortd groups``: look-alike photos, what the user does to them, and what a clustering would change."""

import click

from pixsortd.cli import shell
from pixsortd.cli.groups import editing, history, learning, levels, listing, proposal


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def groups(context: click.Context) -> None:
    """List the groups of look-alike photos; edit them, and settle what a clustering would change.

    GROUP is an id or a name. Every edit can be undone, and no clustering changes what was edited by hand.
    """
    if context.invoked_subcommand is None:
        context.invoke(listing.list_groups)


for _command in (
    *listing.COMMANDS,
    *editing.COMMANDS,
    *proposal.COMMANDS,
    *history.COMMANDS,
    *learning.COMMANDS,
    *levels.COMMANDS,
):
    groups.add_command(_command)
