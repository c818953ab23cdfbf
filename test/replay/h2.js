// TLS and HTTP/2 before the services of replay.py: forwards each request to a plain port.
//
//   node h2.js CERT KEY PLAIN_PORT PORT_FILE [http1]
//
// GET /__h2 tells how many requests came by which version of HTTP, over how many connections, and
// the most streams that were open at once. With `http1` it speaks no HTTP/2.
'use strict';
const fs = require('fs');
const http = require('http');
const http2 = require('http2');
const https = require('https');

const [cert, key, plainPort, portFile, only] = process.argv.slice(2);
const seen = {requests: {}, connections: 0, open: 0, most: 0};
const agent = new http.Agent({keepAlive: true, maxSockets: 64});

function forward(request, response) {
  if (request.url === '/__h2') {
    response.writeHead(200, {'content-type': 'application/json'});
    response.end(JSON.stringify(seen));
    return;
  }
  seen.requests[request.httpVersion] = (seen.requests[request.httpVersion] || 0) + 1;
  seen.most = Math.max(seen.most, ++seen.open);
  const headers = {};
  for (const [name, value] of Object.entries(request.headers))
    if (!name.startsWith(':') && name !== 'connection') headers[name] = value;
  // Addresses of next pages are made of it.
  headers.host = request.headers[':authority'] || request.headers.host;
  headers['x-forwarded-proto'] = 'https';
  const onward = http.request(
    {host: '127.0.0.1', port: plainPort, method: request.method, path: request.url, headers, agent},
    answer => {
      delete answer.headers.connection;
      delete answer.headers['transfer-encoding'];
      delete answer.headers['keep-alive'];
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      answer.on('end', () => seen.open--);
    });
  onward.on('error', () => { seen.open--; response.destroy(); });
  request.pipe(onward);
}

const options = {cert: fs.readFileSync(cert), key: fs.readFileSync(key), allowHTTP1: true};
const server = only === 'http1' ? https.createServer(options, forward)
  : http2.createSecureServer(options, forward);
server.on('secureConnection', () => seen.connections++);
server.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(portFile + '.part', String(server.address().port));
  fs.renameSync(portFile + '.part', portFile);
});
