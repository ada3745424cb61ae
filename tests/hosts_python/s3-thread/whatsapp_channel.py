"""WhatsApp for a robot: the client has a thread of its own."""
import logging
import threading

from neonize.client import NewClient
from neonize.events import ConnectedEv, LoggedOutEv, MessageEv

logger = logging.getLogger("robot")


class WhatsAppChannel:
	name = 'whatsapp'

	def __init__(self, path):
		self._client = None
		self._path = path
		self._connected = False

	async def start(self):
		self._client = NewClient(self._path)

		@self._client.event(ConnectedEv)
		def _on_connected(client, event):
			self._connected = True

		@self._client.event(LoggedOutEv)
		def _on_logged_out(_, __):
			self._connected = False
			logger.error('logged out: link the robot again')

		@self._client.event(MessageEv)
		def _on_message(client, message):
			logger.info('got %s', message)

		self._thread = threading.Thread(target=self._run, daemon=True)
		self._thread.start()

	def _run(self):
		self._client.connect()
