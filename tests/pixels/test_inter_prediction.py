"""The test's own interpolator, checked against libavcodec without any of our code.

At QP 51 most macroblocks have no residual, so that their decoded samples are the prediction.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from clips import ClipConfig, decode
from inter_prediction import predict_chroma, predict_luma


def exported_vectors(path: Path) -> list[np.ndarray | None]:
    """libavcodec's vectors per sample `[height, width, 2]` of each P frame; intra samples are 0."""
    fields = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"flags2": "+export_mvs"}
        for frame in container.decode(stream):
            vectors = frame.side_data.get("MOTION_VECTORS")
            if vectors is None:
                fields.append(None)
                continue
            mv = np.zeros((frame.height, frame.width, 2), np.int32)
            for v in vectors.to_ndarray():
                x, y = int(v["dst_x"]) - int(v["w"]) // 2, int(v["dst_y"]) - int(v["h"]) // 2
                mv[y : y + v["h"], x : x + v["w"]] = int(v["motion_x"]), int(v["motion_y"])
            fields.append(mv)
    return fields


def test_prediction_equals_decoded_samples_where_nothing_is_coded(tmp_path: Path) -> None:
    config = ClipConfig("p_only", "bframes=0:ref=1:qp=51:weightp=0:8x8dct=0:partitions=all")
    path = config.encode(tmp_path)
    frames = decode(path)
    num_equal = num_chroma_equal = num_macroblocks = 0
    positions_hit = np.zeros(16, np.int64)
    for previous, frame, mv in zip(frames, frames[1:], exported_vectors(path)[1:], strict=False):
        if mv is None:
            continue
        rows, columns = config.height // 16, config.width // 16
        luma = predict_luma(previous[0], mv, 8) == frame[0]
        equal = luma.reshape(rows, 16, columns, 16).all(axis=(1, 3))
        chroma = predict_chroma(previous[1], mv, 2, 2) == frame[1]
        num_equal += int(equal.sum())
        num_chroma_equal += int(chroma.reshape(rows, 8, columns, 8).all(axis=(1, 3)).sum())
        num_macroblocks += equal.size
        fraction = ((mv[..., 0] & 3) + 4 * (mv[..., 1] & 3))[::16, ::16]
        positions_hit += np.bincount(fraction[equal], minlength=16)
    assert num_equal > 0.85 * num_macroblocks
    assert num_chroma_equal > 0.6 * num_macroblocks
    assert (positions_hit > 0).sum() >= 14, positions_hit
