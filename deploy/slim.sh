#!/bin/sh
# Takes out of the virtual environment $1 what no process of ours loads.
set -eu
packages=$(echo "$1"/lib/python*/site-packages)
find "$packages" -depth -type d \( -name tests -o -name test \) \
    -not -path '*/django/*' -not -path '*/numpy/testing*' -exec rm -r {} +
rm -rf "$packages"/pyarrow/include "$packages"/pyarrow/*.a "$packages"/pyarrow/libarrow_flight* \
    "$packages"/pyarrow/libarrow_python_flight* "$packages"/pyarrow/_flight* \
    "$packages"/numpy/*/lib/*.a
find "$packages" \( -name '*.pyi' -o -name '*.pxd' -o -name '*.pyx' -o -name '*.h' -o -name '*.hpp' \) -delete
