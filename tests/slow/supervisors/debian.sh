#!/bin/bash
# debian.sh FOLDER SUITE…: the systemd of each Debian, with what it needs, unpacked into
# FOLDER/SUITE/usr; nothing is installed. From the machine's own mirror, or where it has none of
# Debian's from $DEBIAN_MIRROR, with lists of its own.
set -eu
keys=/usr/share/keyrings/debian-archive-keyring.gpg
for needed in apt-get dpkg-deb "$keys"; do
  command -v "$needed" >/dev/null || [ -e "$needed" ] || {
    echo "$0: $needed is missing; it needs a Debian (apt install apt dpkg debian-archive-keyring)" >&2
    exit 2
  }
done
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
# shellcheck disable=SC2016 # a format of apt's own
mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null |
  sed -n '/security/d; s/^Debian //p' | head -1)
mirror=${mirror:-${DEBIAN_MIRROR:-}}
[ -n "$mirror" ] || {
  echo "$0: apt has no mirror of Debian here; name one, DEBIAN_MIRROR=URL" >&2
  exit 2
}
for suite in "$@"; do
  tree=$folder/$suite apt=$folder/$suite-apt
  rm -rf "$tree" "$apt"
  mkdir -p "$apt"/{lists,cache/archives}/partial "$apt/sources"
  : >"$apt/status"
  echo "deb [signed-by=$keys] $mirror $suite main" \
    >"$apt/sources/$suite.list"
  options=(
    -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$apt/sources"
    -o "Dir::State=$apt" -o "Dir::State::Lists=$apt/lists" -o "Dir::State::Status=$apt/status"
    -o "Dir::Cache=$apt/cache" -o "APT::Sandbox::User=root" -o "Acquire::Languages=none"
  )
  apt-get -qq "${options[@]}" update
  apt-get -qq "${options[@]}" --no-install-recommends --download-only --yes install \
    systemd dash coreutils >/dev/null
  for package in "$apt"/cache/archives/*.deb; do dpkg-deb --extract "$package" "$tree"; done
  for name in bin sbin lib lib64; do # Debian 12 has some of them outside of /usr still
    mkdir -p "$tree/usr/$name"
    [ ! -d "$tree/$name" ] || cp -a "$tree/$name/." "$tree/usr/$name/"
  done
  rm -rf "$apt"
done
