import { EventEmitter } from "events"

import { afterEach, beforeEach, expect, it, vi } from "vitest"

vi.mock("./settings.ts", () => ({ authFolder: "/tmp/ferrybell-test-store/auth", maxDelay: 60_000 }))

const bus = new EventEmitter()
const sock = { ev: bus, end: vi.fn(), sendMessage: vi.fn() }

vi.mock("@whiskeysockets/baileys", () => ({
  makeWASocket: vi.fn(() => sock),
  DisconnectReason: { loggedOut: 401 },
  useMultiFileAuthState: vi.fn(async () => ({ state: { creds: {}, keys: {} }, saveCreds: vi.fn() })),
}))

const { createBell } = await import("./bot.ts")

beforeEach(() => {
  vi.useFakeTimers()
  bus.removeAllListeners()
  vi.clearAllMocks()
})

afterEach(() => {
  vi.useRealTimers()
})

it("hears and answers", async () => {
  const heard = vi.fn()
  const { bell, start } = createBell(heard)
  void start()
  await vi.advanceTimersByTimeAsync(0)
  bus.emit("connection.update", { connection: "open" })
  bus.emit("messages.upsert", { messages: [{ key: { remoteJid: "1@g.us" }, message: { conversation: "ferry" } }] })
  expect(heard).toHaveBeenCalledWith("1@g.us", "ferry")
  await bell.send("1@g.us", "Run!")
  expect(sock.sendMessage).toHaveBeenCalledWith("1@g.us", { text: "Run!" })
  bell.stop()
})

it("ends the link when it is stopped", async () => {
  const { bell, start } = createBell(vi.fn())
  void start()
  await vi.advanceTimersByTimeAsync(0)
  bell.stop()
  expect(sock.end).toHaveBeenCalledTimes(1)
})
