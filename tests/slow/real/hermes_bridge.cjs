// A WhatsApp bridge as hermes-agent starts one: --port, GET /health, GET /messages. What it does
// is in BRIDGE_WAY: "exit:1" at once, "connecting:5000:1" says that it connects and then exits
// with 1 after 5 s of the driver's time, "connected:5000:77" has been connected until then.
const http = require('node:http');
const fs = require('node:fs');

const note = () => fs.appendFileSync(process.env.BRIDGE_STARTS, `${process.pid}\n`);
const [status, ...rest] = process.env.BRIDGE_WAY.split(':');
if (status === 'exit') {
  note();
  process.exit(Number(rest[0]));
}
const [ms, code] = rest.map(Number);
const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
http
  .createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/health' ? { status } : []));
  })
  .listen(port, '127.0.0.1', () => {
    note();
    setTimeout(() => process.exit(code), ms / Number(process.env.TIME_SCALE));
  });
