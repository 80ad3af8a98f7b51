"""Wrong tokens: who waits how long, and who does not."""

import itertools

import pytest

from pixsortd.api import attempts
from pixsortd.api.attempts import Attempts

NEW = map(str, itertools.count())


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tries(clock):
    return Attempts(clock)


def fail(tries, address, times=1):
    return [tries.failed(address, next(NEW)) for _ in range(times)][-1]


def test_the_first_wrong_tries_cost_nothing_then_the_wait_doubles(tries, clock):
    assert fail(tries, "192.0.2.1", attempts.FREE - 1) == 0
    assert tries.wait("192.0.2.1") == 0
    for expected in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        assert fail(tries, "192.0.2.1") == expected
        assert tries.wait("192.0.2.1") == expected
        clock.now += expected
        assert tries.wait("192.0.2.1") == 0


def test_another_address_does_not_wait_with_it(tries):
    fail(tries, "192.0.2.1", 20)
    assert tries.wait("192.0.2.1") > 0
    assert tries.wait("192.0.2.2") == 0


def test_an_ipv6_customer_is_one_address(tries):
    fail(tries, "2001:db8::1", 20)
    assert tries.wait("2001:db8::ffff:1") > 0
    assert tries.wait("2001:db8:0:1::1") == 0
    fail(tries, "::ffff:192.0.2.7", 20)
    assert tries.wait("192.0.2.7") > 0


def test_the_right_token_clears_the_slate(tries):
    fail(tries, "192.0.2.1", attempts.FREE - 1)
    tries.succeeded("192.0.2.1")
    assert fail(tries, "192.0.2.1", attempts.FREE - 1) == 0


def test_an_hour_of_peace_clears_it_too(tries, clock):
    fail(tries, "192.0.2.1", 20)
    clock.now += attempts.FORGET
    assert fail(tries, "192.0.2.1") == 0


def test_the_same_wrong_token_again_is_a_forgotten_client_and_no_guess(tries):
    assert tries.failed("192.0.2.1", "old token") == 0
    for _ in range(1000):
        assert tries.failed("192.0.2.1", "old token") is None
    assert tries.wait("192.0.2.1") == 0
    assert fail(tries, "192.0.2.1", attempts.FREE - 1) == 1


def test_very_many_addresses_meet_a_limit_for_all(tries, clock):
    tries.succeeded("198.51.100.1")
    for number in range(attempts.BURST):
        assert tries.wait(f"10.0.{number}.1") == 0
        fail(tries, f"10.0.{number}.1")
    assert 0 < tries.wait("10.99.0.1") <= attempts.EVERY
    assert tries.wait("198.51.100.1") == 0, "who showed the right token is not held up by others"
    clock.now += attempts.EVERY
    assert tries.wait("10.99.0.1") == 0


def test_memory_is_bounded(tries, clock):
    for number in range(5 * attempts.MOST):
        clock.now += attempts.EVERY
        fail(tries, f"10.{number >> 8}.{number & 255}.1")
        tries.succeeded(f"11.{number >> 8}.{number & 255}.1")
    assert len(tries._wrong) <= attempts.MOST
    assert len(tries._right) <= attempts.MOST
    fail(tries, "x" * 100_000)
    assert max(map(len, tries._wrong)) <= 64


def test_addresses_that_are_none(tries):
    for odd in ("", "unix:", "fe80::1%eth0", "\ud800"):
        assert tries.wait(odd) == 0
        fail(tries, odd)
