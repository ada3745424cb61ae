import { EventEmitter } from "events";
import { createRequire } from "module";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

// The bot is CommonJS: Node loads it, and what it requires is put in Node's cache.
const require = createRequire(import.meta.url);

process.env.GANNET_DATA = "/tmp/gannet-test-store/data";

let bus;
let sock;

function fake(name, exports) {
  const filename = require.resolve(name);
  require.cache[filename] = { id: filename, filename, loaded: true, exports };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(process, "exit").mockReturnValue(undefined);
  vi.spyOn(console, "log").mockReturnValue(undefined);
  vi.spyOn(console, "warn").mockReturnValue(undefined);
  vi.spyOn(console, "error").mockReturnValue(undefined);
  bus = new EventEmitter();
  sock = { ev: bus, end: vi.fn(), sendMessage: vi.fn() };
  fake("@whiskeysockets/baileys", {
    default: () => sock,
    DisconnectReason: { loggedOut: 401 },
    useMultiFileAuthState: async () => ({ state: {}, saveCreds: vi.fn() }),
  });
  delete require.cache[require.resolve("./bot.js")];
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function start() {
  require("./bot.js").startSock();
  await vi.advanceTimersByTimeAsync(0);
}

it("signs people on once it is open", async () => {
  await start();
  bus.emit("connection.update", { connection: "open" });
  const key = { remoteJid: "7@g.us" };
  const message = { conversation: "aboard" };
  bus.emit("messages.upsert", {
    messages: [{ key, message, pushName: "Ann" }],
  });
  await vi.advanceTimersByTimeAsync(0);
  expect(sock.sendMessage).toHaveBeenCalledWith("7@g.us", {
    text: "Ann is aboard, 7 seats left",
  });
});

it("says nothing to others", async () => {
  await start();
  const key = { remoteJid: "7@g.us", fromMe: true };
  const message = { conversation: "aboard" };
  bus.emit("messages.upsert", { messages: [{ key, message }] });
  await vi.advanceTimersByTimeAsync(0);
  expect(sock.sendMessage).not.toHaveBeenCalled();
});

it("stops when it was logged out", async () => {
  await start();
  const error = { output: { statusCode: 401 } };
  bus.emit("connection.update", {
    connection: "close",
    lastDisconnect: { error },
  });
  expect(process.exit).toHaveBeenCalled();
});
