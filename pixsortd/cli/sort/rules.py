"""The rules in force, what they are made of, and whether those of a file are right."""

from typing import Any

import click

from pixsortd.cli import out, shell

Json = dict[str, Any]


@click.group(cls=shell.Group, invoke_without_command=True)
@click.pass_context
def rules(context: click.Context) -> None:
    """Show the rules in force; check those of the settings file; list what rules are made of."""
    if context.invoked_subcommand is None:
        context.invoke(show)


@rules.command(cls=shell.Reading)
@shell.pass_session
def show(session: shell.Session) -> None:
    """Show the rules in force, in the order in which they are asked."""
    found = session.daemon.sort_rules()
    if session.json:
        for one in found["items"]:
            out.record(one)
        return
    session.talk(out.safe(f"# {found['file'] or 'no configuration file'}"))
    rows = [
        (one["name"], _conditions(one), one["action"], one["to"], _how(one), one["photos"]) for one in found["items"]
    ]
    out.table(("rule", "when", "action", "to", "how", "waiting"), rows, right=(5,))
    for one in found["items"]:
        for words in one["problems"]:
            session.talk(f"{out.safe(one['name'])}: {out.safe(words)}")


def _conditions(rule: Json) -> str:
    def text(value: object) -> str:
        return " or ".join(map(str, value)) if isinstance(value, list) else str(value)

    return ", ".join(f"{name} {text(value)}" for name, value in rule["when"].items()) or "every photo"


def _how(rule: Json) -> str:
    """Whether it asks."""
    if not rule["auto"]:
        return "asks"
    return f"by itself from {rule['confidence']:g}" if rule["approved"] else "asks once"


@rules.command()
@shell.pass_session
def check(session: shell.Session) -> None:
    """Check the rules of the settings file, without the daemon and without starting anything.

    The exit status is 2 where one cannot be used; each is named with its line and what to do.
    """
    from pixsortd.daemon.sorting.inforce import require_right_rules

    loaded = session.loaded
    require_right_rules(loaded)
    count = len(loaded.settings.sort.rules)
    session.talk(f"{loaded.file or 'no configuration file'}: {count} rule{'' if count == 1 else 's'}, correct")


@rules.command(cls=shell.Reading)
@shell.pass_session
def fields(session: shell.Session) -> None:
    """List what conditions can ask for and templates can name, and the filters of templates."""
    from pixsortd.sorting.rules import field_words, filter_words

    known = {"field": field_words(), "filter": filter_words()}
    if session.json:
        for kind, entries in known.items():
            for one in entries:
                out.record({"kind": kind, **{name: getattr(one, name) for name in one.__struct_fields__}})
        return
    out.table(
        ("field", "type", "what", "for example"),
        [(one.name, one.type, one.words, ", ".join(one.examples)) for one in field_words()],
    )
    out.line()
    out.table(
        ("filter", "what", "for example"), [(one.name, one.words, ", ".join(one.examples)) for one in filter_words()]
    )


COMMANDS = (rules,)
