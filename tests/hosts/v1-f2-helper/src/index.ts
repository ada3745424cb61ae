import { WhatsAppChannel } from './channels/whatsapp.js';
import { obey } from './list.js';
import { log } from './log.js';

async function main(): Promise<void> {
	const channel = new WhatsAppChannel((chat, text) => {
		const reply = obey(text);
		if (!reply) return;
		channel
			.sendMessage(chat, reply)
			.catch((err) => log.error({ err }, 'Could not reply'));
	});

	for (const signal of ['SIGINT', 'SIGTERM'] as const) {
		process.once(signal, async () => {
			await channel.disconnect();
			process.exit(0);
		});
	}

	await channel.connect();
	log.info({}, 'Larder is listening');
}

main().catch((err) => {
	log.error({ err: String(err) }, 'Larder did not start');
	process.exit(1);
});
