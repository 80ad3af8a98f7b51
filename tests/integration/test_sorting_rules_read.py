"""Rules of sorting as a daemon reads them: refused at start, kept when a reload brings wrong ones."""

import signal

from tests.harness import Daemon, wait_until


def test_a_daemon_does_not_start_with_wrong_rules(tmp_path):
    settings = {"sort": {"rules": [{"name": "one", "to": str(tmp_path / "photos") + "/{nam}"}]}}
    photos = {"path": str(tmp_path / "photos"), "writable": True}
    daemon = Daemon(tmp_path / "d", [photos], settings)
    daemon.start(wait=False)
    assert daemon.process is not None
    assert daemon.process.wait(60) == 2
    line = next(n for n, text in enumerate(daemon.config.read_text().splitlines(), start=1) if "rules = " in text)
    assert f"{daemon.config}:{line}: sort.rules[0].to" in daemon.tail()
    assert 'did you mean "name"?' in daemon.tail()
    assert not (daemon.state_dir / "index").exists()


def test_a_reload_takes_right_rules_and_leaves_wrong_ones(tmp_path):
    (tmp_path / "photos").mkdir()
    photos = {"path": str(tmp_path / "photos"), "writable": True}
    rules = [{"name": "one", "to": str(tmp_path / "photos") + "/{taken:%Y}/"}]
    with Daemon(tmp_path / "d", [photos], {"sort": {"rules": rules}}) as daemon:
        text = daemon.config.read_text()

        def reread(changed: str) -> None:
            daemon.config.write_text(changed)
            assert daemon.process is not None
            daemon.process.send_signal(signal.SIGHUP)

        reread(text.replace("{taken:%Y}", "{taken:%Q}"))
        wait_until(lambda: "settings not read again" in daemon.tail(), 20)
        assert "there is no date format" in daemon.tail()
        reread(text.replace("{taken:%Y}", "{taken:%m}"))
        wait_until(lambda: '"applied": ["sort.rules"]' in daemon.tail(), 20)
