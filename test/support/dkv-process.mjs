/**
 * A process that has `dkv` loaded and runs one command line after another, as they come from its parent. To start a process costs more than most command lines
 * do. Each finds the folder, the environment, the rights of new files, the streams and the exit status that a process of its own would have.
 */
import { Readable } from 'node:stream';

const umask = process.umask();

/** What the command line that runs now has written. */
const written = { stdout: [], stderr: [] };
for (const [name, chunks] of Object.entries(written)) {
  // Below what guards a terminal, which is put around it next.
  process[name].isTTY = false;
  process[name].write = (chunk, encoding, done = encoding) => {
    chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8'));
    if (typeof done === 'function') setImmediate(done);
    return true;
  };
}

const [{ runProgram }, { guardTerminal }, { keepFilesPrivate }] = await Promise.all(
  ['program', 'terminal', 'umask'].map((name) => import(`../../dist/cli/${name}.js`)),
);
guardTerminal();

process.on('message', async ({ args, cwd, env, input }) => {
  process.umask(umask);
  keepFilesPrivate();
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    value: Readable.from([Buffer.from(input)], { objectMode: false }),
  });
  process.exitCode = undefined;
  await runProgram(args);
  const [stdout, stderr] = Object.values(written).map((chunks) => Buffer.concat(chunks.splice(0)).toString());
  process.send({ exitCode: process.exitCode ?? 0, stdout, stderr });
});
process.on('disconnect', () => process.exit());
process.send('ready');
