import path from 'path';

export const STORE_DIR = path.resolve(process.cwd(), 'store');
