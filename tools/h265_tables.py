"""The C++ tables of H.265 that tools/gen_tables.py writes."""

from __future__ import annotations

from collections.abc import Callable

from cpp_tables import Spec, doc, header, table

SCANS = ("0_diag", "1_horizontal", "2_vertical")  # by scanIdx


def camel_case(element: str) -> str:
    return "".join(word.capitalize() for word in element.split("_"))


def cabac(spec: Spec) -> str:
    """The contexts of all syntax elements one after another, and what they start with."""
    elements = spec["context_init"]["elements"]
    offsets, init = [], [[], [], []]
    for element, contexts in elements.items():
        offsets.append(f"  kCtx{camel_case(element)} = {len(init[0])},\n")
        for values, init_type in zip(init, contexts["initType"], strict=True):
            # 154 keeps pStateIdx 0 at every QP; these contexts are never used.
            values += [154 if v is None else v for v in init_type or [None] * contexts["numCtx"]]
    total = len(init[0])
    return header(
        "cope::h265",
        doc(
            "The first context of each syntax element. Contexts of all elements stand in one "
            "array, those of each initType in the same places."
        )
        + f"enum CtxOffset : int {{\n{''.join(offsets)}  kNumContexts = {total},\n}};\n",
        table(
            "kCabacInitValue",
            "std::uint8_t",
            [3, total],
            init,
            "initValue of Tables 9-5 to 9-37 by initType and context. 154 where the standard has "
            "none, as an initType does not use the context.",
        ),
    )


def slice_data(spec: Spec) -> str:
    orders = spec["scan"]["ScanOrder"]
    scan4x4 = [orders["2"][scan] for scan in SCANS]
    grids = [[orders[str(log2)][scan] for log2 in range(4)] for scan in SCANS]

    def padded(values: list[int]) -> list[int]:
        return values + [0] * (64 - len(values))

    def inverse(order: list[list[int]], stride: int) -> list[int]:
        places = [0] * 64
        for i, (x, y) in enumerate(order):
            places[y * stride + x] = i
        return places

    significant = spec["sig_coeff"]
    patterns = [
        *significant["sigCtx_pattern"]["table"],
        [*significant["ctxIdxMap"]["table"], 0],  # the last position has no flag
        [0] * 16,
    ]
    last = spec["last_sig_coeff"]
    return header(
        "cope::h265",
        table(
            "kCoeffOffset",
            "std::uint8_t",
            [3, 4, 16],
            [[[(y << k) + x for x, y in order] for k in (2, 3, 4, 5)] for order in scan4x4],
            "yC * size + xC of a 4x4 sub-block's coefficients relative to its first one, 6.5.3 to "
            "6.5.5, by scanIdx, log2TrafoSize - 2 and scan position.",
        ),
        table(
            "kScanPos4x4",
            "std::uint8_t",
            [3, 16],
            [inverse(order, 4)[:16] for order in scan4x4],
            "Scan position by scanIdx and y * 4 + x: the inverse of ScanOrder[2].",
        ),
        table(
            "kSubBlockScan",
            "std::uint8_t",
            [3, 4, 64],
            [[padded([y * 8 + x for x, y in order]) for order in by_size] for by_size in grids],
            "yS * 8 + xS of ScanOrder[log2TrafoSize - 2] by scanIdx, log2TrafoSize - 2 and scan "
            "position.",
        ),
        table(
            "kSubBlockPos",
            "std::uint8_t",
            [3, 4, 64],
            [[inverse(order, 8) for order in by_size] for by_size in grids],
            "Its inverse, by yS * 8 + xS.",
        ),
        table(
            "kSigCoeffInc",
            "std::uint8_t",
            [3, 6, 16],
            [[[row[4 * y + x] for x, y in order] for row in patterns] for order in scan4x4],
            "The part of sigCtx (9.3.4.2.5) that depends on the position in a sub-block, by "
            "scanIdx, row and scan position. Rows 0 to 3: by the coded_sub_block_flag of the right "
            "(bit 0) and the lower (bit 1) neighbour; row 4: ctxIdxMap of 4x4 blocks; row 5: one "
            "context for all, as transform_skip_context_enabled_flag wants.",
        ),
        table(
            "kLastSigCoeffBase",
            "std::uint8_t",
            [10],
            last["prefix_to_base"],
            "LastSignificantCoeffX or Y by its prefix, without the suffix (7-74 to 7-77).",
        ),
        table(
            "kQpC",
            "std::uint8_t",
            [58],
            spec["QpC"]["ChromaArrayType_1"]["table"],
            "QpC by qPi for ChromaArrayType 1, Table 8-10.",
        ),
        table(
            "kIntraPredModeC422",
            "std::uint8_t",
            [35],
            spec["intra_422_mode_map"]["table"],
            "IntraPredModeC by modeIdc for ChromaArrayType 2, Table 8-3.",
        ),
    )


def scaling(spec: Spec) -> str:
    lists = spec["scaling_lists"]
    return header(
        "cope::h265",
        table(
            "kDefaultScaling8x8",
            "std::uint8_t",
            [2, 64],
            [
                lists[f"sizeId1..3_{half}"]
                for half in ("intra(matrixId 0..2)", "inter(matrixId 3..5)")
            ],
            "Default values of ScalingList for sizeId 1..3, Table 7-6, in up-right diagonal order. "
            "First index: 0 intra (matrixId 0..2), 1 inter (matrixId 3..5).",
        ),
    )


FILES: dict[str, Callable[[Spec], str]] = {
    "cpp/cope/h265/cabac_tables.h": cabac,
    "cpp/cope/h265/slice_data_tables.h": slice_data,
    "cpp/cope/h265/scaling_tables.h": scaling,
}
