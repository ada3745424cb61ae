import { makeWASocket, DisconnectReason, useMultiFileAuthState, type WASocket } from "@whiskeysockets/baileys"
import { pino } from "pino"

import { authFolder, maxDelay } from "./settings.ts"

export interface Bell {
  send(chat: string, text: string): Promise<void>
  stop(): void
}

export function createBell(onText: (chat: string, text: string) => void) {
  const log = pino({ name: "ferrybell" })
  let sock: WASocket | undefined
  let stopping = false
  let delay = 1000

  async function connect(): Promise<void> {
    const { state, saveCreds } = await useMultiFileAuthState(authFolder)
    sock = makeWASocket({ auth: state, logger: log })

    sock.ev.on("creds.update", saveCreds)

    sock.ev.on("connection.update", update => {
      if (update.connection === "open") {
        delay = 1000
        log.info("The bell hangs")
      }
      if (update.connection === "close") {
        const error = update.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined
        const status = error?.output?.statusCode
        if (status === DisconnectReason.loggedOut) {
          log.error("Logged out, the bell stays silent")
          return
        }
        if (stopping) return
        log.warn({ status, delay }, "Connection lost")
        setTimeout(() => {
          connect().catch(err => log.error({ err }, "Could not connect"))
        }, delay)
        delay = Math.min(delay * 2, maxDelay)
      }
    })

    sock.ev.on("messages.upsert", ({ messages }) => {
      for (const { key, message } of messages) {
        if (key.remoteJid && message?.conversation) onText(key.remoteJid, message.conversation)
      }
    })
  }

  const bell: Bell = {
    async send(chat, text) {
      await sock?.sendMessage(chat, { text })
    },
    stop() {
      stopping = true
      sock?.end(undefined)
    },
  }
  return { bell, start: connect }
}
