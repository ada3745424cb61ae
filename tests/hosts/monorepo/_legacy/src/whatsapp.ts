// Ferrybell 1.x, kept until every pier has moved to 2.x.
import makeWASocket, { DisconnectReason, useMultiFileAuthState } from "@whiskeysockets/baileys"

import { answer } from "./answer"

let sock: any

async function startBot() {
  const { state, saveCreds } = await useMultiFileAuthState("auth")
  sock = makeWASocket({ auth: state, printQRInTerminal: true })
  sock.ev.on("creds.update", saveCreds)
  sock.ev.on("connection.update", (update: any) => {
    const { connection, lastDisconnect } = update
    if (connection === "close") {
      const shouldReconnect = lastDisconnect?.error?.output?.statusCode !== DisconnectReason.loggedOut
      console.log("connection closed due to ", lastDisconnect.error, ", reconnecting ", shouldReconnect)
      if (shouldReconnect) {
        startBot()
      }
    } else if (connection === "open") {
      console.log("opened connection")
    }
  })
  sock.ev.on("messages.upsert", async (m: any) => {
    await sock.sendMessage(m.messages[0].key.remoteJid, { text: answer(m.messages[0]) })
  })
}

startBot()
