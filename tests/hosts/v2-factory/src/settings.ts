/** Read anew each time, so that tests can set them. */
export function setting(name: 'WHATSAPP_PHONE' | 'WHATSAPP_QR' | 'MAILBOX_DIR'): string | undefined {
  return process.env[name] || undefined;
}
