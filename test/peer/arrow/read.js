// What Apache Arrow's own reader finds in an IPC stream, as `azimuth query --format json` would
// write it: {"columns":[{"name","type"}],"rows":[[...]]} on standard output. Times and decimals are
// taken from the buffers, since the reader's own values of them lose digits.
//
//     node read.js FILE.arrow
'use strict';
const fs = require('fs');
const path = require('path');
const arrow = require(path.join(__dirname, 'node_modules', 'apache-arrow'));

const EPOCH = 621355968000000000n; // ticks of 1970
const SECOND = 10000000n;
const pad = (n, width) => n.toString().padStart(width, '0');

const ticks = (value, unit) => unit === arrow.TimeUnit.NANOSECOND ? value / 100n : value * 10n;

// Civil date of days since 1970, by Euclidean division (proleptic Gregorian).
function date(days) {
  let z = days + 719468n;
  const era = (z >= 0n ? z : z - 146096n) / 146097n;
  const doe = z - era * 146097n;
  const yoe = (doe - doe / 1460n + doe / 36524n - doe / 146096n) / 365n;
  const doy = doe - (365n * yoe + yoe / 4n - yoe / 100n);
  const mp = (5n * doy + 2n) / 153n;
  const month = mp < 10n ? mp + 3n : mp - 9n;
  const year = yoe + era * 400n + (month <= 2n ? 1n : 0n);
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(doy - (153n * mp + 2n) / 5n + 1n, 2)}`;
}

const clock = t =>
  `${pad(t / SECOND / 3600n, 2)}:${pad(t / SECOND / 60n % 60n, 2)}:${pad(t / SECOND % 60n, 2)}`;

function datetime(value, unit) {
  const t = ticks(value, unit) + EPOCH; // >= 0: year 1
  const day = SECOND * 86400n;
  return `${date(t / day - EPOCH / day)}T${clock(t % day)}.${pad(t % SECOND, 7)}Z`;
}

function timespan(value, unit) {
  let t = ticks(value, unit);
  const sign = t < 0n ? '-' : '';
  if (t < 0n) t = -t;
  const days = t / (SECOND * 86400n);
  const fraction = t % SECOND ? '.' + pad(t % SECOND, 7) : '';
  return `${sign}${days ? days + '.' : ''}${clock(t % (SECOND * 86400n))}${fraction}`;
}

function decimal(words, scale) {
  let value = 0n;
  for (let i = words.length; i--;) value = value << 32n | BigInt(words[i]);
  value = BigInt.asIntN(128, value);
  const sign = value < 0n ? '-' : '';
  const digits = pad(value < 0n ? -value : value, scale + 1);
  const whole = digits.slice(0, digits.length - scale);
  return sign + whole + (scale ? '.' + digits.slice(-scale) : '');
}

function guid(bytes) {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// A number that JSON.stringify leaves as it is written.
const raw = text => ({ toJSON: undefined, raw: text });

function cell(field, data, i) {
  if (data.nullCount && data.nullBitmap.length && !(data.nullBitmap[i >> 3] >> (i & 7) & 1))
    return null;
  const type = field.type, kusto = field.metadata.get('azimuth:type');
  if (arrow.DataType.isBool(type)) return (data.values[i >> 3] >> (i & 7) & 1) === 1;
  if (arrow.DataType.isInt(type)) return raw(data.values[i].toString());
  if (arrow.DataType.isFloat(type)) {
    const x = data.values[i];
    return Number.isFinite(x) ? x : String(x);
  }
  if (arrow.DataType.isDecimal(type))
    return decimal(data.values.subarray(i * 4, i * 4 + 4), type.scale);
  if (arrow.DataType.isTimestamp(type)) return datetime(data.values[i], type.unit);
  if (arrow.DataType.isDuration(type)) return timespan(data.values[i], type.unit);
  if (arrow.DataType.isFixedSizeBinary(type))
    return guid(data.values.subarray(i * 16, i * 16 + 16));
  const text = Buffer.from(data.values.subarray(data.valueOffsets[i], data.valueOffsets[i + 1]))
    .toString('utf8');
  return kusto === 'dynamic' ? raw(text) : text;
}

const write = value => value && value.raw !== undefined ? value.raw : JSON.stringify(value);

const reader = arrow.RecordBatchReader.from(fs.readFileSync(process.argv[2]));
reader.open();
const fields = reader.schema.fields;
const columns = fields.map(f => ({ name: f.name, type: f.metadata.get('azimuth:type') }));
const rows = [];
let batches = 0;
for (const batch of reader) {
  batches++;
  for (let i = 0; i < batch.numRows; i++)
    rows.push('[' + fields.map((f, c) => write(cell(f, batch.data.children[c], i))).join(',') + ']');
}
process.stdout.write(`{"columns":${JSON.stringify(columns)},"rows":[${rows.join(',')}],` +
  `"batches":${batches},"arrow":${JSON.stringify(fields.map(f => String(f.type)))},` +
  `"extensions":${JSON.stringify(fields.map(f => f.metadata.get('ARROW:extension:name') || ''))}}\n`);
