import path from 'path'

export const STORE_DIR = path.resolve(process.cwd(), 'store')
export const POLL_INTERVAL = 2000
export const TRIGGER = /^tide\b/i
