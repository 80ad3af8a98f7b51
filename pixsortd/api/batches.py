"""``/api/batches``: named sets of photos with parameters and groups of their own."""

from litestar import Router, delete, get, post, put
from litestar.params import FromPath, JSONBody

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib, RankBy, photo_id, photo_ids, plain_id
from pixsortd.api.text import visible
from pixsortd.errors import InvalidRequest
from pixsortd.records import BatchParameters


def _label(text: str) -> str:
    """A group's label; it stands in an address, so it has no slash. Raises InvalidRequest."""
    if any(one in text for one in "/\\%"):
        raise InvalidRequest(
            "A group's label cannot have a slash, backslash or percent sign", next_step="Leave it out."
        )
    return visible(text, "A group's label")


def batch_id(text: str) -> str:
    """The id of a batch. Raises NotFound when it cannot be one."""
    return plain_id(text, "batch")


@get("/", summary="List batches", sync_to_thread=True)
def list_batches(library: Lib) -> answers.BatchPage:
    """All batches, newest first."""
    return present.batch_page(library.batches.list())


@post("/", summary="Create a batch", sync_to_thread=True)
def create_batch(library: Lib, data: JSONBody[answers.BatchBody]) -> answers.Batch:
    """A new batch of the given photos."""
    return present.batch(library.batches.create(visible(data.name, "A batch's name"), photo_ids(data.ids)))


@get("/{batch:str}", summary="One batch", sync_to_thread=True)
def get_batch(library: Lib, batch: FromPath[str]) -> answers.BatchDetail:
    """A batch with its groups and photos, sorted by group, then rank."""
    return present.batch_detail(library.batches.get(batch_id(batch)))


@put("/{batch:str}", summary="Rename a batch", sync_to_thread=True)
def put_batch(library: Lib, batch: FromPath[str], data: JSONBody[answers.BatchPatch]) -> answers.Batch:
    """Another name."""
    return present.batch(library.batches.rename(batch_id(batch), visible(data.name, "A batch's name")))


@delete("/{batch:str}", summary="Delete a batch", status_code=200, sync_to_thread=True)
def delete_batch(library: Lib, batch: FromPath[str]) -> answers.Batch:
    """Take a batch off the list; no photo is touched, and `restore` brings it back."""
    return present.batch(library.batches.delete(batch_id(batch)))


@post("/{batch:str}/restore", summary="Bring a batch back", status_code=200, sync_to_thread=True)
def restore_batch(library: Lib, batch: FromPath[str]) -> answers.Batch:
    """Undo a deletion."""
    return present.batch(library.batches.restore(batch_id(batch)))


@post("/{batch:str}/images", summary="Add photos to a batch", status_code=200, sync_to_thread=True)
def add_images(library: Lib, batch: FromPath[str], data: JSONBody[answers.IdsBody]) -> answers.Batch:
    """Photos that are in it already stay as they are."""
    return present.batch(library.batches.add(batch_id(batch), photo_ids(data.ids)))


@delete("/{batch:str}/images", summary="Take photos out of a batch", status_code=200, sync_to_thread=True)
def remove_images(library: Lib, batch: FromPath[str], data: JSONBody[answers.IdsBody]) -> answers.Batch:
    """Photos that are not in it are ignored."""
    return present.batch(library.batches.remove(batch_id(batch), photo_ids(data.ids)))


@put("/{batch:str}/analyze", summary="Form a batch's groups", status_code=202, sync_to_thread=True)
def analyze_batch(library: Lib, batch: FromPath[str], data: JSONBody[answers.Parameters]) -> answers.Job:
    """Queue an HDBSCAN run with these parameters; photos without a vector are left for the next one."""
    parameters = BatchParameters(
        min_cluster_size=data.min_cluster_size,
        min_samples=data.min_samples,
        metric=data.metric,
        weights=data.weights,
    )
    return present.job(library.batches.analyze(batch_id(batch), parameters))


@put("/{batch:str}/groups", summary="Group photos by hand", sync_to_thread=True)
def label_images(library: Lib, batch: FromPath[str], data: JSONBody[answers.LabelsBody]) -> answers.BatchDetail:
    """Put photos into groups, or with null back to where the analysis says. It outlives every analysis."""
    labels = {photo_id(one): None if label is None else _label(label) for one, label in data.labels.items()}
    return present.batch_detail(library.batches.label(batch_id(batch), labels))


@post("/{batch:str}/groups/{label:str}/rank", summary="Rank a batch's group", status_code=200, sync_to_thread=True)
def rank_batch_group(library: Lib, batch: FromPath[str], label: FromPath[str], metric: RankBy) -> answers.Ranking:
    """Photos from best to worst in the metric's own direction, remembered until the group's members change."""
    return present.ranking(library.batches.rank(batch_id(batch), label, metric))


router = Router(
    path="/batches",
    tags=["batches"],
    route_handlers=[
        list_batches,
        create_batch,
        get_batch,
        put_batch,
        delete_batch,
        restore_batch,
        add_images,
        remove_images,
        analyze_batch,
        label_images,
        rank_batch_group,
    ],
)
