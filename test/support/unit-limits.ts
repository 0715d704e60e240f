/** What the tests of `npm run test:unit` do without is refused while they run, so that none of them needs it unseen. */
import net from 'node:net';

function refuse(what: string): never {
  throw new Error(
    `A test of "npm run test:unit" ${what}. What it imports has to show that: see test/support/unit-tests.ts.`,
  );
}

net.Socket.prototype.connect = () => refuse('opens a connection');

const load = process.dlopen;
process.dlopen = (...given: Parameters<typeof load>) => {
  if (given[1].includes('onnxruntime_binding')) refuse('loads the runtime of models');
  load.apply(process, given);
};
