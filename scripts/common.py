"""What the checking scripts share: finding and running fltscope."""

import argparse
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def add_binary_option(parser):
    """Adds --binary; `find_program` gives its default."""
    parser.add_argument(
        "--binary",
        metavar="PATH",
        help="the fltscope to check (default: target/release/fltscope of this checkout, else the one on the PATH)",
    )


def find_program(name, given=None):
    """The program at `given`, else the one built in this checkout, else the one on the PATH, else None."""
    if given:
        return str(pathlib.Path(given).resolve())
    built = ROOT / "target" / "release" / name
    for path in (built, built.with_suffix(".exe")):
        if path.is_file():
            return str(path)
    return shutil.which(name)


def find_fltscope(given=None):
    """The fltscope to check; ends the script where there is none."""
    found = find_program("fltscope", given)
    if found is None or not pathlib.Path(found).is_file():
        sys.exit("no fltscope found: build it with `cargo build --release`, or name it with --binary")
    return found


def run(command):
    """Runs a command and gives its output; its errors go to the terminal, a failure ends the script."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}")
    return done.stdout


def plain_help(**kwargs):
    """An argument parser that keeps the line breaks of its description."""
    return argparse.ArgumentParser(formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)
