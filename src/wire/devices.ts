/** Devices: what there is of each, what it lacks, and what an installation changes. */
import { z } from 'zod';
import { wireObject } from './case.js';
import { countSchema } from './numbers.js';

export const devicesSchema = wireObject({
  runtimeVersion: z.string().nullable().describe('Version of onnxruntime-node; null where it is not installed.'),
  platform: z.string().describe('System and processor, such as linux/x64.'),
  devices: z
    .array(
      wireObject({
        name: z.string().describe('As `--device` takes it.'),
        usable: z.boolean().describe('Whether it started and computed.'),
        message: z.string().describe('What it is, or why it is not usable.'),
        parts: z
          .array(
            wireObject({
              name: z.string().describe('Something that the device needs.'),
              state: z.enum(['ok', 'missing', 'wrong']).describe('`wrong`: there, but of another version.'),
              found: z.string().nullable().describe('Where it is, or its version; null where there is none.'),
              searched: z.array(z.string()).readonly().describe('Where it was looked for.'),
              advice: z.string().nullable().describe('How to get it; null where nothing is wrong.'),
            }),
          )
          .readonly()
          .describe('What the device needs beside the runtime.'),
        gpus: z
          .array(
            wireObject({
              name: z.string().describe('The GPU’s name.'),
              memoryBytes: countSchema.describe('Its memory.'),
              freeBytes: countSchema.describe('What of it was free.'),
              computeCapability: z
                .string()
                .nullable()
                .describe('NVIDIA’s number of its generation; null where it is not known.'),
            }),
          )
          .readonly()
          .describe('NVIDIA’s GPUs; empty for other devices.'),
      }),
    )
    .readonly()
    .describe('Providers of ONNX Runtime.'),
});

export const deviceInstallSchema = wireObject({
  installed: z.boolean().describe('False after `--dry-run`.'),
  version: z.string().describe('Version of the provider, and of onnxruntime-node.'),
  source: z.string().describe('Where the files are from.'),
  folder: z.string().describe('Where they are put.'),
  files: z
    .array(
      wireObject({
        name: z.string().describe('The file’s name.'),
        sizeBytes: countSchema.describe('Its size.'),
        digest: z.string().nullable().describe('SHA-256 in hex, as the package says; null where it says none.'),
      }),
    )
    .readonly()
    .describe('The provider’s files.'),
  sizeBytes: countSchema.describe('Bytes in all.'),
  libraryFolders: z
    .array(z.string())
    .readonly()
    .describe('Folders of CUDA’s libraries that the engine’s process is given.'),
  replaces: z.boolean().describe('Whether one of the same version stood there.'),
});

export const deviceRemovalSchema = wireObject({
  removed: z.array(z.string()).readonly().describe('Folders that were removed.'),
});
