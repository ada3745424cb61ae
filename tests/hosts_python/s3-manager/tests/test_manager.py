import asyncio
import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import neonize  # noqa: E402

package = sys.modules["neonize.aioze"]
package.client = sys.modules["neonize.aioze.client"]
package.events = sys.modules["neonize.aioze.events"]

from quay.channels.whatsapp import WhatsApp  # noqa: E402
from quay.manager import Manager  # noqa: E402


def test_runs_to_its_end_without_an_error():
    manager = Manager({"whatsapp": WhatsApp("x.db")})
    asyncio.run(manager.run())
    assert manager.errors == {}


def test_login_client_hears_no_messages():
    client = types.SimpleNamespace(heard=[])
    client.event = lambda kind: lambda handler: client.heard.append(kind.__name__)
    WhatsApp("x.db").register(client, messages=False)
    assert "MessageEv" not in client.heard
    assert neonize
