import path from 'path';

export const BOT_NAME = process.env.HERON_NAME || 'Heron';
export const STORE_DIR = path.resolve(process.cwd(), 'store');
export const TICK_MS = 30_000;
