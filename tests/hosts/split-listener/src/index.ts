import { openLine } from './line.js';

openLine().catch((err) => {
  console.error('Towpath could not start', err);
  process.exit(1);
});
