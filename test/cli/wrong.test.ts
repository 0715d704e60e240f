/**
 * Wrong invocations: each is answered by what is wrong and status 2 (1 where the table of errors says so), before a model is loaded, without
 * a stack trace, and leaves the folder as it was.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';

const FILES: Readonly<Record<string, string>> = {
  'docs.jsonl': '{"id":"a","text":"A lamp costs 24 euros."}\n',
  'notjson.jsonl': 'hello\n',
  'lines.jsonl': '{"document":"The lamp costs 24 euros.","target":"24 euros"}\n',
  'queries.jsonl': '{"_id":"q","text":"lamp"}\n',
  'judged.txt': 'q 0 a 1\n',
  'table.csv': 'id,text\na,lamp\n',
  'twice.csv': 'id,id\na,b\n',
  'open.yaml': 'id: [',
  'throws.js': 'throw new Error("boom")\n',
  'garbage.parquet': 'PAR1xxxxPAR1',
  'garbage.dkv': 'garbage',
  'cut.json': '[1',
  empty: '',
};

/** Command line, and what its answer says. */
const WRONG: readonly (readonly [string, string])[] = [
  ['rum', "unknown command 'rum'"],
  ['run', "missing required argument 'experiment'"],
  ['run exp99', 'Did you mean "exp01"'],
  ['run exp01 extra', 'too many arguments'],
  ['run exp01 --n 0', 'whole number above 0'],
  ['run exp01 --n 999999999999', 'are more than AdWorld makes'],
  ['run exp01 --precision int4', 'Allowed choices are float32'],
  ['run exp01 --umask 700', 'keep the files from yourself'],
  ['run exp01 --dataset adwrld', 'Did you mean "adworld"'],
  ['run exp01 --dataset nowhere.jsonl', 'nowhere.jsonl: no such file'],
  ['run exp01 --dataset table.csv', 'has no column "document"'],
  ['run exp01 --dataset table.csv --columns documnt=text', 'no role documnt'],
  ['run exp01 --dataset table.csv --separator long', 'one character'],
  ['run exp01 --columns document=text', 'of a table of your own only'],
  ['run exp01 --dataset-revision main', 'of a dataset on the hub'],
  ['run exp01 --separator tab', 'files of your own'],
  ['run exp01 --dataset cut.json', 'not JSON'],
  ['run exp01 --dataset beir:folder', 'no documents with questions and answers'],
  ['run exp01 --dataset hetpqa:folder', 'name hetPQA'],
  ['run exp01 --out docs.jsonl', 'a file stands where a folder is needed'],
  ['run exp01 --out=', 'the name of a folder'],
  ['run exp05', 'DKV_LLM_BASE_URL'],
  ['run open.yaml', 'cannot be read as an experiment'],
  ['run throws.js', 'boom'],
  ['run nowhere.yaml', 'no such file'],
  ['run exp01 --model nowhere', 'nowhere: no such folder'],
  ['run exp01 --model folder', 'folder/config.json: no such file'],
  ['list', 'Usage: dkv list'],
  ['list experiment', "unknown command 'experiment'"],
  ['report nowhere', 'nowhere: no such folder.'],
  ['report docs.jsonl', 'docs.jsonl: a file; give the folder that the runs are in.'],
  ['report folder --format pdf', 'expected html'],
  ['compare folder nowhere', 'is not a run folder'],
  ['log nowhere', 'nowhere: no such folder.'],
  ['score --input nowhere.jsonl', 'no such file'],
  ['score --input folder', 'a file was expected'],
  ['score --input lines.jsonl --output folder', 'a folder stands where a file is needed'],
  ['score --input lines.jsonl --output nowhere/scores', 'no such file or folder'],
  ['prime --input docs.jsonl', "required option '--store <location>' not specified"],
  ['prime --input notjson.jsonl --store s', 'JSON lines were expected'],
  ['prime --input twice.csv --store s', 'two columns are called "id"'],
  ['prime --input garbage.parquet --store s', 'no Parquet file'],
  ['prime --input docs.jsonl --store ftp://x/y', 'is no place for a store'],
  ['prime --input docs.jsonl --store redis://localhost/x', 'redis://localhost/x'],
  ['prime --input docs.jsonl --store docs.jsonl', 'A store is a folder'],
  ['prime --input docs.jsonl --store s --surrogate doc_kww', 'doc_kww'],
  ['prime --input docs.jsonl --store s --shard 3/2', 'Expected i/n'],
  ['prime --input docs.jsonl --store s --ttl 0s', 'Expected some time'],
  ['prime --input docs.jsonl --store s --max-bytes 20XB', 'such as 20GB'],
  ['prime --input docs.jsonl --store s --prior empty', 'no reference queries'],
  ['prime --input docs.jsonl --store s --rejects folder', 'a folder stands where a file is needed'],
  ['prime --input docs.jsonl --store s --rejects nowhere/rejects', 'no such file or folder'],
  ['prime --input docs.jsonl --store s --rejects run/trials.jsonl', 'a file of a run'],
  ['prime --input docs.jsonl --store s --rejects linked', 'a file of a run'],
  ['rank --store nowhere --queries queries.jsonl', 'there is no store'],
  ['rank --store folder --queries nowhere.jsonl', 'no such file'],
  ['rank --store folder --queries queries.jsonl --measures AP', 'give --qrels as well'],
  ['rank --store folder --queries queries.jsonl --qrels judged.txt --measures nDGC@10', 'Did you mean "nDCG"'],
  ['rank --store folder --queries queries.jsonl --interpolate 2', 'from 0 to 1'],
  ['evaluate --store folder --queries queries.jsonl', "required option '--qrels <file>' not specified"],
  ['evaluate --store folder --queries queries.jsonl --qrels empty', 'no judgements in it'],
  ['store stats memory:x', 'memory:'],
  ['store verify folder', 'there is no store'],
  ['store gc folder --min-age soon', 'such as 12h'],
  ['store export folder x.dkv', 'there is no store'],
  ['store import s nowhere.dkv', 'no such file'],
  ['store import docs.jsonl garbage.dkv', 'A store is a folder'],
  ['models pull docs.jsonl', 'is no name on the hub'],
  ['models info nowhere', 'no such folder'],
  ['models rm folder --checkpoint', 'a folder of yours and stays'],
  ['data adworld --split dev', 'Allowed choices are train'],
  ['data adworld --documents 5', 'give --beir'],
  ['data adworld --replace', 'give --beir'],
  ['data adworld --beir collection', 'holds a collection already (queries.jsonl)'],
  ['data adworld --pools --stats', 'give one of them'],
  ['data adworld --beir b --output x', 'for one file of lines'],
  ['data adworld --json', '--json is for --stats'],
  ['data adworld --beir b --count 10 --documents 1', 'Ask for more documents'],
  ['doctor --jsno', 'Did you mean --json'],
  ['sanity --n x', 'whole number above 0'],
  ['demo --model nowhere', 'no such folder'],
  ['completion powershell', 'there is for: bash, zsh, fish'],
];

