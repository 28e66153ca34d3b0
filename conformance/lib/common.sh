# Sourced by the kits: where the program is, and packages from Maven Central copied once.

conformance_binary() { # sets TEGATA_BIN: what is given, or a release build of this checkout
  if [ -z "${TEGATA_BIN:-}" ]; then
    (cd "$root" && cargo build -q --release -p cli)
    TEGATA_BIN="${CARGO_TARGET_DIR:-$root/target}/release/tegata"
  fi
  TEGATA_BIN=$(realpath "$TEGATA_BIN")
  [ -x "$TEGATA_BIN" ] || { echo "no program at $TEGATA_BIN" >&2; exit 2; }
}

maven_packages() { # POM: sets lib to a folder with the packages that it pins
  local sum
  sum=$(sha256sum "$1" | cut -c1-16)
  lib="${CARGO_TARGET_DIR:-$root/target}/conformance/lib-$sum"
  if [ ! -e "$lib/complete" ]; then
    mvn -q -B -f "$1" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$lib"
    touch "$lib/complete"
  fi
}

await_line() { # FILE TEXT SECONDS: waits until a file holds the text
  local n=0
  until grep -q "$2" "$1" 2>/dev/null; do
    n=$((n + 1))
    [ "$n" -lt $(($3 * 10)) ] || { echo "no \"$2\" in $1:" >&2; cat "$1" >&2; return 1; }
    sleep 0.1
  done
}

free_port() { PYTHONPATH=$root/conformance/lib python3 -c 'from tegata import free_port; print(free_port())'; }
