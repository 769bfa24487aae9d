# conftest.py - what the end-to-end tests share: models, bundles and commands.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fixtures that make what a test asks for and keep it for the tests after it."""
from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

import mxn
import numpy as np
import onnx
import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("MXN_CACHE") or Path.home() / ".cache" / "mxn")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes more than some ten seconds (scripts/test --quick leaves these out)")


class RealModel:
    """A model of test/models: its folder, and its recorded cases."""

    def __init__(self, folder: Path):
        self.folder, self.file = folder, folder / "model.onnx"

    def cases(self, kind: str) -> dict[str, dict[str, np.ndarray]]:
        """{case: {tensor: array}} of "inputs" or "expected"."""
        found: dict[str, dict[str, np.ndarray]] = {}
        with np.load(self.folder / f"{kind}.npz") as file:
            for name in file.files:
                case, _, tensor = name.partition("/")
                found.setdefault(case, {})[tensor] = file[name]
        return found


@pytest.fixture(scope="session")
def real_model() -> Callable[[str], RealModel]:
    """real_model(name) makes a model of test/models, once."""
    made: dict[str, RealModel] = {}

    def make(name: str) -> RealModel:
        if name not in made:
            CACHE.mkdir(parents=True, exist_ok=True)
            with open(CACHE / "models.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                done = subprocess.run([sys.executable, ROOT / "test" / "models" / "make", "--out", CACHE / "models", name],
                                      capture_output=True, text=True)
            if done.returncode:
                pytest.fail(f"cannot make the model {name}: {done.stderr.strip()}", pytrace=False)
            made[name] = RealModel(CACHE / "models" / name)
        return made[name]

    return make


@pytest.fixture(scope="session")
def bundle(real_model: Callable[[str], RealModel], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """bundle(name, **options) compiles a model of test/models, once for each set of options."""
    made: dict[tuple, Path] = {}

    def make(name: str, **options: object) -> Path:
        key = (name, *sorted(options.items()))
        if key not in made:
            made[key] = mxn.compile(real_model(name).file, tmp_path_factory.mktemp(name) / f"{name}.mxn", **options)
        return made[key]

    return make


def save(model: onnx.ModelProto, path: Path) -> Path:
    """Writes a model and returns its path."""
    path.write_bytes(model.SerializeToString())
    return path


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a command and captures its output."""
    path = os.pathsep.join([str(ROOT / "python"), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, timeout=600,
                          env={**os.environ, "PYTHONPATH": path, **environment})


def mxn_command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command mxn of this checkout."""
    return command(sys.executable, "-m", "mxn", *arguments, **environment)
