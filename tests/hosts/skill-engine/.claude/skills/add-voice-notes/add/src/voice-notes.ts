import { execFile } from 'child_process';
import { promisify } from 'util';

const command = process.env.TRELLIS_TRANSCRIBE || 'transcribe';

/** The words of a voice note that lies at a URL. */
export async function transcribe(url: string): Promise<string> {
  const { stdout } = await promisify(execFile)(command, [url]);
  return stdout.trim();
}
