/** Files that are odd in bytes, lines or columns: each is read exactly, or refused by a message that says what to do. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { LINE_BYTES, readText, textLines } from '../../src/base/text-input.js';
import { openDocuments } from '../../src/datasets/documents.js';
import { openDataset, openPools } from '../../src/datasets/open.js';
import type { OpenOptions } from '../../src/datasets/options.js';
import { readQueries } from '../../src/datasets/queries.js';
import { openTable } from '../../src/datasets/table.js';
import { candidatesFrom } from '../../src/serving/candidates.js';
import { temporaryFolder } from '../support/fixtures.js';
import { parquetFile } from './parquet.js';

type Content = string | Uint8Array;

async function file(name: string, content: Content): Promise<string> {
  const place = path.join(await temporaryFolder(), name);
  await mkdir(path.dirname(place), { recursive: true });
  await writeFile(place, content);
  return place;
}

/** `id: text` of each document, and the reason for each row that is none. */
async function documents(input: string | Readable, options: OpenOptions = {}): Promise<string[]> {
  const { rows } = await openDocuments(input, options);
  const found: string[] = [];
  for await (const row of rows) found.push(row instanceof DkvError ? `! ${row.message}` : `${row.id}: ${row.text}`);
  return found;
}

async function fieldsOf(input: string): Promise<unknown[]> {
  const { rows } = await openDocuments(input, {});
  const found: unknown[] = [];
  for await (const row of rows) found.push(row instanceof DkvError ? row.message : row.fields);
  return found;
}

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Integers that float64 cannot hold apart are texts in fields; 0 stands for -0, as everywhere in JSON. */
function withTexts(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, item) =>
    Number.isInteger(item) && !Number.isSafeInteger(item) && /^-?\d+$/.test(String(item)) ? String(item) : item,
  );
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const utf16 = (text: string) => Buffer.from(text, 'utf16le');
const bigEndian = (text: string) => Buffer.from(text, 'utf16le').swap16();
const line = (id: unknown, text: unknown = 'A lamp', more: object = {}) => `${JSON.stringify({ id, text, ...more })}\n`;
const A = line('a');

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

/** A flat table of any Parquet types, with an `id` and a `text`. */
function parquet(
  columns: Readonly<Record<string, [Omit<SchemaElement, 'name' | 'repetition_type'>, readonly unknown[]]>>,
): Uint8Array {
  const schema: SchemaElement[] = [
    { name: 'root', num_children: Object.keys(columns).length },
    ...Object.entries(columns).map(([name, [element]]) => ({
      name: name.trim(),
      repetition_type: 'REQUIRED' as const,
      ...element,
    })),
  ];
  const columnData = Object.entries(columns).map(([name, [, data]]) => ({ name: name.trim(), data: [...data] }));
  return new Uint8Array(parquetWriteBuffer({ schema, columnData }));
}

/** A timestamp of 12 bytes, as older writers have it (pyarrow, use_deprecated_int96_timestamps): `a`, `A lamp`, 2026-11-27 12:00. */
const INT96 =
  'UEFSMRUAFRYVFiwVAhUAFQYVBhwAAAACAAAAAgEBAAAAYRUAFSAVICwVAhUAFQYVBhwAAAACAAAAAgEGAAAAQSBsYW1wFQAVJBUkLBUCFQAVBhUGHAAAAAIAAAACAQCAp0hKJwAAvI4lABUEGUw1ABgGc2NoZW1hFQYAFQwlAhgCaWQlAEwcAAAAFQwlAhgEdGV4dCUATBwAAAAVBiUCGARzZWVuABYCGRwZPCYAHBUMGSUGABkYAmlkFQAWAhY8FjwmCEkcFQAVABUCADwWAhkGGSYAAgAAACYAHBUMGSUGABkYBHRleHQVABYCFkYWRiZESRwVABUAFQIAPBYMGQYZJgACAAAAJgAcFQYZJQYAGRgEc2VlbhUAFgIWShZKJooBSRwVABUAFQIAPCkGGSYAAgAAABbMARYCJggWzAEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRk8HAAAHAAAHAAAAAUBAABQQVIx';

