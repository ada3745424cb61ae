export const AUTH_DIR = process.env.LANTERN_AUTH ?? 'store/auth';
export const STREET = process.env.LANTERN_STREET ?? '';