/** Not the user's to mend here. */
const STATUS_1: readonly (readonly [string, string])[] = [
  ['store stats redis://127.0.0.1:1', 'STORE_UNREACHABLE'],
  ['prime --input docs.jsonl --store redis://127.0.0.1:1', 'STORE_UNREACHABLE'],
];

describe('a wrong invocation', () => {
  let cwd: string;
  let before: unknown;

  beforeAll(async () => {
    cwd = await mkdtemp(path.join(os.tmpdir(), 'dkv-test-'));
    for (const [name, text] of Object.entries(FILES)) await writeFile(path.join(cwd, name), text);
    await mkdir(path.join(cwd, 'folder'));
    await mkdir(path.join(cwd, 'collection'));
    await writeFile(path.join(cwd, 'collection', 'queries.jsonl'), '{"_id":"q","text":"lamp"}\n');
    await mkdir(path.join(cwd, 'run'));
    await writeFile(path.join(cwd, 'run', 'run.json'), '{}');
    await writeFile(path.join(cwd, 'run', 'trials.jsonl'), 'a trial\n');
    await symlink(path.join('run', 'trials.jsonl'), path.join(cwd, 'linked'));
    before = await everything(cwd);
  });

  afterAll(() => rm(cwd, { recursive: true }));

  it.each([
    ...WRONG.map(([line, said]) => [line, said, 2] as const),
    ...STATUS_1.map(([line, said]) => [line, said, 1] as const),
  ])('dkv %s', async (line, said, status) => {
    const { exitCode, stderr } = await dkv(line.split(' '), { cwd, env: { DKV_LLM_BASE_URL: undefined } });
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(/defect|\n {4}at |node:internal/);
    expect(exitCode).toBe(status);
  });

  it('leaves nothing behind', async () => {
    expect(await everything(cwd)).toEqual(before);
  });
});

async function everything(folder: string): Promise<Record<string, string>> {
  const found = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = found.filter((each) => !each.isDirectory()).map((each) => path.join(each.parentPath, each.name));
  const folders = found.filter((each) => each.isDirectory()).map((each) => [path.join(each.parentPath, each.name), '']);
  return Object.fromEntries([
    ...folders,
    ...(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')]))),
  ]);
}
