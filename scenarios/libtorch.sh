#!/usr/bin/env bash
# Gets the LibTorch 2.9.0 that `--features tch` needs, from the wheels of PyTorch, and keeps what the processor
# needs of it: about 430 MB of libraries and 60 MB of headers (1 GB is fetched). Linux, x86-64.
#
#   scenarios/libtorch.sh [DIR]        # DIR: where it is kept [default: ./libtorch]
#
# Needs python3 with venv and pip, and gcc.
set -euo pipefail

version=2.9.0
target=${1:-libtorch}
mkdir -p "$target/lib"
target=$(cd "$target" && pwd)
if [ "$(cat "$target/build-version" 2>/dev/null)" = "$version" ]; then
  echo "LibTorch $version is in $target already."
  exit 0
fi
work=$(mktemp -d "$target/.wheels-XXXXXX")
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
# Without its dependencies: 5 GB of libraries for graphics cards. Two small ones are linked to by name.
"$work/venv/bin/pip" install --quiet --no-cache-dir --no-deps \
  "torch==$version" nvidia-cuda-runtime-cu12==12.8.90 nvidia-cuda-cupti-cu12==12.8.90
site=$(echo "$work"/venv/lib/python3*/site-packages)

rm -rf "$target/include"
cp -r "$site/torch/include" "$target/include"
cp "$site"/torch/lib/{libtorch_cpu.so,libc10.so,libgomp.so.1} "$target/lib/"
cp "$site/nvidia/cuda_runtime/lib/libcudart.so.12" "$site/nvidia/cuda_cupti/lib/libcupti.so.12" \
  "$target/lib/"
# What programs link to, in place of the one that asks for the libraries of graphics cards.
echo | gcc -shared -o "$target/lib/libtorch.so" -x c - -Wl,--no-as-needed -L"$target/lib" \
  -Wl,-rpath,'$ORIGIN' -Wl,-soname,libtorch.so -l:libtorch_cpu.so
echo "$version" >"$target/build-version"

cat <<END
LibTorch $version is in $target. Build and run with it:

  export LIBTORCH=$target LD_LIBRARY_PATH=$target/lib
  cargo build --release --features tch
  target/release/offbeat run scenarios/library/quickstart.toml --device tch
END
