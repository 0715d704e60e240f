/** Imports of `src` go one way, from room to room and from file to file; imports of types count. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ROOMS } from './support/rooms.js';

const SOURCE = path.resolve(import.meta.dirname, '../src');

/** Imports, exports from elsewhere, loads on demand and types named in place. */
const SPECIFIER = /(?:\bfrom\s+|\bimport\s+|\bimport\(\s*)'(\.{1,2}\/[^']+)'/g;

/** By file, in `src`: the files that it imports. */
function importsOf(folder: string): Map<string, string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const text = readFileSync(path.join(folder, file), 'utf8');
      const found = [...text.matchAll(SPECIFIER)].map(([, to]) =>
        path.join(path.dirname(file), to!).replace(/\.js$/, '.ts'),
      );
      return [file, [...new Set(found)]];
    }),
  );
}

/** The place of a file's room in the list; -1 for none. */
function floorOf(file: string): number {
  const rooms = ROOMS.filter((room) => file === room || file.startsWith(`${room}/`));
  const own = rooms.reduce<string>((longest, room) => (room.length > longest.length ? room : longest), '');
  return (ROOMS as readonly string[]).indexOf(own);
}

/** A way from a file back to itself, for every file that has one and is not on one found before. */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]) => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file]);
    if (at >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return circles;
}

const imports = importsOf(SOURCE);

it('every file belongs to a room, and every room has files', () => {
  expect([...imports.keys()].filter((file) => floorOf(file) < 0)).toEqual([]);
  const used = new Set([...imports.keys()].map(floorOf));
  expect(ROOMS.filter((_, floor) => !used.has(floor))).toEqual([]);
});

it('every family of models is a room of its own', () => {
  const families = readdirSync(path.join(SOURCE, 'model/families'), { withFileTypes: true });
  const folders = families.filter((entry) => entry.isDirectory()).map(({ name }) => `model/families/${name}`);
  expect(ROOMS).toEqual(expect.arrayContaining(folders));
});

it('every import names a file that is there', () => {
  const unknown = [...imports].flatMap(([file, to]) =>
    to.filter((one) => !imports.has(one)).map((one) => `${file} -> ${one}`),
  );
  expect(unknown).toEqual([]);
});

it('no room imports one that stands after it', () => {
  const upward = [...imports].flatMap(([file, to]) =>
    to.filter((one) => floorOf(one) > floorOf(file)).map((one) => `${file} -> ${one}`),
  );
  expect(upward).toEqual([]);
});

it('only the list of families imports one by its name', () => {
  const familyIn = (file: string) => /^model\/families\/([^/]+)\//.exec(file)?.[1];
  const knowing = [...imports].flatMap(([file, to]) =>
    to
      .filter((one) => familyIn(one) !== undefined && familyIn(one) !== familyIn(file))
      .map((one) => `${file} -> ${one}`),
  );
  const others = knowing.filter((way) => !way.startsWith('model/families/families.ts -> '));
  expect(others).toEqual([]);
  expect(knowing.length).toBeGreaterThan(others.length);
});

it('no file imports itself by way of others', () => {
  expect(circlesOf(imports)).toEqual([]);
  expect(
    circlesOf(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'd']],
        ['c', ['b']],
        ['d', []],
      ]),
    ),
  ).toEqual([['b', 'c', 'b']]);
});
