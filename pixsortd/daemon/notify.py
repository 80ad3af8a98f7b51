"""systemd's notification protocol (sd_notify(3)); silent where there is no systemd."""

import os
import socket
from collections.abc import Mapping


class Notifier:
    """Sends READY, STATUS, WATCHDOG and STOPPING to the socket systemd named, if it named one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        interval = int(environ.get("WATCHDOG_USEC", "0") or 0) / 1e6
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog_seconds: float | None = interval if interval > 0 and ours else None
        """How long systemd waits for a sign of life, or None when it does not watch."""

    def send(self, **fields: str | int) -> None:
        """Send ``KEY=value`` lines; a systemd that went away is no reason to stop."""
        if not self._address:
            return
        message = "\n".join(f"{key}={value}" for key, value in fields.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
                out.sendto(message.encode(), self._address)
        except OSError:
            return

    def ready(self, status: str) -> None:
        """The socket is bound: clients can be answered."""
        self.send(READY=1, STATUS=status, MAINPID=os.getpid())

    def status(self, text: str) -> None:
        """One line for ``systemctl status``."""
        self.send(STATUS=text)

    def alive(self) -> None:
        """Every thread has shown life."""
        self.send(WATCHDOG=1)

    def stopping(self) -> None:
        """Shutting down."""
        self.send(STOPPING=1)
