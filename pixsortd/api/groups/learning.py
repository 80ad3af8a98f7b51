"""The likeness learned from the user's edits: how well it does, and its switch."""

from litestar import get, put
from litestar.params import JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib


@get("/learning", summary="The learned likeness", sync_to_thread=True)
def get_learning(library: Lib) -> answers.Learning:
    """Whether groups are formed with a likeness learned from the edits, and how it does on pairs it had not seen."""
    return present.learning(library.likeness.report(), library.likeness.wanted())


@put("/learning", summary="Switch the learned likeness", sync_to_thread=True)
def put_learning(library: Lib, data: JSONBody[answers.LearningSwitch]) -> answers.Learning:
    """With false it is not used; with true or null it is used where it does better. From the next clustering on."""
    return present.learning(library.likeness.use(data.use), library.likeness.wanted())


HANDLERS = (get_learning, put_learning)
