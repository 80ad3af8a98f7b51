"""``/api/settings``: what is set, and where."""

from litestar import get

from pixsortd.api import answers, present
from pixsortd.api.parameters import Lib


@get("/settings", tags=["status"], summary="The settings in force", sync_to_thread=True)
def list_settings(library: Lib) -> answers.SettingPage:
    """Every setting with its value, where that came from and what it does. Secrets are not among them."""
    return present.setting_page(library.settings())
