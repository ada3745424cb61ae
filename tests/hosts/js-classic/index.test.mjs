import { EventEmitter } from "events";
import { createRequire } from "module";

import { afterEach, beforeEach, expect, it, vi } from "vitest";

// The bot is CommonJS and starts when it is required: what it requires is put in Node's cache.
const require = createRequire(import.meta.url);

let bus;
let dials;
let sock;

function fake(name, exports) {
  const filename = require.resolve(name);
  require.cache[filename] = { id: filename, filename, loaded: true, exports };
}

beforeEach(async () => {
  process.env.SKUA_HOME = "/nowhere/skua";
  vi.useFakeTimers();
  vi.spyOn(process, "exit").mockReturnValue(undefined);
  vi.spyOn(console, "log").mockReturnValue(undefined);
  vi.spyOn(console, "warn").mockReturnValue(undefined);
  vi.spyOn(console, "error").mockReturnValue(undefined);
  bus = new EventEmitter();
  dials = 0;
  sock = { ev: bus, end: vi.fn(), logout: vi.fn(), sendMessage: vi.fn() };
  fake("@whiskeysockets/baileys", {
    default: () => {
      dials += 1;
      bus.removeAllListeners();
      return sock;
    },
    DisconnectReason: {
      badSession: 500,
      connectionClosed: 428,
      connectionLost: 408,
      connectionReplaced: 440,
      loggedOut: 401,
      restartRequired: 515,
      timedOut: 408,
    },
    useMultiFileAuthState: async () => ({ state: {}, saveCreds: vi.fn() }),
  });
  fake("@hapi/boom", {
    Boom: class {
      constructor(error) {
        this.output = error.output;
      }
    },
  });
  delete require.cache[require.resolve("./index.js")];
  require("./index.js");
  await vi.advanceTimersByTimeAsync(0);
  bus.emit("connection.update", { connection: "open" });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function close(statusCode) {
  const error = { output: { statusCode } };
  bus.emit("connection.update", {
    connection: "close",
    lastDisconnect: { error },
  });
  await vi.advanceTimersByTimeAsync(16_000);
}

it("tells the wind", async () => {
  const key = { remoteJid: "5@g.us" };
  const message = { conversation: ".wind 4" };
  bus.emit("messages.upsert", { messages: [{ key, message }] });
  await vi.advanceTimersByTimeAsync(0);
  expect(sock.sendMessage).toHaveBeenCalledWith("5@g.us", {
    text: "That is a moderate breeze",
  });
});

it.each([428, 408, 515])("is back after %i", async (code) => {
  await close(code);
  expect(dials).toBe(2);
});

it("stops when it was logged out", async () => {
  await close(401);
  expect(process.exit).toHaveBeenCalled();
  expect(dials).toBe(1);
});
