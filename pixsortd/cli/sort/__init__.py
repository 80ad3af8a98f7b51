"""``pixsortd sort``: what the rules would do with photos of the inboxes, having it done, and taking it back."""

import click

from pixsortd.cli import shell
from pixsortd.cli.sort import doing, history, plans, rules, trial


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def sort(context: click.Context) -> None:
    """Show what the rules would do with the inboxes, have it done, and take it back.

    PLAN is the id of a plan. The id of one that waits changes with what it would do, so that nothing is approved
    that was not seen: where files or rules have changed since, nothing is done and the exit status is 10.
    """
    if context.invoked_subcommand is None:
        context.invoke(plans.plan)


for _command in (*plans.COMMANDS, *doing.COMMANDS, *history.COMMANDS, *rules.COMMANDS, *trial.COMMANDS):
    sort.add_command(_command)
