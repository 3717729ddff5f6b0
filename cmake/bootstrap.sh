#!/usr/bin/env bash
# Installs what the build and the tests need: Debian packages, and a virtual environment in .venv.
# Every step is skipped when its result is already there, so a second call costs a second.
set -euo pipefail
cd "$(dirname "$0")/.."

APT_PACKAGES=(
  build-essential cmake ninja-build ccache mold pkg-config python3-dev python3-venv
  libeigen3-dev libhdf5-dev libopenbabel-dev openbabel libsymspg-dev
  libcli11-dev libfmt-dev libspdlog-dev libtomlplusplus-dev nlohmann-json3-dev libxxhash-dev
  libgtest-dev libbenchmark-dev
  libxc-dev libopenblas-dev libfftw3-dev
  chromium
)
VENV=.venv
STAMP=$VENV/.tamiz-bootstrap
WANT=$(sha256sum cmake/bootstrap.sh cmake/requirements.txt | sha256sum | cut -d' ' -f1)

say() { printf 'bootstrap: %s\n' "$*"; }

missing_packages() {
  local package
  for package in "${APT_PACKAGES[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
  done
}

install_packages() {
  local missing sudo=()
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      sudo=(sudo)
    else
      say "these Debian packages are missing and need an administrator, who must run:" >&2
      echo "    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
  fi
  say "installing ${#missing[@]} Debian packages"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

install_python() {
  [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$WANT" ] && return
  say "making the virtual environment $VENV"
  [ -x "$VENV/bin/python" ] || "${PYTHON:-python3}" -m venv "$VENV"
  local pip=("$VENV/bin/python" -m pip --disable-pip-version-check install -q)
  # torch first and at this exact version: anything looser resolves to a build with gigabytes of CUDA.
  "${pip[@]}" torch==2.13.0
  "${pip[@]}" -r cmake/requirements.txt
  say "building GPAW against libxc, OpenBLAS and FFTW"
  [ "$("$VENV/bin/python" -c 'import gpaw; print(gpaw.__version__)' 2>/dev/null)" = 26.7.0 ] ||
    GPAW_CONFIG="$PWD/cmake/gpaw_siteconfig.py" CC=g++ "${pip[@]}" --no-binary gpaw gpaw==26.7.0
  echo "$WANT" > "$STAMP"
}

install_packages
install_python
