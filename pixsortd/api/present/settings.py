"""The settings in force."""

from pixsortd.api import answers, ports
from pixsortd.api.present.base import fields


def setting_page(report: ports.SettingsReport) -> answers.SettingPage:
    """All settings."""
    return answers.SettingPage(
        items=[answers.Setting(**fields(one)) for one in report.items],
        next_cursor=None,
        total=len(report.items),
        file=report.file,
    )
