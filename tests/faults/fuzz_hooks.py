"""What schemathesis asks of us while it runs: photos that exist, in valid requests that name photos in their body.

Loaded by schemathesis itself (SCHEMATHESIS_HOOKS); the ids come in an environment variable.
"""

import os

import schemathesis

PHOTOS = os.environ.get("PIXSORTD_TEST_PHOTOS", "").split()
NAMING_PHOTOS = frozenset({"/api/images", "/api/batches", "/api/batches/{batch}/images", "/api/images/quality/batch"})


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every other valid body names photos that are there; invalid ones stay as they were made."""
    del context, kwargs
    valid = case.meta is not None and case.meta.generation.mode == schemathesis.GenerationMode.POSITIVE
    if not (PHOTOS and valid and case.path in NAMING_PHOTOS and isinstance(case.body, dict)):
        return
    ids = case.body.get("ids")
    if isinstance(ids, list) and ids and len(ids) % 2:
        case.body["ids"] = PHOTOS[: len(ids)]
