import { EventEmitter } from 'events'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

vi.mock('./config.js', () => ({
  STORE_DIR: '/tmp/tidewatch-test-store',
  POLL_INTERVAL: 2000,
  TRIGGER: /^tide\b/i,
}))

vi.mock('./logger.js', () => ({
  logger: { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() },
}))

vi.mock('fs', async () => {
  const actual = await vi.importActual<typeof import('fs')>('fs')
  return {
    ...actual,
    default: { ...actual, existsSync: vi.fn(() => true), mkdirSync: vi.fn() },
  }
})

vi.mock('child_process', () => ({ exec: vi.fn() }))

function createFakeSocket() {
  const bus = new EventEmitter()
  return {
    ev: {
      on: (event: string, handler: (...args: unknown[]) => void) => {
        bus.on(event, handler)
      },
    },
    groupFetchAllParticipating: vi.fn().mockResolvedValue({}),
    sendMessage: vi.fn().mockResolvedValue(undefined),
    bus,
  }
}

let socket: ReturnType<typeof createFakeSocket>

vi.mock('@whiskeysockets/baileys', () => ({
  default: vi.fn(() => socket),
  DisconnectReason: { loggedOut: 401 },
  makeCacheableSignalKeyStore: vi.fn((keys: unknown) => keys),
  useMultiFileAuthState: vi.fn(async () => ({
    state: { creds: {}, keys: {} },
    saveCreds: vi.fn(),
  })),
}))

// The program starts when it is imported: every test gets a new one.
async function start() {
  vi.resetModules()
  await import('./index.js')
  await vi.advanceTimersByTimeAsync(0)
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
  socket = createFakeSocket()
})

afterEach(() => {
  vi.mocked(process.exit).mockRestore()
  vi.clearAllTimers()
  vi.useRealTimers()
})

it('answers once the connection is open', async () => {
  await start()
  socket.bus.emit('connection.update', { connection: 'open' })
  socket.bus.emit('messages.upsert', {
    messages: [{ key: { remoteJid: '7@g.us' }, message: { conversation: 'Tide?' } }],
  })
  await vi.advanceTimersByTimeAsync(4000)
  expect(socket.sendMessage).toHaveBeenCalledTimes(1)
  expect(socket.sendMessage).toHaveBeenCalledWith('7@g.us', {
    text: expect.stringMatching(/^Next high water: \d\d:\d\d UTC$/),
  })
})

it('keeps quiet about anything else', async () => {
  await start()
  socket.bus.emit('connection.update', { connection: 'open' })
  socket.bus.emit('messages.upsert', {
    messages: [{ key: { remoteJid: '7@g.us' }, message: { conversation: 'hello' } }],
  })
  await vi.advanceTimersByTimeAsync(4000)
  expect(socket.sendMessage).not.toHaveBeenCalled()
})

it('stops with 0 when the phone logged it out', async () => {
  await start()
  socket.bus.emit('connection.update', {
    connection: 'close',
    lastDisconnect: { error: { output: { statusCode: 401 } } },
  })
  expect(process.exit).toHaveBeenCalledWith(0)
})

it('stops with 1 when it has to be paired', async () => {
  await start()
  socket.bus.emit('connection.update', { qr: '2@jkl' })
  await vi.advanceTimersByTimeAsync(1500)
  expect(process.exit).toHaveBeenCalledWith(1)
})
