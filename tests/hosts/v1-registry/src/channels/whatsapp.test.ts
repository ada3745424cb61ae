import { EventEmitter } from "events";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

vi.mock("../config.js", () => ({ STORE_DIR: "/tmp/quayside-test-store" }));

vi.mock("../logger.js", () => ({
  logger: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}));

vi.mock("fs", async () => {
  const actual = await vi.importActual<typeof import("fs")>("fs");
  return {
    ...actual,
    default: {
      ...actual,
      existsSync: vi.fn(() => true),
      mkdirSync: vi.fn(),
    },
  };
});

function createFakeSocket() {
  const bus = new EventEmitter();
  return {
    ev: {
      on: (event: string, handler: (...args: unknown[]) => void) => {
        bus.on(event, handler);
      },
    },
    sendMessage: vi.fn().mockResolvedValue(undefined),
    end: vi.fn(),
    bus,
  };
}

let socket: ReturnType<typeof createFakeSocket>;

vi.mock("@whiskeysockets/baileys", () => ({
  default: vi.fn(() => socket),
  Browsers: { macOS: vi.fn(() => ["macOS", "Chrome", ""]) },
  DisconnectReason: { loggedOut: 401 },
  fetchLatestWaWebVersion: vi.fn().mockResolvedValue({ version: [2, 3000, 0] }),
  makeCacheableSignalKeyStore: vi.fn((keys: unknown) => keys),
  useMultiFileAuthState: vi.fn().mockResolvedValue({
    state: { creds: {}, keys: {} },
    saveCreds: vi.fn(),
  }),
}));

import { getChannelFactory } from "./registry.js";
import { WhatsAppChannel } from "./whatsapp.js";

const flush = () => new Promise((resolve) => setTimeout(resolve, 0));

function close(statusCode: number) {
  socket.bus.emit("connection.update", {
    connection: "close",
    lastDisconnect: { error: { output: { statusCode } } },
  });
}

async function open(onText = vi.fn()): Promise<WhatsAppChannel> {
  const channel = new WhatsAppChannel({ onText });
  const ready = channel.connect();
  await flush();
  socket.bus.emit("connection.update", { connection: "open" });
  await ready;
  return channel;
}

describe("WhatsAppChannel", () => {
  beforeEach(() => {
    socket = createFakeSocket();
  });

  afterEach(() => {
    vi.clearAllMocks();
  });

  it("registers itself", () => {
    const channel = getChannelFactory("whatsapp")!({ onText: vi.fn() });
    expect(channel?.name).toBe("whatsapp");
  });

  it("connect() settles with the first open", async () => {
    expect((await open()).isConnected()).toBe(true);
  });

  it("passes texts on and leaves its own out", async () => {
    const onText = vi.fn();
    await open(onText);
    const key = { remoteJid: "31@s.whatsapp.net" };
    socket.bus.emit("messages.upsert", {
      messages: [
        { key, message: { conversation: "book 4" } },
        { key: { ...key, fromMe: true }, message: { conversation: "echo" } },
      ],
    });
    expect(onText).toHaveBeenCalledTimes(1);
    expect(onText).toHaveBeenCalledWith("31@s.whatsapp.net", "book 4");
  });

  it("is not connected after a drop, and keeps what it cannot send", async () => {
    const channel = await open();
    close(428);
    expect(channel.isConnected()).toBe(false);
    await channel.sendMessage("31@s.whatsapp.net", "berth 4 is yours");
    expect(socket.sendMessage).not.toHaveBeenCalled();
  });

  it("exits 0 when logged out", async () => {
    const exit = vi
      .spyOn(process, "exit")
      .mockImplementation(() => undefined as never);
    await open();
    close(401);
    expect(exit).toHaveBeenCalledWith(0);
    exit.mockRestore();
  });

  it("stays quiet about closes after disconnect()", async () => {
    const exit = vi
      .spyOn(process, "exit")
      .mockImplementation(() => undefined as never);
    const channel = await open();
    await channel.disconnect();
    close(401);
    expect(socket.end).toHaveBeenCalled();
    expect(exit).not.toHaveBeenCalled();
    exit.mockRestore();
  });

  it("exits 1 shortly after a QR code", async () => {
    vi.useFakeTimers();
    const exit = vi
      .spyOn(process, "exit")
      .mockImplementation(() => undefined as never);
    new WhatsAppChannel({ onText: vi.fn() }).connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(0);
    socket.bus.emit("connection.update", { qr: "2@def" });
    await vi.advanceTimersByTimeAsync(1500);
    expect(exit).toHaveBeenCalledWith(1);
    exit.mockRestore();
    vi.useRealTimers();
  });
});
