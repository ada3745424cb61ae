import path from 'path';

export const STORE_DIR = path.resolve(process.cwd(), 'store');
export const ROSTER_HOUR = Number(process.env.TRELLIS_HOUR || 7);
