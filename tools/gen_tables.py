#!/usr/bin/env python3
"""Writes the C++ tables of H.264 and H.265 from the checked numbers of data files.

    tools/gen_tables.py [--spec ../shared/spec] [--check]

The files are committed: a build needs neither this program nor the data files. `--check` writes
nothing and exits 1 when a committed file differs from what would be written.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import h265_tables
from cpp_tables import Spec, enum, header, records, table

ROOT = Path(__file__).resolve().parent.parent
Code = tuple[str, int]  # bits, value


# Variable-length codes as {length, value}; {0, 0} where no code matches


def put(entries: list[list[int]], code: str, bits: str, value: int) -> None:
    """Enters `code` wherever the index begins with `bits`."""
    repeats = len(entries) >> len(bits)
    if repeats == 0:
        raise ValueError(f"{code} is too long for its table")
    first = int(bits or "0", 2) * repeats
    for i in range(first, first + repeats):
        if entries[i][0]:
            raise ValueError(f"{code} is not prefix free")
        entries[i] = [len(code), value]


def direct(codes: Iterable[Code], bits: int) -> list[list[int]]:
    """Entries by the next `bits` bits."""
    entries = [[0, 0] for _ in range(1 << bits)]
    for code, value in codes:
        put(entries, code, code, value)
    return entries


def by_leading_zeros(codes: Iterable[Code], num_rows: int, bits: int) -> list[list[list[int]]]:
    """Entries by the number of leading zeros, then by the `bits` bits after the first one.

    The last row stands for every larger number of zeros as well.
    """
    table_rows = [[[0, 0] for _ in range(1 << bits)] for _ in range(num_rows)]
    for code, value in codes:
        zeros, one, suffix = code.partition("1")
        # Behind a code of nothing but zeros more zeros may follow.
        for row in table_rows[len(zeros) : len(zeros) + 1 if one else num_rows]:
            put(row, code, suffix, value)
        if len(zeros) >= num_rows - bool(one):
            raise ValueError(f"{code}: {num_rows} rows are too few")
    return table_rows


# The files


def entropy_cabac(spec: Spec) -> str:
    return header(
        "cope::entropy",
        table(
            "kRangeTabLps",
            "std::uint8_t",
            [64, 4],
            spec["rangeTabLPS"],
            "rangeTabLPS[pStateIdx][qCodIRangeIdx]: H.264 Table 9-44, H.265 Table 9-52.",
        ),
        table(
            "kTransIdxLps",
            "std::uint8_t",
            [64],
            spec["transIdxLPS"],
            "transIdxLPS[pStateIdx]: H.264 Table 9-45, H.265 Table 9-53. transIdxMPS is "
            "Min(pStateIdx + 1, 62); pStateIdx 63 belongs to the terminating bin, which does not "
            "adapt.",
        ),
    )


def h264_cabac(spec: Spec) -> str:
    init = spec["cabac_context_init"]
    columns = ("I", "cabac_init_idc_0", "cabac_init_idc_1", "cabac_init_idc_2")
    base = spec["residual_ctxIdx_base"]
    inc = spec["sig_last_ctxIdxInc_8x8"]
    first_index = "First index: 1 for field macroblocks"
    return header(
        "cope::h264",
        table(
            "kCabacInit",
            "std::int8_t",
            [4, 1024, 2],
            [[pair or [0, 0] for pair in init[column]] for column in columns],
            "(m, n) of Tables 9-12 to 9-33 by ctxIdx. First index: 0 for I and SI slices, 1 + "
            "cabac_init_idc otherwise. {0, 0} where the standard has none: ctxIdx 276, which does "
            "not adapt, and 11..59 in I slices, which do not use them.",
        ),
        table(
            "kCodedBlockFlagBase",
            "std::uint16_t",
            [14],
            base["coded_block_flag"],
            "ctxIdxOffset + ctxBlockCatOffset of coded_block_flag, Tables 9-34 and 9-40, by "
            "ctxBlockCat of Table 9-42.",
        ),
        table(
            "kSignificantCoeffFlagBase",
            "std::uint16_t",
            [2, 14],
            [base["significant_coeff_flag_frame"], base["significant_coeff_flag_field"]],
            f"The same of significant_coeff_flag. {first_index}; then by ctxBlockCat.",
        ),
        table(
            "kLastSignificantCoeffFlagBase",
            "std::uint16_t",
            [2, 14],
            [base["last_significant_coeff_flag_frame"], base["last_significant_coeff_flag_field"]],
            f"The same of last_significant_coeff_flag. {first_index}; then by ctxBlockCat.",
        ),
        table(
            "kCoeffAbsLevelMinus1Base",
            "std::uint16_t",
            [14],
            base["coeff_abs_level_minus1"],
            "The same of coeff_abs_level_minus1, by ctxBlockCat.",
        ),
        table(
            "kSignificantCoeffFlagInc8x8",
            "std::uint8_t",
            [2, 64],
            # The parser looks one ahead, behind the last as well.
            [[*inc[f"significant_coeff_flag_{kind}"], 0] for kind in ("frame", "field")],
            "ctxIdxInc of significant_coeff_flag for ctxBlockCat 5, 9 and 13, Table 9-43. "
            f"{first_index}; then by levelListIdx, 0 after the last.",
        ),
        table(
            "kLastSignificantCoeffFlagInc8x8",
            "std::uint8_t",
            [63],
            inc["last_significant_coeff_flag"],
            "ctxIdxInc of last_significant_coeff_flag for ctxBlockCat 5, 9 and 13, Table 9-43, by "
            "levelListIdx; frame and field macroblocks alike.",
        ),
    )


def h264_cavlc(spec: Spec) -> str:
    tokens, zeros, runs = spec["coeff_token"], spec["total_zeros"], spec["run_before"]
    cbp = spec["coded_block_pattern_me"]

    def token_codes(nc: str) -> list[Code]:
        return [(code, total << 2 | ones) for total, ones, code in tokens[nc]]

    def codes(pairs: Iterable[tuple[int, str]]) -> list[Code]:
        return [(code, value) for value, code in pairs]

    run_codes = [codes(runs[zeros_left]) for zeros_left in ("1", "2", "3", "4", "5", "6", ">6")]
    return header(
        "cope::h264",
        VLC_ENTRY,
        table(
            "kCoeffToken",
            "VlcEntry",
            [5, 16, 8],
            [
                by_leading_zeros(token_codes(nc), 16, 3)
                for nc in ("0<=nC<2", "2<=nC<4", "4<=nC<8", "nC==-1", "nC==-2")
            ],
            "coeff_token, Table 9-5: value TotalCoeff << 2 | TrailingOnes. First index: 0 for 0 <= "
            "nC < 2, 1 for 2 <= nC < 4, 2 for 4 <= nC < 8, 3 for nC == -1, 4 for nC == -2; then "
            "the number of leading zeros, at most 15; then the 3 bits after the first one.",
        ),
        table(
            "kCoeffTokenFixed",
            "VlcEntry",
            [64],
            direct(token_codes("8<=nC"), 6),
            "coeff_token for 8 <= nC, by the next 6 bits.",
        ),
        table(
            "kTotalZeros4x4",
            "VlcEntry",
            [15, 10, 4],
            [by_leading_zeros(codes(zeros["4x4"][str(i)]), 10, 2) for i in range(1, 16)],
            "total_zeros, Tables 9-7 and 9-8, by tzVlcIndex - 1, the number of leading zeros, at "
            "most 9, and the 2 bits after the first one.",
        ),
        table(
            "kTotalZerosChromaDc2x2",
            "VlcEntry",
            [3, 8],
            [direct(codes(zeros["chromaDC_2x2"][str(i)]), 3) for i in range(1, 4)],
            "total_zeros of chroma DC 2x2, Table 9-9 (a), by tzVlcIndex - 1 and the next 3 bits.",
        ),
        table(
            "kTotalZerosChromaDc2x4",
            "VlcEntry",
            [7, 32],
            [direct(codes(zeros["chromaDC_2x4"][str(i)]), 5) for i in range(1, 8)],
            "total_zeros of chroma DC 2x4, Table 9-9 (b), by tzVlcIndex - 1 and the next 5 bits.",
        ),
        table(
            "kRunBefore",
            "VlcEntry",
            [7, 8],
            [direct([c for c in table_codes if len(c[0]) <= 3], 3) for table_codes in run_codes],
            "run_before, Table 9-10, by Min(zerosLeft, 7) - 1 and the next 3 bits. Length 0 for "
            "zerosLeft > 6 and 3 zero bits: the code continues in kRunBeforeLong.",
        ),
        table(
            "kRunBeforeLong",
            "VlcEntry",
            [12],
            [row[0] for row in by_leading_zeros([c for c in run_codes[6] if len(c[0]) > 3], 12, 0)],
            "run_before for zerosLeft > 6 by the number of leading zeros, at most 11.",
        ),
        table(
            "kCodedBlockPattern",
            "std::uint8_t",
            [2, 48],
            [cbp["ChromaArrayType_1_2"]["Intra"], cbp["ChromaArrayType_1_2"]["Inter"]],
            "coded_block_pattern by codeNum for ChromaArrayType 1 and 2, Table 9-4 (a). First "
            "index: 0 for Intra_4x4 and Intra_8x8, 1 for Inter prediction.",
        ),
        table(
            "kCodedBlockPatternNoChroma",
            "std::uint8_t",
            [2, 16],
            [cbp["ChromaArrayType_0_3"]["Intra"], cbp["ChromaArrayType_0_3"]["Inter"]],
            "The same for ChromaArrayType 0 and 3, Table 9-4 (b).",
        ),
    )


def scans(spec: Spec) -> list[str]:
    scan = spec["scan"]

    def raster(name: str, width: int) -> list[int]:
        return [y * width + x for x, y in scan[name]]

    return [
        table(
            "kScan4x4",
            "std::uint8_t",
            [2, 16],
            [raster("zigzag_4x4", 4), raster("field_4x4", 4)],
            "Raster position y * 4 + x by scan position, 8.5.6. First index: 0 zig-zag, 1 "
            "field scan.",
        ),
        table(
            "kScan8x8",
            "std::uint8_t",
            [2, 64],
            [raster("zigzag_8x8", 8), raster("field_8x8", 8)],
            "Raster position y * 8 + x by scan position, 8.5.7. First index: 0 zig-zag, 1 "
            "field scan.",
        ),
        table(
            "kScanChromaDc2x2",
            "std::uint8_t",
            [4],
            raster("chroma_dc_2x2", 2),
            "Raster position y * 2 + x of chroma DC coefficients, 4:2:0 (8.5.11.1).",
        ),
        table(
            "kScanChromaDc2x4",
            "std::uint8_t",
            [8],
            raster("chroma_dc_2x4", 2),
            "Raster position y * 2 + x of chroma DC coefficients, 4:2:2 (8.5.11.1).",
        ),
    ]


def h264_scan(spec: Spec) -> str:
    return header("cope::h264", *scans(spec))


def h264_scaling(spec: Spec) -> str:
    lists = spec["scaling_lists"]
    return header(
        "cope::h264",
        table(
            "kDefaultScaling4x4",
            "std::uint8_t",
            [2, 16],
            [lists["Default_4x4_Intra"], lists["Default_4x4_Inter"]],
            "Default_4x4_Intra and Default_4x4_Inter of Table 7-3, in zig-zag order.",
        ),
        table(
            "kDefaultScaling8x8",
            "std::uint8_t",
            [2, 64],
            [lists["Default_8x8_Intra"], lists["Default_8x8_Inter"]],
            "Default_8x8_Intra and Default_8x8_Inter of Table 7-4, in zig-zag order.",
        ),
    )


def h264_mb_type(spec: Spec) -> str:
    mb, sub = spec["mb_type"], spec["sub_mb_type"]

    def coded(slice_type: str) -> list[dict[str, Any]]:
        return [row for row in mb[slice_type] if row["mb_type"] is not None]  # not P_Skip, B_Skip

    def mode(name: str | None) -> str:
        return f"k{name}" if name else "kNoPredMode"

    def mb_enum(name: str, slice_type: str, comment: str) -> str:
        return enum(name, ((r["name"], r["mb_type"]) for r in coded(slice_type)), comment)

    def sub_enum(name: str, slice_type: str, comment: str) -> str:
        return enum(name, ((r["name"], r["sub_mb_type"]) for r in sub[slice_type]), comment)

    def mb_rows(name: str, slice_type: str, comment: str) -> str:
        entries = coded(slice_type)
        values = [
            [
                r["NumMbPart"] or 0,
                mode(r["MbPartPredMode0"]),
                mode(r["MbPartPredMode1"]),
                r["MbPartWidth"],
                r["MbPartHeight"],
            ]
            for r in entries
        ]
        return records(name, "MbTypeInfo", values, [r["name"] for r in entries], comment)

    def sub_rows(name: str, slice_type: str, comment: str) -> str:
        entries = sub[slice_type]
        values = [
            [r["NumSubMbPart"], mode(r["SubMbPredMode"]), r["SubMbPartWidth"], r["SubMbPartHeight"]]
            for r in entries
        ]
        return records(name, "SubMbTypeInfo", values, [r["name"] for r in entries], comment)

    intra = coded("I")[1:25]
    intra_values = [
        [r["Intra16x16PredMode"], r["CodedBlockPatternChroma"], r["CodedBlockPatternLuma"]]
        for r in intra
    ]
    return header(
        "cope::h264",
        mb_enum("MbTypeI", "I", "mb_type of I slices, Table 7-11."),
        mb_enum("MbTypeP", "P", "mb_type of P and SP slices, Table 7-13; 5..30 are MbTypeI + 5."),
        mb_enum("MbTypeB", "B", "mb_type of B slices, Table 7-14; 23..48 are MbTypeI + 23."),
        sub_enum("SubMbTypeP", "P", "sub_mb_type of P macroblocks, Table 7-17."),
        sub_enum("SubMbTypeB", "B", "sub_mb_type of B macroblocks, Table 7-18."),
        MB_TYPE_STRUCTS,
        records(
            "kIntra16x16TypeInfo",
            "Intra16x16TypeInfo",
            intra_values,
            [r["name"] for r in intra],
            "By MbTypeI - 1, for 1..24.",
        ),
        mb_rows("kMbTypeInfoP", "P", "By MbTypeP."),
        mb_rows("kMbTypeInfoB", "B", "By MbTypeB."),
        sub_rows("kSubMbTypeInfoP", "P", "By SubMbTypeP."),
        sub_rows("kSubMbTypeInfoB", "B", "By SubMbTypeB."),
    )


def h264_level(spec: Spec) -> str:
    levels = spec["levels"]["rows"]
    values = [
        [
            row["level_idc"],
            row["MaxMBPS"],
            row["MaxFS"],
            row["MaxDpbMbs"],
            row["MaxBR"],
            row["MaxCPB"],
            row["MaxVmvR"],
            row["MinCR"],
            row["MaxMvsPer2Mb"] or 0,
        ]
        for row in levels
    ]
    return header(
        "cope::h264",
        LEVEL_STRUCT,
        records(
            "kLevelLimits",
            "LevelLimits",
            values,
            [row["level"] for row in levels],
            "Table A-1. Level 1b is level_idc 9 in the High profiles, and level_idc 11 with "
            "constraint_set3_flag 1 in Baseline, Main and Extended.",
        ),
    )


def cpu_transform(spec: Spec) -> str:
    norm = spec["normAdjust"]

    def flat(matrices: Sequence[Sequence[Sequence[int]]]) -> list[list[int]]:
        return [[v for row in matrix for v in row] for matrix in matrices]

    return header(
        "cope::cpu::h264",
        *scans(spec),
        table(
            "kNormAdjust4x4",
            "std::uint8_t",
            [6, 16],
            flat(norm["normAdjust4x4[m][i][j]"]),
            "normAdjust4x4(m, i, j), 8.5.9, by m and raster position i * 4 + j.",
        ),
        table(
            "kNormAdjust8x8",
            "std::uint8_t",
            [6, 64],
            flat(norm["normAdjust8x8[m][i][j]"]),
            "normAdjust8x8(m, i, j), 8.5.9, by m and raster position i * 8 + j.",
        ),
    )


VLC_ENTRY = """\
/// One code of a variable-length table.
struct VlcEntry {
  std::uint8_t length;  ///< bits of the code; 0: no such code
  std::uint8_t value;
};
"""

MB_TYPE_STRUCTS = """\
/// MbPartPredMode and SubMbPredMode of inter prediction: bit X says that list X is used.
enum MbPartPredMode : std::uint8_t {
  kDirect = 0,
  kPred_L0 = 1,
  kPred_L1 = 2,
  kBiPred = 3,
  kNoPredMode = 4,  ///< na: no such partition, or given by sub_mb_type
};

