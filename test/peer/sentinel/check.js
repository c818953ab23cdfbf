// Reads an exported template with Microsoft's own code: each rule goes through the SDK of Sentinel, which
// checks types and wanted members and drops what it does not know; what it would send must be what the
// template says. With --queries FILE the query of each rule, with the functions it depends on, is written
// as JSON lines for ../analyse.js. Usage: node check.js TEMPLATE.json [--queries FILE]
'use strict';
const assert = require('assert');
const fs = require('fs');
const { SecurityInsights } = require('@azure/arm-securityinsight');

// Members of later versions of the interface than the SDK's.
const LATER = ['subTechniques', 'sentinelEntitiesMappings'];

// A literal that is in brackets begins with two of them; an expression here would be a mistake.
function literal(value) {
  if (Array.isArray(value)) return value.map(literal);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, literal(inner)]));
  }
  if (typeof value !== 'string' || !value.startsWith('[') || !value.endsWith(']')) return value;
  assert(value.startsWith('[['), 'an expression where a text belongs: ' + value.slice(0, 60));
  return value.slice(1);
}

// What the SDK would send of the rule.
async function sent(name, kind, properties) {
  let body;
  const client = new SecurityInsights(
    { getToken: async () => ({ token: 'none', expiresOnTimestamp: Date.now() + 3600000 }) },
    '00000000-0000-0000-0000-000000000000',
    {
      httpClient: {
        sendRequest: async (request) => {
          body = JSON.parse(request.body);
          return { request, status: 200, headers: request.headers, bodyAsText: request.body };
        },
      },
    },
  );
  await client.alertRules.createOrUpdate('group', 'workspace', name, { kind, ...properties });
  return body;
}

async function checkRule(resource) {
  const name = resource.name.match(/\/Microsoft\.SecurityInsights\/([0-9a-f-]{36})'\)\]$/)[1];
  const properties = literal(resource.properties);
  const wanted = { ...properties };
  for (const member of LATER) delete wanted[member];
  const body = await sent(name, resource.kind, properties);
  assert.deepStrictEqual(body, { kind: resource.kind, properties: wanted }, name);
}

// Functions as let statements, each after those that its text names.
function lets(names, functions, done) {
  let text = '';
  for (const name of names) {
    if (done.has(name)) continue;
    done.add(name);
    const { query, functionParameters } = functions[name];
    const inner = Object.keys(functions).filter((other) => new RegExp('\\b' + other + '\\b').test(query));
    text += lets(inner, functions, done);
    text += 'let ' + name + ' = (' + (functionParameters || '') + ') {\n' + query + '\n};\n';
  }
  return text;
}

async function main() {
  const [file, option, queries] = process.argv.slice(2);
  const { resources } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const functions = {};
  const lines = [];
  let rules = 0;
  for (const { type, properties } of resources) {
    if (type.endsWith('/savedSearches')) functions[properties.functionAlias] = literal(properties);
  }
  for (const resource of resources) {
    if (!resource.type.endsWith('/alertRules')) continue;
    await checkRule(resource);
    rules++;
    const names = (resource.dependsOn || []).map((text) => text.match(/'(\w+)'\)\]$/)[1]);
    const query = lets(names, functions, new Set()) + literal(resource.properties.query);
    lines.push(JSON.stringify({ id: resource.properties.displayName, query }));
  }
  if (option === '--queries') fs.writeFileSync(queries, lines.join('\n') + '\n');
  console.log(rules + ' rules are what the SDK sends, ' + Object.keys(functions).length + ' functions');
}

main().catch((error) => {
  console.error(error.message || error);
  process.exit(1);
});
