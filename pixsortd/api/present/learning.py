"""The likeness learned from the user's edits."""

from pixsortd.api import answers
from pixsortd.records import Learning


def learning(given: Learning, use: bool | None) -> answers.Learning:
    """The judgement and the switch."""
    return answers.Learning(
        state=given.state,
        edits=given.edits,
        pairs=given.pairs,
        held_out=given.held_out,
        judged=given.judged,
        plain=given.plain,
        learned=given.learned,
        use=use,
        why=given.why,
    )
