"""Where the token comes from, and how it is replaced."""

import os
import stat

import pytest

from pixsortd.config import ApiSettings
from pixsortd.daemon.token import TokenPlace, replace_token, token_in_force, token_place
from pixsortd.errors import ConfigError

LONG = "a-token-long-enough"


@pytest.fixture
def state(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


@pytest.fixture
def credentials(tmp_path):
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "token").write_text("from-the-credential\n")
    return {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}


def test_on_loopback_there_is_none(state):
    assert token_place(ApiSettings(), state, {}) is None
    assert token_place(ApiSettings(), state, {"CREDENTIALS_DIRECTORY": str(state)}) is None, "it holds no token"
    assert token_in_force(None) is None
    assert not list(state.iterdir())


@pytest.mark.parametrize("settings", [ApiSettings(host="0.0.0.0"), ApiSettings(require_token=True)])
def test_where_it_is_needed_it_is_made_once_for_this_user_only(state, settings):
    place = token_place(settings, state, {})
    token = token_in_force(place)
    assert len(token) >= 40
    assert place.path == state / "token"
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert token_in_force(place) == token


def test_the_setting_comes_before_the_credential(state, tmp_path, credentials):
    (tmp_path / "mine").write_text(LONG)
    place = token_place(ApiSettings(token_file=str(tmp_path / "mine")), state, credentials)
    assert token_in_force(place) == LONG


def test_the_credential_counts_even_on_loopback(state, credentials):
    place = token_place(ApiSettings(), state, credentials)
    assert (token_in_force(place), place.given) == ("from-the-credential", True)


def test_a_credential_is_not_ours_to_replace(state, credentials):
    with pytest.raises(ConfigError, match="only its source"):
        replace_token(token_place(ApiSettings(), state, credentials))


@pytest.mark.parametrize("text", ["", "short", "new\nline in a long one", "x" * 15, "ö" * 20])
def test_what_is_no_token(state, text):
    (state / "t").write_text(text)
    with pytest.raises(ConfigError, match="at least 16 ASCII"):
        token_in_force(TokenPlace(state / "t"))


def test_a_file_that_cannot_be_read(state):
    for path in (state / "nothing", state):
        with pytest.raises(ConfigError, match="cannot be read"):
            token_in_force(TokenPlace(path))
    (state / "binary").write_bytes(b"\xff\xfe" * 20)
    with pytest.raises(ConfigError, match="it is no text"):
        token_in_force(TokenPlace(state / "binary"))


def test_replacing_is_atomic_and_private(state):
    place = TokenPlace(state / "token")
    place.path.write_text(LONG)
    place.path.chmod(0o644)
    before = place.path.stat().st_ino
    token = replace_token(place)
    assert token_in_force(place) == token != LONG
    assert place.path.stat().st_ino != before
    assert stat.S_IMODE(place.path.stat().st_mode) == 0o600
    assert os.listdir(state) == ["token"]


def test_replacing_through_a_link_replaces_what_it_points_to(state, tmp_path):
    (tmp_path / "real").write_text(LONG)
    (state / "token").symlink_to(tmp_path / "real")
    token = replace_token(TokenPlace(state / "token"))
    assert (state / "token").is_symlink()
    assert (tmp_path / "real").read_text().strip() == token


def test_a_place_that_cannot_be_written(state):
    with pytest.raises(ConfigError, match="cannot be written"):
        replace_token(TokenPlace(state / "nowhere" / "token"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root replaces files of others")
def test_root_leaves_the_file_to_its_owner(state):
    place = TokenPlace(state / "token")
    place.path.write_text(LONG)
    os.chown(place.path, 1234, 2345)
    replace_token(place)
    assert (place.path.stat().st_uid, place.path.stat().st_gid) == (1234, 2345)
