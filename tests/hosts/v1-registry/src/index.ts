import { answer } from "./berths.js";
import "./channels/index.js";
import {
  getChannelFactory,
  getRegisteredChannelNames,
} from "./channels/registry.js";
import { logger } from "./logger.js";
import { Channel } from "./types.js";

const channels: Channel[] = [];

function onText(from: string, text: string): void {
  const reply = answer(from, text);
  const channel = channels.find((c) => c.owns(from));
  if (!reply || !channel) return;
  channel.sendMessage(from, reply).catch((err) => {
    logger.error({ err, from }, "Reply was not sent");
  });
}

async function main(): Promise<void> {
  const shutdown = async (signal: string) => {
    logger.info({ signal }, "Shutting down");
    for (const channel of channels) await channel.disconnect();
    process.exit(0);
  };
  process.on("SIGTERM", () => shutdown("SIGTERM"));
  process.on("SIGINT", () => shutdown("SIGINT"));

  // One after the other, in the order of registration
  for (const name of getRegisteredChannelNames()) {
    const channel = getChannelFactory(name)!({ onText });
    if (!channel) {
      logger.warn({ name }, "No credentials, channel left out");
      continue;
    }
    channels.push(channel);
    await channel.connect();
  }
  if (channels.length === 0) {
    logger.fatal("Not one channel has credentials");
    process.exit(1);
  }
  logger.info({ channels: channels.map((c) => c.name) }, "Quayside is open");
}

main().catch((err) => {
  logger.error({ err }, "Quayside could not open");
  process.exit(1);
});
