#!/bin/sh
# Installs the packages that xgrad is built from, on Debian or Ubuntu; does nothing, and needs no network, where they are there already.
set -eu

# A package that has another name in another release is written first|second.
packages="
  g++ cmake make pkg-config|pkgconf
  libopenblas-dev zlib1g-dev nlohmann-json3-dev libsqlite3-dev libpq-dev libpng-dev libturbojpeg0-dev|libturbojpeg-dev libpcre2-dev libzip-dev
  libxtensor-dev|xtensor-dev libxtensor-blas-dev|xtensor-blas-dev libxsimd-dev|xsimd-dev
  libcli11-dev catch2 dataset-fashion-mnist fortunes
"

is_installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=
for names in $packages; do
  found=
  for name in $(echo "$names" | tr '|' ' '); do
    if is_installed "$name"; then found=yes; fi
  done
  [ -n "$found" ] || missing="$missing $names"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup.sh: no apt-get here; xgrad needs what these Debian packages hold:$missing" >&2
  exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup.sh: run it as root, or install sudo; missing:$missing" >&2; exit 1; }
  as_root=sudo
fi

$as_root apt-get update
install=
for names in $missing; do
  chosen=${names%%|*}
  for name in $(echo "$names" | tr '|' ' '); do
    if apt-cache show "$name" >/dev/null 2>&1; then chosen=$name && break; fi
  done
  install="$install $chosen"
done
# shellcheck disable=SC2086  # $install is a list
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $install