describe('odd files of documents', () => {
  /** Documents as `id: text`, rows that are rejected as `! reason`; or the one message for the whole. */
  type Case = [
    what: string,
    name: string,
    content: Content,
    wanted: readonly (string | RegExp)[] | RegExp,
    options?: OpenOptions,
  ];
  const CASES: Case[] = [
    // Numbers as JSON writes them.
    [
      'integers beyond 2^53',
      'a.jsonl',
      '{"id": 9007199254740992, "text": "a"}\n{"id": 9007199254740993, "text": "b"}\n{"id": 738529527931269425, "text": "c"}\n{"id": -9007199254740993, "text": "d"}',
      ['9007199254740992: a', '9007199254740993: b', '738529527931269425: c', '-9007199254740993: d'],
    ],
    ['an id of 40 digits', 'a.jsonl', `{"id": ${'1'.repeat(40)}, "text": "a"}`, [`${'1'.repeat(40)}: a`]],
    [
      'a whole number, and the same with a fraction',
      'a.jsonl',
      '{"id": 1, "text": "a"}\n{"id": 1.0, "text": "b"}\n{"id": "1.0", "text": "c"}',
      ['1: a', /^! id is 1\.0: an id is a text or a whole number. Put it in quotes/, '1.0: c'],
    ],
    [
      'ids with exponents and fractions',
      'a.jsonl',
      `${A}{"id": 1e3, "text": "a"}\n{"id": 0.5, "text": "b"}`,
      ['a: A lamp', /^! id is 1e3/, /^! id is 0\.5/],
    ],
    ['0 and -0', 'a.jsonl', '{"id": 0, "text": "a"}\n{"id": -0, "text": "b"}', ['0: a', /^! id is -0/]],
    [
      'a number that no number can be',
      'a.jsonl',
      `${A}{"id": "b", "text": "x", "price": 1e400}`,
      ['a: A lamp', /line 2: not JSON: the number 1e400 is beyond/],
    ],
    ['a leading zero', 'a.jsonl', `${A}{"id": 007, "text": "x"}`, ['a: A lamp', /line 2: not JSON/]],
    [
      'NaN, as Python writes it',
      'a.jsonl',
      `${A}{"id": "b", "text": "x", "price": NaN}`,
      ['a: A lamp', /line 2: not JSON/],
    ],
    [
      'numbers as texts, by their digits',
      'a.jsonl',
      '{"id": "a", "text": 1.50}\n{"id": "b", "text": 12345678901234567890}',
      ['a: 1.50', 'b: 12345678901234567890'],
    ],
    ['an id that is true', 'a.jsonl', `${A}{"id": true, "text": "x"}`, ['a: A lamp', /^! id is true/]],
    ['an id that is null', 'a.jsonl', `${A}{"id": null, "text": "x"}`, ['a: A lamp', ': x']],
    // Members and escapes.
    [
      'two ids in one object',
      'a.jsonl',
      `${A}{"id": 1, "text": "x", "id": 2}`,
      ['a: A lamp', /line 2: not JSON: Duplicate key 'id'/],
    ],
    [
      'two members of one name inside',
      'a.jsonl',
      `${A}{"id": 1, "text": "x", "meta": {"a": 9007199254740992, "a": 9007199254740993}}`,
      ['a: A lamp', /Duplicate key 'a'/],
    ],
    [
      'half of a surrogate pair',
      'a.jsonl',
      `${A}{"id": "\\ud800", "text": "x"}\n{"id": "\\ud801", "text": "y"}\n{"id": "\\ud83d\\ude00", "text": "\\\\ud800"}`,
      [
        'a: A lamp',
        /line 2: not JSON: .*half of a surrogate pair/,
        /line 3: not JSON: .*half of a surrogate pair/,
        '😀: \\ud800',
      ],
    ],
    [
      'members of the names of methods',
      'a.jsonl',
      '{"id": "a", "text": "x", "__proto__": {"title": "no"}, "constructor": 1}',
      ['a: x'],
    ],
    [
      'a column of the name of a method',
      'a.jsonl',
      A,
      /no column "toString" for the id .*; it has id, text\./,
      { columns: { id: 'toString' } },
    ],
    [
      'a value nested too deeply',
      'a.jsonl',
      `${A}{"id": "b", "text": "x", "deep": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
      ['a: A lamp', /line 2: not JSON: nested too deeply/],
    ],
    [
      'a list as text',
      'a.jsonl',
      `${A}{"id": "b", "text": ["x"]}`,
      ['a: A lamp', /^! text is a list, a text was expected for the document. Say which part: document=text\.0\./],
    ],
    // Lines.
    [
      'U+2028, U+2029 and U+0085 inside lines',
      'a.jsonl',
      '{"id": "a", "text": "The lamp\u2028costs\u2029 24\u0085 euros."}\n{"id": "b", "text": "A chair."}\n',
      ['a: The lamp\u2028costs\u2029 24\u0085 euros.', 'b: A chair.'],
    ],
    [
      'lines that end in two ways, and blank ones',
      'a.jsonl',
      `${A.trimEnd()}\r\n\n  \n${line('b')}\r\n${line('c').trimEnd()}`,
      ['a: A lamp', 'b: A lamp', 'c: A lamp'],
    ],
    [
      'lines that end in carriage returns alone',
      'a.jsonl',
      `${A.trimEnd()}\r${line('b').trimEnd()}\r`,
      /JSON lines were expected.*carriage returns alone: convert them with tr/,
    ],
    [
      'a NUL byte',
      'a.jsonl',
      `${A}{"id": "b\u0000", "text": "x"}\n${line('c')}`,
      ['a: A lamp', /line 2: not JSON/, 'c: A lamp'],
    ],
    ['a NUL escape, which JSON allows', 'a.jsonl', '{"id": "a\\u0000", "text": "x"}', ['a\u0000: x']],
    ['a trailing comma', 'a.jsonl', `${A}{"id": "b", "text": "x",}`, ['a: A lamp', /line 2: not JSON/]],
    ['two objects on a line', 'a.jsonl', `${A}${line('b').trimEnd()}${line('c')}`, ['a: A lamp', /line 2: not JSON/]],
    [
      'single quotes',
      'a.jsonl',
      "{'id': 'a'}\n",
      /JSON lines were expected, an object a line, and none of the first 1 is one\. .*line 1: not JSON/,
    ],
    [
      'a JSON array',
      'a.jsonl',
      '[{"id": "a", "text": "x"},\n {"id": "b", "text": "y"}]',
      /this is a JSON array. Convert it: jq -c '\.\[\]' FILE/,
    ],
    [
      'JSON over several lines',
      'a.jsonl',
      JSON.stringify({ id: 'a', text: 'x' }, null, 2),
      /JSON over several lines. Convert it: jq -c \. FILE/,
    ],
    [
      'comma-separated text under the name of JSON lines',
      'a.jsonl',
      `id,text\n${'1,x\n'.repeat(500)}`,
      /none of the first 100 is one\. .*line 1: not JSON/,
    ],
    ['an empty file', 'a.jsonl', '', []],
    ['an empty file', 'a.csv', '', []],
    ['a byte order mark alone', 'a.jsonl', '\ufeff', []],
    ['a byte order mark', 'a.jsonl', `\ufeff${A}`, ['a: A lamp']],
    ['a byte order mark inside the text', 'a.jsonl', line('a', '\ufeffA'), ['a: \ufeffA']],
    // Columns of JSON lines.
    [
      'no id anywhere',
      'a.jsonl',
      '{"key": "a", "text": "x"}\n{"key": "b", "text": "y"}',
      /has no column "id" or "_id" for the id \(say which with --columns id=COLUMN\) in the first 2 rows; it has key, text\./,
    ],
    ['an id only later', 'a.jsonl', '{"text": "x"}\n{"id": "b", "text": "y"}', [': x', 'b: y']],
    [
      'a named column that is not there',
      'a.jsonl',
      A,
      /no column "body" for the document .*; it has id, text\./,
      { columns: { document: 'body' } },
    ],
    [
      'a column with dots in its name, beside a structure of that path',
      'a.jsonl',
      '{"id": "a", "meta.text": "x", "meta": {"text": "y", "a.b": {"c": "z"}}}',
      ['a: x'],
      { columns: { document: 'meta.text' } },
    ],
    [
      'a field with dots in its name, inside a structure',
      'a.jsonl',
      '{"id": "a", "meta": {"a.b": {"c": "z"}}}',
      ['a: z'],
      { columns: { document: 'meta.a.b.c' } },
    ],
    [
      'a path that leads nowhere',
      'a.jsonl',
      '{"id": "a", "meta": {"text": "x"}}\n{"id": "b", "meta": {"text": "y"}}',
      /no column "meta\.body" for the document .* in the first 2 rows; it has id, meta\.text\./,
      { columns: { document: 'meta.body' } },
    ],
    // Encodings and compressions.
    [
      'Latin-1',
      'a.csv',
      latin1('id,text\n1,Café table\n'),
      /text in UTF-8 was expected, and byte 0xE9 at offset 13 \(line 2\) is no UTF-8; it may be ISO-8859-1 \(Latin-1\)\. Convert it: iconv -f ISO-8859-1 -t UTF-8 FILE/,
    ],
    [
      'Windows-1252',
      'a.jsonl',
      latin1('{"id":"a","text":"\u0093Lamp\u0094"}'),
      /byte 0x93 at offset 18 .*Windows-1252\. Convert it: iconv -f WINDOWS-1252/,
    ],
    [
      'one bad line of a file in UTF-8',
      'a.jsonl',
      Buffer.concat([Buffer.from(line('é')), latin1(line('ü')), Buffer.from(line('ö'))]),
      ['é: A lamp', /line 2: byte 8 \(0xFC\) is no UTF-8/, 'ö: A lamp'],
    ],
    ['UTF-16 with a mark', 'a.jsonl', utf16(`\ufeff${A}`), /it is UTF-16LE\. Convert it: iconv -f UTF-16LE/],
    ['UTF-16, the high byte first', 'a.csv', bigEndian('\ufeffid,text\n1,x\n'), /it is UTF-16BE/],
    ['UTF-16 without a mark', 'a.tsv', utf16('id\ttext\n1\tA lamp\n'), /it is UTF-16LE/],
    ['gzip', 'a.jsonl.gz', gzipSync(A), ['a: A lamp']],
    ['gzip under a plain name', 'a.csv', gzipSync('\ufeffid,text\n1,x\n'), ['1: x']],
    [
      'gzip of two parts',
      'a.tsv.gz',
      Buffer.concat([gzipSync('id\ttext\n1\tx\n'), gzipSync('2\ty\n')]),
      ['1: x', '2: y'],
    ],
    [
      'gzip that was cut off',
      'a.jsonl.gz',
      gzipSync(A.repeat(9)).subarray(0, -9),
      /the gzip stream ends in the middle: the file was cut off/,
    ],
    [
      'gzip with something behind it',
      'a.jsonl.gz',
      Buffer.concat([gzipSync(A), Buffer.from(A)]),
      /the gzip stream is damaged/,
    ],
    ['gzip of gzip', 'a.jsonl.gz', gzipSync(gzipSync(A)), /compressed by gzip twice/],
    ['plain text under the name of gzip', 'a.jsonl.gz', A, ['a: A lamp']],
    [
      'zstd',
      'a.jsonl',
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 1, 2, 3]),
      /compressed by zstd, which is not read\. Unpack it: zstd -d/,
    ],
    ['bzip2', 'a.jsonl', Buffer.from('BZh91AY&SY'), /compressed by bzip2/],
    ['xz', 'a.csv', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0]), /compressed by xz/],
    ['an Excel workbook', 'a.csv', Buffer.from('PK\u0003\u0004 and so on'), /a ZIP archive or an Excel workbook/],
    [
      'Parquet under another name',
      'a.csv',
      parquetFile([{ id: 'a' }], { id: 'STRING' }),
      /a Parquet file\. Give it a name that ends in \.parquet/,
    ],
    [
      'a Git LFS pointer',
      'a.jsonl',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\n',
      /a Git LFS pointer, not the file itself\. Run "git lfs pull"/,
    ],
    // Comma-separated text.
    [
      'quoted commas, quotes and line ends',
      'a.csv',
      'id,text\r\n1,"A ""green"" lamp, new\r\nin its box"\r\n2,x\r\n',
      ['1: A "green" lamp, new\r\nin its box', '2: x'],
    ],
    ['lines that end in two ways', 'a.csv', 'id,text\r\n1,x\n2,y\r\n', ['1: x', '2: y']],
    [
      'lines that end in carriage returns alone',
      'a.csv',
      'id,text\r1,x\r2,y\r',
      /its lines end in carriage returns alone\. Convert it: tr/,
    ],
    ['U+2028 in a field', 'a.csv', 'id,text\n1,x\u2028y\n', ['1: x\u2028y']],
    [
      'a quote that is not closed',
      'a.csv',
      'id,text\n1,x\n2,"y\n3,z\n',
      [
        '1: x',
        /lines 3 to 4: a field begins with a quote that is not closed\. If quotes are text in this file, give --quoting none\./,
      ],
    ],
    [
      'text behind a closing quote',
      'a.csv',
      'id,text\n1,"x" y\n2,z\n',
      [/line 2: after the closing quote of field 2 a separator was expected, " " found/, '2: z'],
    ],
    [
      'a quote inside a field',
      'a.csv',
      'id,text\n1,36" bed\n2,z\n',
      [/line 2: field 2, "36\\" bed", has a quote inside/, '2: z'],
    ],
    ['the same, as text', 'a.csv', 'id,text\n1,"36" bed\n', ['1: "36" bed'], { quoting: 'none' }],
    [
      'too many fields, and too few',
      'a.csv',
      'id,text\n1,x,\n2\n3,z\n',
      [/line 2: 3 fields, where there are 2 columns/, /line 3: 1 fields/, '3: z'],
    ],
    ['a NUL byte', 'a.csv', 'id,text\n1,x\u0000\n2,y\n', [/line 2: it has a NUL character/, '2: y']],
    [
      'semicolons',
      'a.csv',
      'id;text;title\n1;"A lamp; red";Lamp\n',
      /no column "id" or "_id" for the id .*; it has "id;text;title"\. Its fields seem to be separated by a semicolon: give --separator semicolon/,
    ],
    ['the same, said so', 'a.csv', 'id;text;title\n1;"A lamp; red";Lamp\n', ['1: A lamp; red'], { separator: ';' }],
    ['tabs under the name of commas', 'a.csv', 'id\ttext\n1\tA 36" lamp\n', ['1: A 36" lamp']],
    [
      'two columns of one name',
      'a.csv',
      'id,text,text\n1,x,y\n',
      /two columns are called "text"; it has id, text, text/,
    ],
    ['columns without a name', 'a.csv', ',id,text,\n0,1,x,\n', ['1: x']],
    [
      'blanks around the names of columns',
      'a.csv',
      'id, text\n1,x\n',
      /no column "text" or "document" .*; it has id, " text"/,
    ],
    ['a header alone', 'a.csv', 'id,text\n', []],
    ['a header alone, without an id', 'a.csv', 'key,text\n', /no column "id" or "_id"/],
    [
      'no header',
      'a.csv',
      '1,A lamp\n2,A chair\n',
      /; it has 1, A lamp\. If its first line is no header, name the columns with --header/,
    ],
    ['the same, with one', 'a.csv', '1,A lamp\n2,A chair\n', ['1: A lamp', '2: A chair'], { header: ['id', 'text'] }],
    [
      'ids as they are written',
      'a.csv',
      'id,text\n007,x\n7,y\n1.0,z\n 7,b\n9007199254740993,c\n',
      ['007: x', '7: y', '1.0: z', ' 7: b', '9007199254740993: c'],
    ],
    // Tab-separated text.
    [
      'quotes are text',
      'a.tsv',
      'id\ttext\n1\t"The lamp costs 24 euros.\n2\tA chair.\n3\tA table" costs 50.\n4\tA bed.\n',
      ['1: "The lamp costs 24 euros.', '2: A chair.', '3: A table" costs 50.', '4: A bed.'],
    ],
    ['quotes as asked for', 'a.tsv', 'id\ttext\n1\t"A lamp\tand more"\n', ['1: A lamp\tand more'], { quoting: 'csv' }],
    ['a byte order mark, and quotes around the header', 'a.tsv', '\ufeffid\ttext\n1\tx\n', ['1: x']],
    ['commas under the name of tabs', 'a.tsv', 'id,text\n1,x\n', /give --separator comma/],
    ['empty fields', 'a.tsv', 'id\ttext\ttitle\n1\tx\t\n\t\t\n', ['1: x', ': ']],
    // Parquet.
    [
      'long integers',
      'a.parquet',
      parquetFile(
        [
          { id: 9007199254740993n, text: 'x' },
          { id: 9007199254740992n, text: 'y' },
        ],
        { id: 'INT64', text: 'STRING' },
      ),
      ['9007199254740993: x', '9007199254740992: y'],
    ],
    [
      'integers without a sign',
      'a.parquet',
      parquet({ id: [{ type: 'INT64', converted_type: 'UINT_64' }, [18446744073709551615n]], text: [TEXT, ['x']] }),
      ['18446744073709551615: x'],
    ],
    [
      'decimals as ids',
      'a.parquet',
      parquet({
        id: [
          { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, converted_type: 'DECIMAL', precision: 38, scale: 0 },
          [738529527931269425738529527931269425n],
        ],
        text: [TEXT, ['x']],
      }),
      ['738529527931269425738529527931269425: x'],
    ],
    [
      'decimals as texts',
      'a.parquet',
      parquet({
        id: [TEXT, ['a', 'b', 'c']],
        text: [{ type: 'INT64', converted_type: 'DECIMAL', precision: 18, scale: 2 }, [2499n, -5n, 2400n]],
      }),
      ['a: 24.99', 'b: -0.05', 'c: 24.00'],
    ],
    [
      'long decimals as bytes of any length',
      'a.parquet',
      parquet({
        id: [{ type: 'BYTE_ARRAY', converted_type: 'DECIMAL', precision: 30, scale: 0 }, [1n]],
        text: [TEXT, ['x']],
      }),
      /the column id has decimals of 30 digits as bytes of any length, which cannot be read exactly/,
    ],
    [
      'floating-point ids',
      'a.parquet',
      parquetFile([{ id: 1, text: 'x' }], { id: 'DOUBLE', text: 'STRING' }),
      /the column id has floating-point numbers, which are no ids/,
    ],
    [
      'bytes that are no UTF-8',
      'a.parquet',
      parquet({ id: [TEXT, ['a', 'b']], text: [TEXT, [latin1('Café'), 'x']] }),
      [/row 1, text: bytes that are no UTF-8/, 'b: x'],
    ],
    [
      'dates as ids',
      'a.parquet',
      parquet({ id: [{ type: 'INT32', converted_type: 'DATE' }, [new Date(0)]], text: [TEXT, ['x']] }),
      [/^! id is a date, a text was expected for the id/],
    ],
    ['timestamps of 12 bytes', 'a.parquet', Buffer.from(INT96, 'base64'), ['a: A lamp']],
    [
      'a column with dots in its name',
      'a.parquet',
      parquetFile([{ id: 'a', 'meta.text': 'x' }], { id: 'STRING', 'meta.text': 'STRING' }),
      ['a: x'],
      { columns: { document: 'meta.text' } },
    ],
    [
      'two columns of one name',
      'a.parquet',
      parquet({ id: [TEXT, ['a']], text: [TEXT, ['x']], 'text ': [TEXT, ['y']] }),
      /two columns are called "text"/,
    ],
    [
      'a missing column',
      'a.parquet',
      parquetFile([{ id: 'a', body: 'x' }], { id: 'STRING', body: 'STRING' }),
      /no column "text" or "document" for the document .*; it has id, body\./,
    ],
    [
      'a file that was cut off',
      'a.parquet',
      parquetFile([{ id: 'a', text: 'x' }], { id: 'STRING', text: 'STRING' }).subarray(0, -4),
      /no Parquet file that can be read/,
    ],
    ['another file by that name', 'a.parquet', A, /no Parquet file that can be read/],
    [
      'a pointer of Git LFS',
      'a.parquet',
      'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n',
      /no Parquet file that can be read: a Git LFS pointer, not the file itself/,
    ],
    ['an archive', 'a.parquet', Buffer.from('PK\u0003\u0004 and so on'), /can be read: a ZIP archive/],
    ['no rows', 'a.parquet', parquetFile([], { id: 'STRING', text: 'STRING' }, 1), []],
  ];

  it.each<Case>(CASES)('%s, %s', async (_, name, content, wanted, options = {}) => {
    const place = await file(name, content);
    if (wanted instanceof RegExp) {
      await expect(documents(place, options)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(wanted),
      });
      return;
    }
    const expected = wanted.map((item) => (typeof item === 'string' ? item : expect.stringMatching(item)));
    expect(await documents(place, options)).toEqual(expected);
  });

  it('keep what numbers say in the fields beside the text', async () => {
    const lines = '{"id": "a", "text": "x", "big": 9007199254740993, "price": 1.50, "list": [1e2, -0, 0.1]}\n';
    expect(await fieldsOf(await file('a.jsonl', lines))).toEqual([
      { big: '9007199254740993', price: 1.5, list: [100, 0, 0.1] },
    ]);
    expect(await fieldsOf(await file('a.csv', ',id,text\n7,a,x\n'))).toEqual([{ 'column 1': '7' }]);
    expect(await fieldsOf(await file('a.parquet', Buffer.from(INT96, 'base64')))).toEqual([
      { seen: '2026-11-27T12:00:00.000Z' },
    ]);
  });

  it('say what was named and is rare, and refuse what can be said of other files only', async () => {
    const notices: string[] = [];
    const options = { columns: { title: 'name' }, onNotice: (notice: string) => notices.push(notice) };
    const place = await file('a.jsonl', A.repeat(100) + line('b', 'x', { name: 'N' }));
    expect((await documents(place, options)).at(-1)).toBe('b: x');
    expect(notices).toEqual([
      `${place} has no column "name" for the title (say which with --columns title=COLUMN) in the first 100 rows; it has id, text.`,
    ]);
    await expect(documents(place, { separator: ';' })).rejects.toThrow(
      'separator can be said of .csv and .tsv files only',
    );
    await expect(documents(Readable.from([A]), { header: ['id'] })).rejects.toThrow(
      'standard input: header can be said',
    );
    const squad = await file('a.parquet', parquetFile([{ id: 'a' }], { id: 'STRING' }));
    await expect(documents(squad, { quoting: 'none' })).rejects.toThrow('quoting can be said');
  });

  it('give the rows before what ends the whole', async () => {
    const bytes = Buffer.concat([Buffer.from(A.repeat(20_000)), latin1(line('é'))]);
    const { rows } = await openDocuments(await file('a.jsonl', bytes), {});
    let read = 0;
    const reading = (async () => {
      for await (const _ of rows) read++;
    })();
    await expect(reading).rejects.toThrow(/offset 540007 \(line 20001\) is no UTF-8/);
    expect(read).toBe(20_000);
  });

  it('of any JSON give what JSON.parse gives where that loses nothing', async () => {
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' });
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 5 }), async (values) => {
        const lines = values.map((own, i) => line(`d${i}`, 'x', { own }));
        // Spaces and escapes as Python writes them.
        const spaced = lines.map((text) => text.replaceAll(/[\u007f-\uffff]/g, escaped));
        const { rows } = await openDocuments(Readable.from([Buffer.from(spaced.join(''))]), {});
        const found: unknown[] = [];
        for await (const row of rows) found.push(row instanceof DkvError ? row.message : row.fields.own);
        expect(found).toEqual(lines.map((text) => withTexts(JSON.parse(text).own)));
      }),
    );
  });

  it('of separated text give back what was written, whatever the fields and the bytes at a time', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', '\t', '\u2028', ' ', ';') });
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          cell.filter((text) => text.trim() !== ''),
          { minLength: 1, maxLength: 5 },
        ),
        async (cells) => {
          const written = cells.map((text, i) => `${i},"${text.replaceAll('"', '""')}"\r\n`).join('');
          const place = await file('a.csv', `id,text\r\n${written}`);
          expect(await documents(place)).toEqual(cells.map((text, i) => `${i}: ${text}`));
        },
      ),
      { numRuns: 50 },
    );
  });

  it('are the same on standard input', async () => {
    const wanted = ['a: A lamp', 'b: x\u2028y'];
    const lines = `\ufeff${A}${line('b', 'x\u2028y')}`;
    expect(await documents(Readable.from([Buffer.from(lines)]))).toEqual(wanted);
    const bytes = gzipSync(lines);
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect(await documents(Readable.from(single))).toEqual(wanted);
    await expect(documents(Readable.from([utf16(`\ufeff${A}`)]))).rejects.toThrow('standard input: text in UTF-8');
  });
});

