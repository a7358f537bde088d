#!/bin/sh
# Installs Consilium from the folder that this file lies in, without any network. Again, or over another version, is safe.
set -eu
umask 022

version=@VERSION@
arch=@ARCH@
prefix=/usr/local
units=

usage() {
  cat <<END
./install.sh [--prefix DIR] [--systemd [DIR]]

Checks every file against SHA256SUMS, copies the program to DIR/lib/consilium/$version and makes DIR/bin/consilium.

  --prefix DIR     where to install: /usr/local by default; a folder of your own needs no root
  --systemd [DIR]  install the systemd unit too, in /etc/systemd/system by default; nothing is started
END
}

fail() {
  echo "install.sh: $1" >&2
  exit "${2:-1}"
}

while [ $# -gt 0 ]; do
  case $1 in
    --prefix) [ $# -gt 1 ] || fail 'give --prefix a folder' 2; prefix=$2; shift 2 ;;
    --prefix=*) prefix=${1#*=}; shift ;;
    --systemd=*) units=${1#*=}; shift ;;
    --systemd)
      units=/etc/systemd/system; shift
      case ${1-} in '' | -*) ;; *) units=$1; shift ;; esac ;;
    --help | -h) usage; exit 0 ;;
    *) fail "$1 is unknown: see ./install.sh --help" 2 ;;
  esac
done

# A path in the unit and in bin/consilium must hold from anywhere, and stand in a line without quotes.
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
case $prefix in *[!A-Za-z0-9/._@+-]*) fail "$prefix has signs that a unit cannot hold: choose a folder of plain letters" 2 ;; esac

case $(uname -m) in
  x86_64) machine=x64 ;;
  aarch64) machine=arm64 ;;
  *) machine=$(uname -m) ;;
esac
[ "$(uname -s)" = Linux ] && [ "$machine" = "$arch" ] ||
  fail "this archive is for Linux on $arch and this machine is $(uname -s) on $machine: take its own"
command -v sha256sum > /dev/null || fail 'sha256sum is missing, so nothing can be checked: install the package coreutils'

# faulty FOLDER: the first file that is not as SHA256SUMS has it; nothing where all are, and no other lies there.
faulty() (
  cd "$1" && [ -f SHA256SUMS ] || { echo SHA256SUMS; exit; }
  other=$(find . ! -type f ! -type d | sed -n 1p)
  [ -z "$other" ] || { echo "${other#./}"; exit; }
  found=$(LC_ALL=C sha256sum --check --quiet --strict SHA256SUMS 2> /dev/null) ||
    { first=$(echo "$found" | sed -n '1s/: .*//p'); echo "${first:-SHA256SUMS}"; exit; }
  [ "$(find . -type f ! -path ./SHA256SUMS | wc -l)" -eq "$(wc -l < SHA256SUMS)" ] || echo 'a file that SHA256SUMS does not name'
)

here=$(CDPATH='' cd -- "$(dirname "$0")" && pwd -P)
fault=$(faulty "$here")
[ -z "$fault" ] ||
  fail "$fault is not as it was packed, and nothing was installed: copy the archive again and unpack it into an empty folder"

lib=$prefix/lib/consilium
target=$lib/$version
mkdir -p "$lib" "$prefix/bin" 2> /dev/null && [ -w "$lib" ] && [ -w "$prefix/bin" ] ||
  fail "$prefix cannot be written by this user: choose another folder with --prefix, or be root"

aside=$lib/.$version.$$
# What was moved away comes back where nothing has taken its place.
restore() {
  [ -e "$target" ] || [ ! -e "$aside.old" ] || mv "$aside.old" "$target"
  rm -rf "$aside" "$aside.old" "$aside.link" "$aside.bin"
}
trap restore EXIT
trap 'exit 1' HUP INT TERM

before=$(readlink "$lib/current" 2> /dev/null || true)
if cmp -s "$here/SHA256SUMS" "$target/SHA256SUMS" && [ -z "$(faulty "$target")" ]; then
  echo "$target is there already"
else
  cp -R "$here" "$aside" || fail "$lib has no room for the program: it takes $(du -sh "$here" | cut -f1)"
  # Archives hold files alone: folders were made by the umask of whoever unpacked them.
  chmod -R u=rwX,go=rX "$aside"
  [ -z "$(faulty "$aside")" ] || fail 'the copy is not as it was packed, and nothing was installed: see whether the disk is sound'
  "$aside/app/node_modules/node-linux-$arch/bin/node" "$aside/app/dist/src/cli/index.js" --version > /dev/null ||
    fail 'the program does not run on this machine, and nothing was installed: it needs glibc 2.28 or newer (Debian 10, RHEL 8)'
  # What is damaged, or another build of this version, goes out of the way first.
  if [ -e "$target" ]; then
    echo "$target is replaced: a daemon that runs from it must be started again"
    mv "$target" "$aside.old"
  fi
  mv "$aside" "$target"
fi

# A daemon that runs keeps the version that it started with.
ln -s "$version" "$aside.link"
mv -T "$aside.link" "$lib/current"
cat > "$aside.bin" <<END
#!/bin/sh
# Of Consilium, by install.sh: the program and the Node that came with it.
exec $lib/current/app/node_modules/node-linux-$arch/bin/node $lib/current/app/dist/src/cli/index.js "\$@"
END
chmod 755 "$aside.bin"
mv "$aside.bin" "$prefix/bin/consilium"
echo "$prefix/bin/consilium is version $version"
case $before in
  '' | "$version") ;;
  *) echo "$lib/$before stays for a daemon that still runs it: restart that, then remove the folder" ;;
esac

[ -n "$units" ] || exit 0
unit=$units/consilium.service
mkdir -p "$units" 2> /dev/null && [ -w "$units" ] ||
  fail "$units cannot be written by this user: be root, or name another folder after --systemd"
sed "s|/usr/local/bin/consilium|$prefix/bin/consilium|" "$target/app/deploy/systemd/consilium.service" > "$unit.new"
if [ -f "$unit" ] && ! cmp -s "$unit" "$unit.new"; then
  [ -e "$unit.before" ] || cp -p "$unit" "$unit.before"
  echo "$unit.before is the unit that was there first"
fi
mv "$unit.new" "$unit"
echo "$unit is installed: systemctl daemon-reload, and systemctl enable --now consilium once the site has joined"
id -u consilium > /dev/null 2>&1 ||
  echo 'first the user that it runs as, and its home: docs/install.md, "systemd"'
