#!/usr/bin/env python3
"""Checks every C++ include against the layers that CMakeLists.txt declares.

The table is read from the `cope_add_layer(name DEPENDS ...)` calls, so there is one copy of it. The
build already hides the headers of other layers; this says so in words, without a compiler, and
covers what include directories cannot: system-wide headers such as libav's and Python's.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCES = ("*.h", "*.cpp", "*.cuh", "*.cu")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
LAYER = re.compile(r"^cope_add_layer\(\s*(\w+)([^)]*)\)", re.MULTILINE)

# First part of a header's path -> the layers that may include it.
EXTERNAL = {
    "libavformat": {"media"},
    "libavcodec": {"media"},
    "libavutil": {"media"},
    "libswscale": {"media"},
    "nanobind": {"cope_native"},
    "Python.h": {"cope_native"},
    "cuda_runtime.h": {"gpu"},
    "cuda_runtime_api.h": {"gpu"},
    "torch": set(),
    "ATen": set(),
    "c10": set(),
}


def read_layers(cmake_lists: Path) -> dict[str, set[str]]:
    """The layers, each with the layers whose headers it may include, itself among them."""
    layers: dict[str, set[str]] = {}
    for name, arguments in LAYER.findall(cmake_lists.read_text()):
        words = arguments.split()
        depends = words[words.index("DEPENDS") + 1 :] if "DEPENDS" in words else []
        if "LIBRARIES" in depends:
            depends = depends[: depends.index("LIBRARIES")]
        unknown = set(depends) - layers.keys()
        if unknown:
            raise SystemExit(
                f"{cmake_lists.name}: {name} depends on {sorted(unknown)}, declared later or never"
            )
        layers[name] = {name, *depends}
    return layers


def check_file(path: Path, layer: str, allowed: set[str]) -> list[str]:
    """The offending includes of one file, as `file:line: reason`."""
    problems = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        where = f"{path.relative_to(REPOSITORY)}:{number}"
        root, _, rest = header.partition("/")
        if root == "cope":
            target = rest.partition("/")[0]
            if target not in allowed:
                problems.append(f"{where}: {layer} may not include {header} (layer {target})")
        elif layer not in EXTERNAL.get(root, {layer}):
            problems.append(f"{where}: {layer} may not include {header}")
        elif quote == '"' and layer != "cope_native":
            problems.append(f'{where}: write the header by its layer: "cope/{layer}/{header}"')
    return problems


def main() -> int:
    """Checks the tree, prints what is wrong, and returns the exit status."""
    layers = read_layers(REPOSITORY / "CMakeLists.txt")
    roots = [
        (REPOSITORY / "cpp" / "cope" / name, name, allowed) for name, allowed in layers.items()
    ]
    roots.append((REPOSITORY / "src" / "cope_native", "cope_native", set(layers)))
    undeclared = {
        p.name for p in (REPOSITORY / "cpp" / "cope").iterdir() if p.is_dir()
    } - layers.keys()
    problems = [
        f"cpp/cope/{name}: no cope_add_layer({name} ...) in CMakeLists.txt"
        for name in sorted(undeclared)
    ]
    num_files = 0
    for root, layer, allowed in roots:
        for pattern in SOURCES:
            for path in sorted(root.rglob(pattern)):
                num_files += 1
                problems += check_file(path, layer, allowed)
    print(
        "\n".join(problems)
        or f"layers: {num_files} files in {len(layers)} layers keep to the table"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
