import { monitor } from './monitor.js';
import { login } from './login.js';

await (process.argv[2] === 'login' ? login() : monitor());
