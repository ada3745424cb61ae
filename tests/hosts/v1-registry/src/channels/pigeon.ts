import { PIGEON_TOKEN, PIGEON_URL } from "../config.js";
import { logger } from "../logger.js";
import { Channel } from "../types.js";
import { ChannelOpts, registerChannel } from "./registry.js";

const POLL_MS = 5000;

interface Letter {
  id: number;
  from: string;
  text: string;
}

/** A bot messenger that is polled over HTTP. */
export class PigeonChannel implements Channel {
  name = "pigeon";

  private timer: NodeJS.Timeout | undefined;
  private lastId = 0;

  constructor(
    private token: string,
    private opts: ChannelOpts,
  ) {}

  async connect(): Promise<void> {
    this.timer = setInterval(() => {
      this.poll().catch((err) => logger.warn({ err }, "Poll failed"));
    }, POLL_MS);
    logger.info("Pigeon is polling");
  }

  private async poll(): Promise<void> {
    const url = `${PIGEON_URL}/${this.token}/letters?after=${this.lastId}`;
    const letters = (await (await fetch(url)).json()) as Letter[];
    for (const letter of letters) {
      this.lastId = letter.id;
      this.opts.onText(`pigeon:${letter.from}`, letter.text);
    }
  }

  async sendMessage(to: string, text: string): Promise<void> {
    const body = JSON.stringify({ to: to.slice("pigeon:".length), text });
    await fetch(`${PIGEON_URL}/${this.token}/send`, { method: "POST", body });
  }

  isConnected(): boolean {
    return this.timer !== undefined;
  }

  owns(to: string): boolean {
    return to.startsWith("pigeon:");
  }

  async disconnect(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

registerChannel("pigeon", (opts) =>
  PIGEON_TOKEN ? new PigeonChannel(PIGEON_TOKEN, opts) : null,
);
