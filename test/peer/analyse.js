// What the official KQL analyser says of queries: JSON lines {"id","query"} in, one
// verdict a line out: {"id","ok","columns","diagnostics":[{code,severity,message,start,line,column}]}.
// Only errors count against `ok`. Usage: node analyse.js [--schemas FILE] [FILE]
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');
const zlib = require('zlib');

// The package is one script for browsers: it is evaluated as a module, and leaves a global.
function load() {
  try {
    require('@kusto/language-service-next/bridge.js');
    require('@kusto/language-service-next/Kusto.Language.Bridge.js');
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    console.error('the analyser is not installed; run ' + path.join(__dirname, 'install'));
    process.exit(2);
  }
  return global.Kusto.Language;
}

function quoted(name) {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : "['" + name + "']";
}

// {"Table": {"columns": [["Name", "type"], ...]}} as one database.
function declare(language, schemas) {
  const { TableSymbol, DatabaseSymbol } = language.Symbols;
  const tables = Object.entries(schemas).map(([name, { columns }]) => {
    // A name twice would be an error of the declaration, not of the query.
    const seen = new Set();
    const unique = columns.filter(([column]) => !seen.has(column) && seen.add(column));
    const text = unique.map(([column, type]) => quoted(column) + ': ' + type).join(', ');
    return TableSymbol.From('(' + text + ')').WithName(name);
  });
  const database = new DatabaseSymbol.$ctor1('db', tables, false);
  return language.GlobalState.Default.WithDatabase(database);
}

function position(text, offset) {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const inLine = before.slice(before.lastIndexOf('\n') + 1);
  return { start: offset, line, column: [...inLine].length + 1 };
}

function analyse(language, globals, query) {
  const code = language.KustoCode.ParseAndAnalyze(query, globals);
  const list = code.GetDiagnostics();
  const diagnostics = [];
  for (let i = 0; i < list.Count; i++) {
    const d = list.getItem(i);
    diagnostics.push({
      code: d.Code, severity: d.Severity, message: d.Message, ...position(query, d.Start),
    });
  }
  const ok = !diagnostics.some((d) => d.severity === 'Error');
  return { ok, columns: ok ? columnsOf(code.ResultType) : undefined, diagnostics };
}

// The result's columns as "name:type"; none when it is no table.
function columnsOf(type) {
  if (!type || !type.Columns) return undefined;
  const columns = [];
  for (let i = 0; i < System.Array.getCount(type.Columns); i++) {
    const column = System.Array.getItem(type.Columns, i);
    columns.push(column.Name + ':' + column.Type.Name);
  }
  return columns;
}

async function main() {
  const args = process.argv.slice(2);
  let schemas = {};
  if (args[0] === '--schemas') {
    schemas = JSON.parse(fs.readFileSync(args[1], 'utf8'));
    args.splice(0, 2);
  }
  const language = load();
  const globals = declare(language, schemas);
  let input = args[0] ? fs.createReadStream(args[0]) : process.stdin;
  if (args[0] && args[0].endsWith('.gz')) input = input.pipe(zlib.createGunzip());
  for await (const line of readline.createInterface({ input })) {
    if (!line.trim()) continue;
    const { id, query } = JSON.parse(line);
    try {
      console.log(JSON.stringify({ id, ...analyse(language, globals, query) }));
    } catch (error) {
      // The analyser itself fails on a few wrong queries: no verdict, said aloud.
      console.error(id + ': the analyser gave up: ' + String(error && (error.message || error.Message || error)));
    }
  }
}

main();
