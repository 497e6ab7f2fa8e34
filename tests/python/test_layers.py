"""The layer check finds what it is there to find."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from data import REPOSITORY


@pytest.fixture(scope="module")
def check_layers() -> ModuleType:
    path = REPOSITORY / "tools" / "check_layers.py"
    spec = importlib.util.spec_from_file_location("check_layers", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_reads_the_table_of_the_build(check_layers):
    layers = check_layers.read_layers(REPOSITORY / "CMakeLists.txt")
    assert layers["prim"] == {"prim", "base"}
    assert layers["h264"] == {"h264", "base", "prim", "bits", "entropy"}
    assert layers["media"] == {"media", "base", "bits"}  # libraries are no layers


@pytest.mark.parametrize(
    ("layer", "line", "is_allowed"),
    [
        ("h264", '#include "cope/prim/motion_field.h"', True),
        ("h264", '#include "cope/h264/sps.h"', True),
        ("h264", "#include <vector>", True),
        ("h264", '#include "cope/media/demuxer.h"', False),
        ("h264", '#include "cope/cpu/residual.h"', False),
        ("h264", '#include "sps.h"', False),
        ("cpu", "  #  include <libavcodec/avcodec.h>", False),
        ("media", "#include <libavcodec/avcodec.h>", True),
        ("pipeline", "#include <Python.h>", False),
        ("cope_native", '#include "picture.h"', True),
        ("cope_native", "#include <torch/torch.h>", False),
    ],
)
def test_each_kind_of_include(check_layers, monkeypatch, tmp_path: Path, layer, line, is_allowed):
    layers = check_layers.read_layers(REPOSITORY / "CMakeLists.txt")
    layers["cope_native"] = set(layers)
    path = tmp_path / "file.h"
    path.write_text(f"#pragma once\n{line}\n")
    monkeypatch.setattr(check_layers, "REPOSITORY", tmp_path)
    problems = check_layers.check_file(path, layer, layers[layer])
    assert (problems == []) == is_allowed
    if not is_allowed:
        assert problems[0].startswith("file.h:2: ")
