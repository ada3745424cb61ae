/** Frames the text of a QR code; a terminal with a camera app does the rest. */
export function frame(qr: string): string {
  const rule = '+' + '-'.repeat(qr.length + 2) + '+';
  return [rule, `| ${qr} |`, rule].join('\n');
}
