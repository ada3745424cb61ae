import { createBell } from "./bot.ts"
import { ring } from "../../post/src/post.ts"

const { bell, start } = createBell((chat, text) => {
  const asked = /^ferry in (\d+)/.exec(text)
  if (asked) void bell.send(chat, ring(Number(asked[1])))
})

process.once("SIGTERM", () => {
  bell.stop()
  process.exit(0)
})

start().catch(err => {
  console.error("Ferrybell failed to start", err)
  process.exit(1)
})
