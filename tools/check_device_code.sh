#!/usr/bin/env bash
# Compiles the slice-data parsers for a GPU with nvcc, to check that they are device code: kernels that
# call them are built, nothing runs. Says so and succeeds where there is no nvcc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

nvcc=${NVCC:-$(command -v nvcc || true)}
if [[ -z $nvcc ]]; then
  echo "device code: not checked, no nvcc on PATH"
  exit 0
fi

# Calling a host function from device code is only a warning to nvcc; here it is the error looked for.
# -G leaves out optimisation, which would take a hundred times as long and finds nothing more.
"$nvcc" -std=c++20 -arch=sm_90 -G -cubin --expt-relaxed-constexpr -Werror cross-execution-space-call \
  -Icpp tests/cuda/slice_data_device.cu -o /dev/null
echo "device code: the slice-data parsers compile with $("$nvcc" --version | grep -o 'release [0-9.]*')"
