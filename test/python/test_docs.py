# test_docs.py - what the documentation names exists.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Links between Markdown files lead somewhere, and so do the scripts and tests that they name."""
from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(p for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("test/**/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_paths(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [l.partition("#")[0] for l in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in l]
    assert [l for l in links if l and not (page.parent / l).exists()] == []
    named = re.findall(r"(?<![\w/.])((?:scripts|test/(?:e2e|python|models)|cmake)/[\w./-]*\w)", text)
    assert [n for n in named if not (ROOT / n).exists()] == []


@pytest.mark.parametrize("name", ["compile", "run", "chat", "bench", "inspect", "debug"])
def test_commands_have_help(name: str) -> None:
    done = subprocess.run([sys.executable, "-m", "mxn", name, "--help"], capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0 and f"mxn {name}" in done.stdout
