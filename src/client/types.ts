/** The bodies of requests and answers as JSON has them, by the schemas that the server reads and writes with. */
import type { z } from 'zod';
import type { completionRequestSchema, completionResponseSchema } from '../wire/http/completions.js';
import type {
  documentDeletedSchema,
  documentLineSchema,
  documentPutSchema,
  documentResultSchema,
  documentSchema,
  putDocumentSchema,
} from '../wire/http/documents.js';
import type { infoSchema, readySchema } from '../wire/http/probes.js';
import type { rerankRequestSchema, rerankResponseSchema } from '../wire/http/rerank.js';
import type { scoreRequestSchema, scoreResponseSchema } from '../wire/http/score.js';

export type RerankRequest = z.input<typeof rerankRequestSchema>;
export type RerankResponse = z.input<typeof rerankResponseSchema>;
export type ScoreRequest = z.input<typeof scoreRequestSchema>;
export type ScoreResponse = z.input<typeof scoreResponseSchema>;
export type CompletionRequest = z.input<typeof completionRequestSchema>;
export type CompletionResponse = z.input<typeof completionResponseSchema>;
export type DocumentContent = z.input<typeof putDocumentSchema>;
export type DocumentLine = z.input<typeof documentLineSchema>;
export type PutDocument = z.input<typeof documentPutSchema>;
export type DocumentResult = z.input<typeof documentResultSchema>;
export type StoredDocument = z.input<typeof documentSchema>;
export type DeletedDocument = z.input<typeof documentDeletedSchema>;
export type ServerInfo = z.input<typeof infoSchema>;
export type ServerReadiness = z.input<typeof readySchema>;
