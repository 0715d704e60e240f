/** `dkv devices`: what computes here, what the others lack, and CUDA's provider brought and removed. */
import { Argument, Command } from 'commander';
import { gigabytes } from '../base/files.js';
import { type InstallPlan, installCuda, planCudaInstall, removeCuda } from '../devices/install-cuda.js';
import { type DeviceState, listDevices } from '../devices/list-devices.js';
import { defaultCacheDirectory } from '../model/compiled.js';
import { deviceInstallSchema, deviceRemovalSchema, devicesSchema } from '../wire/devices.js';
import { printJson } from './json.js';
import { interruptSignal, Progress, paint, sayNotice } from './terminal.js';

/** The argument that names a provider to install or remove. */
const PROVIDER = () => new Argument('<provider>', 'cuda').choices(['cuda']);

interface ListCommandOptions {
  readonly json: boolean;
  readonly verbose: boolean;
}

interface InstallCommandOptions {
  readonly from?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

export function devicesCommand(): Command {
  return new Command('devices')
    .description('Providers of ONNX Runtime: what computes here, what the others lack, and how to get it.')
    .addHelpText(
      'after',
      `
Without a command they are listed. What runs where, with figures: docs/devices.md.

Examples:
  dkv devices
  dkv devices --json
  dkv devices install cuda --from ~/venv/bin/python
  dkv doctor --device webgpu`,
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(installCommand())
    .addCommand(removeCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('Each provider: usable, or what it lacks, where that was looked for, and how to get it.')
    .option('--verbose', "show what a GPU's driver and ONNX Runtime write", false)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      '\nEach that is there is started once, in a process of its own.\n\nExamples:\n  dkv devices list\n  dkv devices list --json',
    )
    .action(list);
}

function installCommand(): Command {
  return new Command('install')
    .description("Put CUDA's provider into the cache folder, from a Python package of onnxruntime-node's version.")
    .addArgument(PROVIDER())
    .option(
      '--from <path>',
      'Python (or the folder of an environment) with onnxruntime-gpu, its wheel, or a folder with the files (default: the Python that is active)',
    )
    .option('--dry-run', 'say what would be done, and do nothing', false)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
Versions have to be the same; digests are those of the package. Nothing in node_modules is changed: the engine's process finds the
provider by its LD_LIBRARY_PATH, and the libraries of CUDA in the folders of that Python's nvidia-* packages, which are remembered.

Examples:
  dkv devices install cuda --from ~/venv/bin/python
  dkv devices install cuda --from onnxruntime_gpu-1.30.0-cp312-cp312-manylinux_2_28_x86_64.whl
  dkv devices install cuda --dry-run`,
    )
    .action(install);
}

function removeCommand(): Command {
  return new Command('remove')
    .description('Remove what "dkv devices install" has put into the cache folder.')
    .addArgument(PROVIDER())
    .option('--json', 'for machines', false)
    .addHelpText('after', '\nExamples:\n  dkv devices remove cuda')
    .action(async (_provider: string, { json }: { json: boolean }) => {
      const removed = await removeCuda(defaultCacheDirectory(), interruptSignal());
      if (json) printJson(deviceRemovalSchema, { removed });
      else process.stdout.write(removed.map((folder) => `removed ${folder}\n`).join('') || 'nothing is installed\n');
    });
}

async function list({ json, verbose }: ListCommandOptions): Promise<void> {
  const signal = interruptSignal();
  const found = await listDevices({
    cacheDirectory: defaultCacheDirectory(),
    signal,
    ...(verbose && { onRuntimeLine: sayNotice }),
  });
  if (json) printJson(devicesSchema, found);
  else process.stdout.write(found.devices.map(render).join(''));
}

function render({ name, usable, message, parts }: DeviceState): string {
  const state = usable ? paint('green', 'usable     ') : paint('yellow', 'not usable ');
  const lines = parts.map(
    (part) => `${part.state.padEnd(7)}  ${part.name}: ${part.found ?? `looked in ${part.searched.join(', ')}`}`,
  );
  // Several parts may come by one way, and some of them by another way as well.
  const advice = [...new Set(parts.flatMap((part) => part.advice ?? []))];
  const needed = advice.filter((line) => !advice.some((other) => other !== line && other.startsWith(line)));
  const all = [...lines, ...needed.map((line) => `to do    ${line}`)];
  return `${name.padEnd(7)} ${state} ${message}\n${all.map((line) => `        ${line}\n`).join('')}`;
}

async function install(_provider: string, { from, dryRun, json }: InstallCommandOptions): Promise<void> {
  const options = {
    cacheDirectory: defaultCacheDirectory(),
    signal: interruptSignal(),
    ...(from !== undefined && { from }),
  };
  if (dryRun) {
    const plan = await planCudaInstall(options);
    if (json) printJson(deviceInstallSchema, { installed: false, ...wireOf(plan) });
    else process.stdout.write(describePlan(plan, 'would take'));
    return;
  }
  const progress = new Progress('copying', 'MB');
  let made: InstallPlan | undefined;
  try {
    await installCuda({
      ...options,
      onPlan: (plan) => {
        made = plan;
        if (!json) process.stdout.write(describePlan(plan, 'takes'));
      },
      onProgress: (done, total) => progress.update(Math.round(done / 1e6), Math.round(total / 1e6)),
    });
  } finally {
    progress.end();
  }
  if (json) {
    printJson(deviceInstallSchema, { installed: true, ...wireOf(made!) });
    return;
  }
  process.stdout.write('installed\n');
  const { devices } = await listDevices(options);
  process.stdout.write(
    devices
      .filter(({ name }) => name === 'cuda')
      .map(render)
      .join(''),
  );
}

const wireOf = ({ files, ...plan }: InstallPlan) => ({
  ...plan,
  files: files.map(({ digest = null, ...file }) => ({ ...file, digest })),
});

function describePlan(
  { version, source, folder, files, sizeBytes, libraryFolders, replaces }: InstallPlan,
  takes: string,
): string {
  const digests = files.every(({ digest }) => digest !== undefined);
  return [
    `CUDA provider ${version} from ${source}`,
    `${takes} ${gigabytes(sizeBytes)} in ${folder}${replaces ? ', in place of the one there' : ''}`,
    digests
      ? "digests: those of the package's RECORD"
      : 'digests: none are named there; the version is read from the library',
    `libraries of CUDA: ${libraryFolders.length > 0 ? libraryFolders.join(', ') : 'none came with it; they are looked for in LD_LIBRARY_PATH, CUDA_HOME and the system'}`,
    '',
  ].join('\n');
}