describe('lines', () => {
  async function linesOf(chunks: readonly Uint8Array[], maxBytes = LINE_BYTES) {
    const found: (readonly [number, string])[] = [];
    for await (const { number, content } of textLines(Readable.from(chunks), 'in', { maxBytes })) {
      found.push([number, content instanceof DkvError ? `! ${content.message}` : content]);
    }
    return found;
  }

  it('are the same however the bytes come', async () => {
    const bytes = Buffer.from('é\n\n\u2028x\r\n😀');
    const wanted = [
      [1, 'é'],
      [2, ''],
      [3, '\u2028x\r'],
      [4, '😀'],
    ];
    for (const size of [1, 2, 3, 100]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await linesOf(chunks)).toEqual(wanted);
    }
  });

  it('that are too long are errors in their place, and are not held', async () => {
    const long = Array.from({ length: 50 }, () => Buffer.alloc(10, 'x'));
    expect(await linesOf([Buffer.from('a\n'), ...long, Buffer.from('\nb')], 100)).toEqual([
      [1, 'a'],
      [2, '! in, line 2: 500 bytes long; at most 100 are read.'],
      [3, 'b'],
    ]);
  });
});

describe('odd files of other kinds', () => {
  const ALL = { count: 10, seed: 1 };

  it('tables: columns are those of the first hundred lines, ids are exact, numbers are texts by their digits', async () => {
    const place = await file(
      'own.jsonl',
      '{"document": "D", "query": "Q", "answer": 1.50}\n{"id": 9007199254740993, "document": "D", "query": "Q", "answer": "A", "title": "T"}\n',
    );
    const { samples } = await openDataset(place, ALL);
    expect([...samples].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: '9007199254740993', document: 'D', query: 'Q', answer: 'A', title: 'T' },
      { id: 'row-0', document: 'D', query: 'Q', answer: '1.50' },
    ]);
    const fraction = await file('own.jsonl', '{"id": 1.0, "document": "D", "query": "Q", "answer": "A"}');
    await expect(openDataset(fraction, ALL)).rejects.toThrow('row 1: id is 1.0: an id is a text or a whole number');
  });

  it.each<[string, Content, RegExp]>([
    [
      'a.csv',
      'document;query;answer\nD;Q;A\n',
      /no column "document" for the document and no column "query".*give --separator semicolon/,
    ],
    ['a.csv', latin1('document,query,answer\nD,é,A\n'), /iconv -f ISO-8859-1/],
    ['a.tsv', 'document\tquery\tanswer\nD\t"Q\n', /line 2: 2 fields, where there are 3 columns/],
    [
      'a.parquet',
      parquetFile([{ id: 1, document: 'D', query: 'Q', answer: 'A' }], {
        id: 'DOUBLE',
        document: 'STRING',
        query: 'STRING',
        answer: 'STRING',
      }),
      /the column id has floating-point numbers/,
    ],
  ])('tables that are refused: %s', async (name, content, message) => {
    await expect(openDataset(await file(name, content), ALL)).rejects.toThrow(message);
  });

  it('tables of which no row can be used say what the rows lack', async () => {
    const place = await file('own.jsonl', '{"document": "D", "query": "Q", "answers": {"text": ["A"]}}\n'.repeat(3));
    await expect(openDataset(place, ALL, { columns: { answer: 'answers.txt.0' } })).rejects.toThrow(
      'none of 3 rows has all of document, query, answer: 0 have no document (document), 0 have no query (query), 3 have no answer (answers.txt.0).',
    );
  });

  it('rows that lack something are counted by what they lack, of samples and of candidates', async () => {
    const rows = [
      { document: 'D', query: 'Q', answer: 'A', grade: 1 },
      { document: 'E', query: 'Q', answer: '', grade: 0 },
      { document: ' ', query: 'Q', answer: 'A', grade: 0 },
      { document: 'F', answer: 'A', grade: 0 },
      { document: 'G', query: 'Q', grade: 0 },
    ];
    const place = await file('own.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { samples, leftOut } = await openDataset(place, ALL);
    expect(samples).toHaveLength(2);
    expect(leftOut).toEqual(['document', 'query', 'answer'].map((role) => ({ rows: 1, reason: `no ${role}` })));
    const set = await openPools(place, ALL);
    expect(set.pools.map(({ candidates }) => candidates.length)).toEqual([3]);
    expect(set.leftOut).toEqual(['document', 'query'].map((role) => ({ rows: 1, reason: `no ${role}` })));
  });

  it('queries: any form, packed or not, ids exact', async () => {
    const queries = async (name: string, content: Content) => readQueries(await openTable(await file(name, content)));
    const wanted = [{ id: '9007199254740993', text: 'lamp' }];
    expect(await queries('q.jsonl', '{"_id": 9007199254740993, "text": "lamp"}')).toEqual(wanted);
    expect(await queries('q.jsonl.gz', gzipSync('{"_id": 9007199254740993, "text": "lamp"}'))).toEqual(wanted);
    expect(await queries('q.tsv', '_id\ttext\n9007199254740993\tlamp\n')).toEqual(wanted);
    const content = parquetFile([{ id: 9007199254740993n, text: 'lamp' }], { id: 'INT64', text: 'STRING' });
    expect(await queries('q.parquet', content)).toEqual(wanted);
    await expect(queries('q.csv', 'qid;text\n1;lamp\n')).rejects.toThrow(
      /no column _id or id and text; it has "qid;text"\. .*--separator semicolon/,
    );
    await expect(queries('q.jsonl', '{"_id": 1.0, "text": "lamp"}')).rejects.toThrow('row 1, _id: it is 1.0: an id is');
    await expect(queries('q.jsonl', '{"_id": 1, "text": "lamp"}\n{"_id": 2, "text": " "}')).rejects.toThrow(
      'row 2: the id 2 has a query without text',
    );
    await expect(queries('q.txt', '1 lamp')).rejects.toThrow('q.txt: .jsonl, .csv and .tsv');
  });

  it('judgements and candidates: bytes as everywhere', async () => {
    expect(await readText(await file('qrels.txt.gz', gzipSync('\ufeffq1 0 d1 1\n')))).toBe('q1 0 d1 1\n');
    await expect(readText(await file('qrels.txt', latin1('q1 0 é 1\n')))).rejects.toThrow(
      /byte 0xE9 at offset 5 \(line 1\) is no UTF-8.*iconv/,
    );
    const place = await file('qrels.txt', latin1('q1 0 d1 1\nq1 0 é 1\n'));
    await expect(candidatesFrom(place, undefined as never, [{ id: 'q1', text: 'x' }])).rejects.toThrow(
      /\(line 2\) is no UTF-8.*iconv.*Expected a TREC run/,
    );
    await expect(readText(await temporaryFolder())).rejects.toThrow('a folder, and a file was expected');
  });

  it('collections in BEIR’s form may be packed', async () => {
    const root = await temporaryFolder();
    const files = {
      'corpus.jsonl.gz': gzipSync('{"_id": 9007199254740993, "text": "x"}\n{"_id": 9007199254740992, "text": "y"}\n'),
      'queries.jsonl.gz': gzipSync('{"_id": 1, "text": "lamp"}\n'),
      'qrels/test.tsv.gz': gzipSync('query-id\tcorpus-id\tscore\n1\t9007199254740993\t1\n'),
    };
    await mkdir(path.join(root, 'qrels'));
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(root, name), content);
    const { pools } = await openPools(`beir:${root}`, ALL);
    expect(pools).toMatchObject([
      {
        id: '1',
        candidates: [
          { id: '9007199254740993', document: 'x', grade: 1 },
          { id: '9007199254740992', document: 'y', grade: 0 },
        ],
      },
    ]);
  });

  it('SQuAD’s form: numbers as ids are exact, two members of one name are refused', async () => {
    const squad = (id: string, more = '') =>
      `{"data":[{"paragraphs":[{"context":"C","qas":[{"id":${id},"question":"Q","answers":[{"text":"A"}]${more}}]}]}]}`;
    const { samples } = await openDataset(await file('s.json', `\ufeff${squad('9007199254740993')}`), ALL);
    expect(samples).toMatchObject([{ id: '9007199254740993' }]);
    await expect(openDataset(await file('s.json', squad('1', ',"id":2')), ALL)).rejects.toThrow("Duplicate key 'id'");
    await expect(openDataset(await file('s.json', utf16(`\ufeff${squad('1')}`)), ALL)).rejects.toThrow('UTF-16LE');
  });
});
