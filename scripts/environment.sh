# shellcheck shell=sh
# Sourced by ./run and ./run-tests: finds a Python and sees to it that the isolated environment is complete.
# In:  $self (path of the calling script), MC_LEVEL (console or tests), MC_ME (the caller's name), and from the
#      user PYTHON (an interpreter to use) and MC_VENV (a directory other than .venv).
# Out: $root (the clone), $venv (the environment), say, install_line.

say() { printf '%s\n' "$MC_ME: $*" >&2; }

# The line that installs the Debian packages "$1" here, or what stands in for it elsewhere.
install_line() {
    as_root=
    [ "$(id -u)" = 0 ] || as_root='sudo '
    if command -v apt-get >/dev/null 2>&1; then
        printf '%s' "${as_root}apt-get install -y $(echo $1)"
    elif command -v dnf >/dev/null 2>&1; then
        printf '%s' "${as_root}dnf install -y $(echo $1 | sed 's/python3-venv/python3/; s/postgresql/postgresql-server/')"
    elif command -v brew >/dev/null 2>&1; then
        printf '%s' "brew install $(echo $1 | sed 's/python3-venv//; s/python3/python@3.13/')"
    else
        printf '%s' "install $(echo $1) with your system's package manager"
    fi
}

new_enough() { "$1" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
whole() { "$1" -I -c 'import ensurepip, sqlite3, ssl, venv' >/dev/null 2>&1; }

find_python() {
    python=
    if [ -n "${PYTHON:-}" ]; then
        if ! command -v -- "$PYTHON" >/dev/null 2>&1; then
            say "PYTHON=$PYTHON is not there."
            return 1
        fi
        if ! new_enough "$PYTHON"; then
            say "Python 3.11 or newer is needed; PYTHON=$PYTHON is $("$PYTHON" -V 2>&1)."
            return 1
        fi
        python=$PYTHON
        return 0
    fi
    seen=
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if new_enough "$candidate"; then
            : "${python:=$candidate}"
            if whole "$candidate"; then
                python=$candidate
                return 0
            fi
        elif version=$("$candidate" -V 2>&1); then
            seen="$seen, $candidate is $version"
        fi
    done
    [ -z "$python" ] || return 0
    say "Python 3.11 or newer is needed and was not found${seen}."
    say "Install it with: $(install_line 'python3 python3-venv')"
    say "or name one that is elsewhere: PYTHON=/path/to/python3 ./$MC_ME"
    return 1
}

unset PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE PYTHONINSPECT VIRTUAL_ENV __PYVENV_LAUNCHER__
root=$(CDPATH='' cd -- "$(dirname -- "$self")" && pwd -P)
venv=${MC_VENV:-$root/.venv}
case $venv in /*) ;; *) venv=$PWD/$venv ;; esac
setup=$root/scripts/environment.py

if [ -n "${PYTHON:-}" ] || ! "$venv/bin/python" -I "$setup" check "$MC_LEVEL" "$venv" 2>/dev/null; then
    find_python || exit 1
    "$python" -I "$setup" make "$MC_LEVEL" "$venv" "./$MC_ME" || exit $?
fi
