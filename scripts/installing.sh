# Sourced by scripts/setup and scripts/bench: packages of a lock into a virtual environment, by uv where there is one.

have_uv() { uv --version >/dev/null 2>&1; }

pip_install() { # environment, arguments...
  local venv=$1 quiet=--quiet
  shift
  if [[ -t 2 ]]; then quiet=""; fi # progress for people, silence for logs
  if have_uv; then
    uv pip install ${quiet:+"$quiet"} --python "$venv/bin/python" --no-build-isolation "$@"
  else
    "$venv/bin/python" -m pip install ${quiet:+"$quiet"} --use-pep517 --no-build-isolation "$@"
  fi
}

# Some packages come as source. They are built with the locked setuptools, so that everything that runs was hashed.
# A lock names all that it needs; pip would take a requirement with extras, such as pandas[parquet], for another package
# than the locked pandas.
install_lock() { # environment, lock
  local builder=$1/setuptools.lock
  awk '/^[^ ]/ {wanted = /^setuptools==/} wanted' "$2" >"$builder"
  pip_install "$1" --no-deps --require-hashes -r "$builder" && pip_install "$1" --no-deps --require-hashes -r "$2"
}