/// A row of Table 7-13 or 7-14.
struct MbTypeInfo {
  std::uint8_t NumMbPart;  ///< 0: na (B_Direct_16x16)
  std::uint8_t MbPartPredMode0;
  std::uint8_t MbPartPredMode1;
  std::uint8_t MbPartWidth;
  std::uint8_t MbPartHeight;
};

/// A row of Table 7-17 or 7-18.
struct SubMbTypeInfo {
  std::uint8_t NumSubMbPart;
  std::uint8_t SubMbPredMode;
  std::uint8_t SubMbPartWidth;
  std::uint8_t SubMbPartHeight;
};

/// What an I_16x16 mb_type says, Table 7-11.
struct Intra16x16TypeInfo {
  std::uint8_t Intra16x16PredMode;
  std::uint8_t CodedBlockPatternChroma;
  std::uint8_t CodedBlockPatternLuma;
};
"""

LEVEL_STRUCT = """\
/// A row of Table A-1.
struct LevelLimits {
  std::uint8_t level_idc;  ///< 9: level 1b
  std::uint32_t MaxMBPS;   ///< macroblocks per second
  std::uint32_t MaxFS;     ///< macroblocks per frame
  std::uint32_t MaxDpbMbs;
  std::uint32_t MaxBR;    ///< in units of cpbBrVclFactor bits per second
  std::uint32_t MaxCPB;   ///< in units of cpbBrVclFactor bits
  std::uint16_t MaxVmvR;  ///< -MaxVmvR..MaxVmvR - 0.25 luma frame samples
  std::uint8_t MinCR;
  std::uint8_t MaxMvsPer2Mb;  ///< 0: no limit
};
"""

FILES: dict[str, dict[str, Callable[[Spec], str]]] = {
    "h264.json": {
        "cpp/cope/entropy/cabac_tables.h": entropy_cabac,
        "cpp/cope/h264/cabac_tables.h": h264_cabac,
        "cpp/cope/h264/cavlc_tables.h": h264_cavlc,
        "cpp/cope/h264/scan_tables.h": h264_scan,
        "cpp/cope/h264/scaling_tables.h": h264_scaling,
        "cpp/cope/h264/mb_type_tables.h": h264_mb_type,
        "cpp/cope/h264/level_tables.h": h264_level,
        "cpp/cope/cpu/h264_transform_tables.h": cpu_transform,
    },
    "h265.json": h265_tables.FILES,
}


def main() -> int:
    data = Path(os.environ.get("COPE_TEST_DATA") or ROOT.parent / "shared")
    parser = argparse.ArgumentParser(description="Writes the C++ tables.")
    parser.add_argument("--spec", type=Path, default=data / "spec", help="folder of data files")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    args = parser.parse_args()

    num_differing = 0
    for data_file, generators in FILES.items():
        spec = json.loads((args.spec / data_file).read_text(encoding="utf-8"))
        for name, generate in generators.items():
            path = ROOT / name
            text = generate(spec)
            if path.exists() and path.read_text(encoding="utf-8") == text:
                continue
            num_differing += 1
            if args.check:
                print(f"{name} differs from what tools/gen_tables.py writes", file=sys.stderr)
            else:
                path.write_text(text, encoding="utf-8")
                print(f"wrote {name}")
    return 1 if args.check and num_differing else 0


if __name__ == "__main__":
    sys.exit(main())
