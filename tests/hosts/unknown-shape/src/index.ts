import { run } from './line.js';

const end = await run();
console.log('the line ended:', end);
