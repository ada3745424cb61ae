import { exec } from 'child_process'
import fs from 'fs'
import path from 'path'

import makeWASocket, {
  DisconnectReason,
  WASocket,
  makeCacheableSignalKeyStore,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys'

import { POLL_INTERVAL, STORE_DIR, TRIGGER } from './config.js'
import { logger } from './logger.js'
import { nextHighWater } from './tides.js'

interface Question {
  chat: string
  at: Date
}

const KNOWN_HIGH_WATER = new Date('2026-01-01T04:10:00Z')

let sock: WASocket
let loopRunning = false
const questions: Question[] = []
const names: Record<string, string> = {}

async function syncGroupNames(): Promise<void> {
  const groups = await sock.groupFetchAllParticipating()
  for (const [jid, group] of Object.entries(groups)) {
    names[jid] = group.subject
  }
  logger.info({ count: Object.keys(names).length }, 'Group names are up to date')
}

async function sendMessage(jid: string, text: string): Promise<void> {
  try {
    await sock.sendMessage(jid, { text })
  } catch (err) {
    logger.error({ jid, err }, 'Answer was not sent')
  }
}

async function connectWhatsApp(): Promise<void> {
  const authDir = path.join(STORE_DIR, 'auth')
  fs.mkdirSync(authDir, { recursive: true })

  const { state, saveCreds } = await useMultiFileAuthState(authDir)

  sock = makeWASocket({
    auth: {
      creds: state.creds,
      keys: makeCacheableSignalKeyStore(state.keys, logger),
    },
    printQRInTerminal: false,
    logger,
    browser: ['Tidewatch', 'Chrome', '1.0.0'],
  })

  sock.ev.on('connection.update', (update) => {
    const { connection, lastDisconnect, qr } = update

    if (qr) {
      const msg = 'Tidewatch has to be paired with a phone'
      logger.error(msg)
      if (process.platform === 'darwin') {
        exec(`osascript -e 'display notification "${msg}" with title "Tidewatch"'`)
      }
      setTimeout(() => process.exit(1), 1000)
    }

    if (connection === 'close') {
      const reason = (lastDisconnect?.error as any)?.output?.statusCode
      const shouldReconnect = reason !== DisconnectReason.loggedOut
      logger.info({ reason, shouldReconnect }, 'Connection lost')

      if (shouldReconnect) {
        logger.info('Connecting anew')
        connectWhatsApp()
      } else {
        logger.info('The phone logged us out')
        process.exit(0)
      }
    } else if (connection === 'open') {
      logger.info('Connection is there')

      syncGroupNames().catch((err) => logger.error({ err }, 'Group names were not read'))

      startMessageLoop()
    }
  })

  sock.ev.on('creds.update', saveCreds)

  sock.ev.on('messages.upsert', ({ messages }) => {
    for (const msg of messages) {
      const chat = msg.key.remoteJid
      const text = msg.message?.conversation || ''
      if (!chat || msg.key.fromMe || !TRIGGER.test(text)) continue
      questions.push({ chat, at: new Date() })
    }
  })
}

async function startMessageLoop(): Promise<void> {
  if (loopRunning) return
  loopRunning = true
  logger.info('Tidewatch is answering')

  while (true) {
    for (const { chat, at } of questions.splice(0)) {
      const high = nextHighWater(KNOWN_HIGH_WATER, at)
      await sendMessage(chat, `Next high water: ${high.toISOString().slice(11, 16)} UTC`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL))
  }
}

async function main(): Promise<void> {
  await connectWhatsApp()
}

main().catch((err) => {
  logger.error({ err }, 'Tidewatch failed to start')
  process.exit(1)
})
