"""The compiled tables against the numbers of the data file, and their generator."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from data import REPOSITORY, require_data

PRED_MODE = {"Direct": 0, "Pred_L0": 1, "Pred_L1": 2, "BiPred": 3, None: 4}


@pytest.fixture(scope="module")
def tables(native: ModuleType) -> dict[str, Any]:
    return native.tables


def test_arithmetic_decoder(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    assert tables["kRangeTabLps"] == h264_spec["rangeTabLPS"]
    assert tables["kTransIdxLps"] == h264_spec["transIdxLPS"]


def test_context_initialisation(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    init = h264_spec["cabac_context_init"]
    names = ("I", "cabac_init_idc_0", "cabac_init_idc_1", "cabac_init_idc_2")
    for column, name in zip(tables["kCabacInit"], names, strict=True):
        for ctx_idx, (found, expected) in enumerate(zip(column, init[name], strict=True)):
            assert found == (expected or [0, 0]), (name, ctx_idx)


def test_residual_contexts(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    """ctxIdxOffset and ctxBlockCatOffset, added here."""
    offset = h264_spec["ctxIdxOffset"]["residual_by_ctxBlockCat"]
    cat_offset = h264_spec["ctxBlockCatOffset"]

    def added(element: str, coding: str | None = None) -> list[int]:
        first = offset[element][coding] if coding else offset[element]
        return [a + b for a, b in zip(first, cat_offset[element], strict=True)]

    assert tables["kCodedBlockFlagBase"] == added("coded_block_flag")
    assert tables["kCoeffAbsLevelMinus1Base"] == added("coeff_abs_level_minus1")
    for name, element in (
        ("kSignificantCoeffFlagBase", "significant_coeff_flag"),
        ("kLastSignificantCoeffFlagBase", "last_significant_coeff_flag"),
    ):
        assert tables[name] == [added(element, "frame"), added(element, "field")]


def test_8x8_context_increments(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    inc = h264_spec["sig_last_ctxIdxInc_8x8"]
    frame, field = tables["kSignificantCoeffFlagInc8x8"]
    assert frame == [*inc["significant_coeff_flag_frame"], 0]  # the parser looks one ahead
    assert field == [*inc["significant_coeff_flag_field"], 0]
    assert tables["kLastSignificantCoeffFlagInc8x8"] == inc["last_significant_coeff_flag"]


def test_coded_block_pattern(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    me = h264_spec["coded_block_pattern_me"]
    for name, chroma in (
        ("kCodedBlockPattern", "ChromaArrayType_1_2"),
        ("kCodedBlockPatternNoChroma", "ChromaArrayType_0_3"),
    ):
        assert tables[name] == [me[chroma]["Intra"], me[chroma]["Inter"]]


@pytest.mark.parametrize("prefix", ["", "cpu::"])
def test_scans(tables: dict[str, Any], h264_spec: dict[str, Any], prefix: str) -> None:
    scan = h264_spec["scan"]

    def positions(raster: list[int], width: int) -> list[list[int]]:
        return [[i % width, i // width] for i in raster]

    for size in (4, 8):
        zigzag, field = tables[f"{prefix}kScan{size}x{size}"]
        assert positions(zigzag, size) == scan[f"zigzag_{size}x{size}"]
        assert positions(field, size) == scan[f"field_{size}x{size}"]
    assert positions(tables[f"{prefix}kScanChromaDc2x2"], 2) == scan["chroma_dc_2x2"]
    assert positions(tables[f"{prefix}kScanChromaDc2x4"], 2) == scan["chroma_dc_2x4"]


def test_scaling_lists(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    lists = h264_spec["scaling_lists"]
    for size in ("4x4", "8x8"):
        intra, inter = tables[f"kDefaultScaling{size}"]
        assert intra == lists[f"Default_{size}_Intra"]
        assert inter == lists[f"Default_{size}_Inter"]


def test_norm_adjust(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    """From the columns of v and the conditions of 8.5.9, not from the expanded matrices."""
    v4, v8 = h264_spec["normAdjust"]["v4x4"], h264_spec["normAdjust"]["v8x8"]

    def column_4x4(i: int, j: int) -> int:
        if i % 2 == 0 and j % 2 == 0:
            return 0
        return 1 if i % 2 == 1 and j % 2 == 1 else 2

    def column_8x8(i: int, j: int) -> int:
        if i % 4 == 0 and j % 4 == 0:
            return 0
        if i % 2 == 1 and j % 2 == 1:
            return 1
        if i % 4 == 2 and j % 4 == 2:
            return 2
        if (i % 4 == 0 and j % 2 == 1) or (i % 2 == 1 and j % 4 == 0):
            return 3
        if (i % 4 == 0 and j % 4 == 2) or (i % 4 == 2 and j % 4 == 0):
            return 4
        return 5

    for m in range(6):
        assert tables["cpu::kNormAdjust4x4"][m] == [
            v4[m][column_4x4(i, j)] for i in range(4) for j in range(4)
        ]
        assert tables["cpu::kNormAdjust8x8"][m] == [
            v8[m][column_8x8(i, j)] for i in range(8) for j in range(8)
        ]


def test_mb_types(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    mb, sub = h264_spec["mb_type"], h264_spec["sub_mb_type"]
    assert tables["kIntra16x16TypeInfo"] == [
        (r["Intra16x16PredMode"], r["CodedBlockPatternChroma"], r["CodedBlockPatternLuma"])
        for r in mb["I"]
        if r["name"].startswith("I_16x16")
    ]
    for slice_type in ("P", "B"):
        assert tables[f"kMbTypeInfo{slice_type}"] == [
            (
                r["NumMbPart"] or 0,
                PRED_MODE[r["MbPartPredMode0"]],
                PRED_MODE[r["MbPartPredMode1"]],
                r["MbPartWidth"],
                r["MbPartHeight"],
            )
            for r in mb[slice_type]
            if not r.get("inferred")
        ]
        assert tables[f"kSubMbTypeInfo{slice_type}"] == [
            (
                r["NumSubMbPart"],
                PRED_MODE[r["SubMbPredMode"]],
                r["SubMbPartWidth"],
                r["SubMbPartHeight"],
            )
            for r in sub[slice_type]
        ]


def test_levels(tables: dict[str, Any], h264_spec: dict[str, Any]) -> None:
    fields = ("level_idc", "MaxMBPS", "MaxFS", "MaxDpbMbs", "MaxBR", "MaxCPB", "MaxVmvR", "MinCR")
    rows = h264_spec["levels"]["rows"]
    assert [row[:8] for row in tables["kLevelLimits"]] == [
        tuple(row[field] for field in fields) for row in rows
    ]
    assert [row[8] for row in tables["kLevelLimits"]] == [row["MaxMvsPer2Mb"] or 0 for row in rows]


def check(root: Path, spec: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, root / "tools/gen_tables.py", "--check", "--spec", spec],
        capture_output=True,
        text=True,
        check=False,
    )


def test_committed_tables_are_what_the_generator_writes() -> None:
    result = check(REPOSITORY, require_data("spec/h265.json").parent)
    assert result.returncode == 0, result.stderr


def test_check_names_a_table_that_was_edited(tmp_path: Path) -> None:
    spec = require_data("spec/h265.json").parent
    (tmp_path / "tools").mkdir()
    for name in ("gen_tables.py", "cpp_tables.py", "h265_tables.py"):
        shutil.copy(REPOSITORY / "tools" / name, tmp_path / "tools")
    for path in sorted(REPOSITORY.glob("cpp/cope/*/*_tables.h")):
        copy = tmp_path / path.relative_to(REPOSITORY)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    assert check(tmp_path, spec).returncode == 0
    edited = tmp_path / "cpp/cope/h264/cavlc_tables.h"
    edited.write_text(edited.read_text().replace("{16, 67}", "{16, 66}", 1))
    result = check(tmp_path, spec)
    assert result.returncode == 1
    assert "cavlc_tables.h" in result.stderr
    assert "scan_tables.h" not in result.stderr
