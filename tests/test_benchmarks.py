"""Test the bound on memory in a separate process. Time is not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

MEMORY = Path(__file__).parents[1] / "examples" / "benchmarks" / "memory.py"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="reads peak memory from Linux's /proc")
def test_necessity_of_38_tiles_at_enformer_length_raises_memory_by_less_than_300_mb() -> None:
    shown = subprocess.run([sys.executable, str(MEMORY)], check=True, capture_output=True, text=True).stdout
    measured = json.loads(shown)
    assert measured["tiles"] == 38
    assert measured["rise_mb"] < 300
