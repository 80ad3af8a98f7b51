"""``python -m pixsortd``."""

from pixsortd.cli import main

main()
