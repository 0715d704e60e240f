/** What WebGPU stands on under Linux: the loader of Vulkan, the drivers that it would load, and the adapters that they offer. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Variables } from '../base/environment.js';
import { runTool } from './run-tool.js';

const FOLDERS = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];

export interface VulkanDriver {
  /** The file that describes the driver. */
  readonly file: string;
  /** The driver's library as the file names it; null where the file cannot be read. */
  readonly library: string | null;
}

/** The drivers that the loader finds, in its order, and where it looks. */
export async function vulkanDrivers(environment: Variables): Promise<{ drivers: VulkanDriver[]; searched: string[] }> {
  const named = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  const files = named ? named.split(':').filter((file) => file !== '') : await listed(FOLDERS);
  const drivers = await Promise.all(
    files.map(async (file) => ({ file, library: libraryOf(await readFile(file, 'utf8').catch(() => '')) })),
  );
  return { drivers: drivers.filter(({ library }) => library !== null), searched: named ? files : FOLDERS };
}

async function listed(folders: readonly string[]): Promise<string[]> {
  const found = folders.map(async (folder) =>
    (await readdir(folder).catch(() => []))
      .filter((name) => name.endsWith('.json'))
      .map((name) => path.join(folder, name)),
  );
  return (await Promise.all(found)).flat().sort();
}

function libraryOf(description: string): string | null {
  try {
    const library = (JSON.parse(description) as { readonly ICD?: { readonly library_path?: unknown } }).ICD
      ?.library_path;
    return typeof library === 'string' ? library : null;
  } catch {
    return null;
  }
}

/** Names of the adapters that Vulkan offers, where vulkaninfo (Debian: vulkan-tools) is installed; undefined where it is not. */
export async function vulkanAdapters(signal?: AbortSignal): Promise<string[] | undefined> {
  const { output } = await runTool('vulkaninfo', ['--summary'], { signal });
  return output === undefined ? undefined : parseAdapters(output);
}

/** Reads each adapter's name, with its driver's, from vulkaninfo's summary. */
export function parseAdapters(summary: string): string[] {
  return summary
    .split(/^GPU\d+:$/m)
    .slice(1)
    .flatMap((part) => {
      const field = (name: string) => new RegExp(`^\\s*${name}\\s*=\\s*(.+?)\\s*$`, 'm').exec(part)?.[1];
      const [name, driver] = [field('deviceName'), field('driverInfo')];
      return name === undefined ? [] : [driver === undefined ? name : `${name} (${driver})`];
    });
}
