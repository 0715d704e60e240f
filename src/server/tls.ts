/** Certificates by files, which are read again when they are replaced. */
import { readFile } from 'node:fs/promises';
import { createSecureContext, type Server } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { DkvError, messageOf } from '../base/errors.js';
import { fileError } from '../base/files.js';
import type { ServerSettings } from './settings.js';

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/**
 * @returns undefined where the settings name no certificate
 * @throws DkvError INPUT_INVALID for one file without the other, and for files that are no certificate and its key; FILES_UNUSABLE
 */
export async function certificateOf({
  listen: { tlsCert, tlsKey },
}: Pick<ServerSettings, 'listen'>): Promise<Certificate | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new DkvError('INPUT_INVALID', 'TLS needs both files, the certificate (tls_cert) and its key (tls_key).');
  }
  const read = (file: string) =>
    readFile(file).catch((error: unknown) => {
      throw fileError(error, file);
    });
  const certificate = { cert: await read(tlsCert), key: await read(tlsKey) };
  try {
    createSecureContext(certificate);
  } catch (error) {
    throw new DkvError(
      'INPUT_INVALID',
      `${tlsCert} and ${tlsKey} are no certificate and its key, as PEM: ${messageOf(error)}.`,
    );
  }
  return certificate;
}

/** Reads the files again. New connections have the new certificate; files that cannot be used change nothing, and the log says so. */
export async function rereadCertificate(app: FastifyInstance, settings: Pick<ServerSettings, 'listen'>): Promise<void> {
  try {
    const certificate = await certificateOf(settings);
    if (!certificate) return;
    (app.server as unknown as Server).setSecureContext(certificate);
    app.log.info('The certificate was read again.');
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    app.log.error({ code }, `${messageOf(error)} The certificate that was read before stays in use.`);
  }
}
