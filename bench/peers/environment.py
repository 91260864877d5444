"""The packages of the peer, in a virtual environment of their own outside the tree."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from platformdirs import user_cache_path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def python() -> Path:
    """Its interpreter; made the first time, and again when what is required has changed. Raises SystemExit."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    made_of = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    place = user_cache_path("beerforyou") / f"bench-peers-{version}-{made_of}"
    if not (place / "made").exists():
        _make(place)
        (place / "made").touch()
    return place / "bin/python"


def _make(place: Path) -> None:
    print(f"Installing the packages of the peer into {place} …", file=sys.stderr, flush=True)
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pip = (place / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    how = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", REQUIREMENTS)
    done = subprocess.run([*pip, *how], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        shutil.rmtree(place, ignore_errors=True)
        raise SystemExit(
            f"The peer's packages cannot be installed, so there is nothing to compare with: bench/peers/requirements.txt "
            f"needs pip's registry or its cache. pip said:\n{done.stdout[-1500:]}"
        )
