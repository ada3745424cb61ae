import asyncio
import sys
import types
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from otter.adapter import WhatsAppAdapter  # noqa: E402


@pytest.mark.parametrize("code", [1, 7, 23, 137])
def test_an_exit_is_worth_a_retry(code):
    adapter = WhatsAppAdapter()
    adapter._bridge_process = types.SimpleNamespace(poll=lambda: code, returncode=code)
    asyncio.run(adapter.check())
    assert adapter.fatal[2] is True
