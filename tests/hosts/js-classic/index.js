const path = require('path')

const {
  default: makeWASocket,
  DisconnectReason,
  useMultiFileAuthState
} = require('@whiskeysockets/baileys')
const { Boom } = require('@hapi/boom')

const { windName } = require('./lib/wind')

const sessionFolder = path.join(process.env.SKUA_HOME || __dirname, 'session')

async function readMessage(skua, message) {
  const from = message.key.remoteJid
  const text = message.message?.conversation || ''
  if (message.key.fromMe || !text.startsWith('.wind ')) return
  await skua.sendMessage(from, { text: `That is ${windName(Number(text.slice(6)))}` })
}

async function startSkua() {
  const { state, saveCreds } = await useMultiFileAuthState(sessionFolder)

  const skua = makeWASocket({
    printQRInTerminal: true,
    browser: ['Skua', 'Safari', '1.0.0'],
    auth: state
  })

  skua.ev.on('messages.upsert', async ({ messages }) => {
    try {
      await readMessage(skua, messages[0])
    } catch (err) {
      console.log('Not answered:', err)
    }
  })

  skua.ev.on('connection.update', async (update) => {
    const { connection, lastDisconnect } = update
    if (connection === 'close') {
      let reason = new Boom(lastDisconnect?.error)?.output.statusCode
      if (reason === DisconnectReason.badSession) {
        console.log('Bad session file, please delete the session and link again')
        skua.logout()
      } else if (reason === DisconnectReason.connectionClosed) {
        console.log('Connection closed, reconnecting...')
        startSkua()
      } else if (reason === DisconnectReason.connectionLost) {
        console.log('Connection lost, reconnecting...')
        startSkua()
      } else if (reason === DisconnectReason.connectionReplaced) {
        console.log('Connection replaced, close the other session first')
        skua.logout()
      } else if (reason === DisconnectReason.loggedOut) {
        console.log('Logged out, please link again')
        process.exit()
      } else if (reason === DisconnectReason.restartRequired) {
        console.log('Restart required, restarting...')
        startSkua()
      } else if (reason === DisconnectReason.timedOut) {
        console.log('Connection timed out, reconnecting...')
        startSkua()
      } else {
        console.log(`Unknown reason: ${reason}`)
        startSkua()
      }
    } else if (connection === 'open') {
      console.log('Skua is in the air')
    }
  })

  skua.ev.on('creds.update', saveCreds)

  return skua
}

startSkua()
