"""`Limits`: each is met by a stream that asks for more, at every door that takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
from data import require_stream
from made_streams import make_flv, make_stream, split

import cope


def parse(source: object, limits: cope.Limits) -> None:
    with cope.VideoReader(source, limits=limits) as video:
        for _ in video.pictures():
            pass


def windows(source: object, limits: cope.Limits) -> None:
    density = cope.Density(keyframes_per_second=1.0, deltas_per_second=5.0)
    cope.extract(source, density=density, limits=limits)


def digest(source: object, limits: cope.Limits) -> None:
    list(cope.digest(source, limits=limits))


def probe(source: object, limits: cope.Limits) -> None:
    cope.probe(source, limits=limits)


def encode(source: object, limits: cope.Limits) -> None:
    cope.encode_video(source, limits=limits)


PARSERS = [parse, windows, digest]


def eight_slices() -> bytes:
    """Pictures of 8 slices and two references at least."""
    return require_stream("h264_conformance/made/x264_slices8.264").read_bytes()


def two_pictures() -> bytes:
    """A sample of two pictures."""
    sps, pps, first, second = split(make_stream(64, 64))
    return make_flv([first, second], parameter_sets=(sps, pps))


CASES = {
    "max_luma_samples": (640 * 480 - 1, lambda: make_stream(640, 480), [*PARSERS, probe, encode]),
    "max_dimension": (639, lambda: make_stream(640, 480), [*PARSERS, probe, encode]),
    "max_nal_bytes": (500, eight_slices, [*PARSERS, probe]),
    "max_slices_per_picture": (7, eight_slices, [*PARSERS, probe]),
    "max_references": (1, eight_slices, [*PARSERS, probe]),
    "max_coefficients_per_picture": (50, eight_slices, PARSERS),
    "max_pictures_in_flight": (1, two_pictures, [*PARSERS, probe]),
    "max_seconds_per_picture": (1e-9, eight_slices, PARSERS),
}


def test_all_limits_have_a_case() -> None:
    assert set(CASES) == {field.name for field in fields(cope.Limits)}


@pytest.mark.parametrize(
    ("name", "door"),
    [(name, door) for name, (_, _, doors) in CASES.items() for door in doors],
    ids=lambda value: getattr(value, "__name__", value),
)
@pytest.mark.filterwarnings("ignore::cope.ConcealedDamageWarning")
def test_limit(name: str, door: Callable[[object, cope.Limits], None]) -> None:
    value, make, _ = CASES[name]
    source = make()
    if door is not encode:
        door(source, cope.Limits())
    with pytest.raises(cope.LimitExceededError, match=name) as error:
        door(source, cope.Limits(**{name: value}))
    assert isinstance(error.value, ValueError)
    assert error.value.element == name


def test_defaults_are_those_of_the_native_type() -> None:
    from cope import _native

    native = _native.Limits()
    for field in fields(cope.Limits):
        assert getattr(native, field.name) == field.default, field.name


@pytest.mark.parametrize("name", [field.name for field in fields(cope.Limits)])
def test_senseless_values(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        cope.Limits(**{name: -1})
    if name != "max_references":
        with pytest.raises(ValueError, match=name):
            cope.Limits(**{name: 0})


def test_limits_that_are_not_met_change_nothing() -> None:
    stream = eight_slices()
    limits = cope.Limits(
        max_luma_samples=1 << 20,
        max_nal_bytes=1 << 16,
        max_slices_per_picture=8,
        max_coefficients_per_picture=1 << 20,
        max_pictures_in_flight=2,
    )
    assert list(cope.digest(stream, limits=limits, threads=3)) == list(cope.digest(stream))
