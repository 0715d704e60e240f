/** Entry of a process that tries a device: starts it, or measures it as well. What goes wrong is answered; a native crash ends this process alone. */
import { failureOf } from '../hosts/messages.js';
import { targetOf } from '../model/graph/target.js';
import { measureDevice, startDevice } from './measure.js';
import type { TrialAnswer, TrialRequest } from './trial.js';

process.once('message', async ({ device, precision, measures }: TrialRequest) => {
  const answer = async (): Promise<TrialAnswer> => {
    try {
      await startDevice(device);
      return measures ? { speed: await measureDevice(device, targetOf(precision, device).arithmetic) } : {};
    } catch (error) {
      return { failure: failureOf(error) };
    }
  };
  // Without a parent there is nobody to answer.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.send!(await answer());
});
