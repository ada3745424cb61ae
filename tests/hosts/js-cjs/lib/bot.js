"use strict";

const path = require("path");

const {
  default: makeWASocket,
  DisconnectReason,
  useMultiFileAuthState,
} = require("@whiskeysockets/baileys");

const { Crew } = require("./crew");

const AUTH = path.join(process.env.GANNET_DATA || "data", "auth");

const crew = new Crew(8);
let sock = null;
let retries = 0;

async function startSock() {
  const { state, saveCreds } = await useMultiFileAuthState(AUTH);

  sock = makeWASocket({ auth: state, browser: ["Gannet", "Chrome", "1.0.0"] });

  sock.ev.on("creds.update", saveCreds);

  sock.ev.on("connection.update", async (update) => {
    const { connection, lastDisconnect } = update;
    if (connection === "close") {
      const code = lastDisconnect?.error?.output?.statusCode;
      if (code === DisconnectReason.loggedOut) {
        console.error("Gannet was logged out, link it again");
        process.exit(1);
      }
      retries += 1;
      console.warn(`Connection closed (${code}), retry ${retries}`);
      setTimeout(startSock, 3000);
    } else if (connection === "open") {
      retries = 0;
      console.log("Gannet is in the group");
    }
  });

  sock.ev.on("messages.upsert", async ({ messages }) => {
    for (const { key, message, pushName } of messages) {
      const text = message?.conversation || "";
      if (key.fromMe || !/^aboard\b/i.test(text)) continue;
      await sock.sendMessage(key.remoteJid, {
        text: crew.signOn(pushName || "Somebody"),
      });
    }
  });
}

module.exports = { startSock };
