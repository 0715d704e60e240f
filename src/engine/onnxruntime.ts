/**
 * onnxruntime-node, loaded when it is first used. It is an optional dependency: npm up to 11 runs its install script, which on Linux
 * fetches CUDA libraries from another host than the registry, and leaves the package out where that host cannot be reached. So it
 * may be missing, and whoever meets that has to read what to run.
 */
import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';
import { DkvError, messageOf } from '../base/errors.js';

const require = createRequire(import.meta.url);

let loaded: typeof OnnxRuntime | undefined;

/** @throws DkvError RUNTIME_MISSING when the package is not installed, or its library cannot be loaded here */
export function onnxRuntime(): typeof OnnxRuntime {
  loaded ??= load();
  return loaded;
}

/**
 * The version of the runtime. Ask for it before a download or a compilation that would be useless without a runtime.
 * @throws DkvError RUNTIME_MISSING
 */
export function onnxRuntimeVersion(): string {
  return requireOr('onnxruntime-node/package.json').version;
}

/**
 * Keeps the runtime, which since 1.29 sends telemetry from Linux and macOS (names and hashes of graphs, devices, speed, an identifier of the machine), from that.
 * It reads the variable when its first session is made, and where it is 1 collects, writes and sends nothing. A worker thread has a copy of the variables, which
 * the runtime does not see: who starts one calls this first. Who has set the variable to something decides.
 */
export function disableTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ||= '1';
}

function load(): typeof OnnxRuntime {
  disableTelemetry();
  const runtime: typeof OnnxRuntime = requireOr('onnxruntime-node');
  // What goes wrong is thrown as well; printing it too would put the runtime's internals between our own lines.
  runtime.env.logLevel = 'fatal';
  return runtime;
}

function requireOr(name: string) {
  try {
    return require(name);
  } catch (error) {
    const missing =
      (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND' && messageOf(error).includes("'onnxruntime-node");
    throw new DkvError(
      'RUNTIME_MISSING',
      missing
        ? 'onnxruntime-node is not installed: npm leaves it out when its install script cannot fetch CUDA libraries. Install without them: ONNXRUNTIME_NODE_INSTALL=skip npm install directed-kvcache'
        : `onnxruntime-node cannot be loaded on ${process.platform}/${process.arch}: ${messageOf(error).split('\n')[0]}. It has binaries for Linux with glibc (x64, arm64), macOS (arm64) and Windows (x64, arm64).`,
      { cause: error },
    );
  }
}
