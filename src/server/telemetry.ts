/**
 * Traces for OpenTelemetry, when somebody asks for them: a span of each request goes to a collector. The packages for it are installed by those who want it; nothing of
 * them is loaded otherwise. A span says as little as a line of the log: the route's pattern and not the address, no messages, no texts.
 */
import type { FastifyPluginCallback } from 'fastify';
import { DkvError } from '../base/errors.js';

/** The packages that are needed, as npm is told. */
export const TELEMETRY_PACKAGES =
  '@fastify/otel@0.21.2 @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-node@2.12.1 @opentelemetry/exporter-trace-otlp-http@0.222.0';

export interface Telemetry {
  /** To be registered before everything else. */
  readonly plugin: FastifyPluginCallback;
  /** Sends what is left, and ends. */
  close(): Promise<void>;
}

/** The part of a span that is looked at. Its attributes and status are its own objects until it is sent. */
interface Ended {
  readonly attributes: Record<string, unknown>;
  readonly status: { message?: string };
  readonly events: unknown[];
}

/** Loads the packages; a parameter for the test of what is said where they are missing. */
async function loadPackages() {
  return Promise.all([
    import('@fastify/otel'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
}

/** Whether the environment or the settings name a collector. */
export function wantsTelemetry(endpoint: string | undefined, environment: NodeJS.ProcessEnv = process.env): boolean {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_SDK_DISABLED } = environment;
  if (OTEL_SDK_DISABLED === 'true') return false;
  return Boolean(endpoint ?? OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? OTEL_EXPORTER_OTLP_ENDPOINT);
}

/**
 * @param endpoint the collector's address, such as `http://127.0.0.1:4318`; by default that of OTEL_EXPORTER_OTLP_ENDPOINT
 * @throws DkvError INPUT_INVALID naming the packages where they are not installed
 */
export async function openTelemetry(endpoint: string | undefined, load = loadPackages): Promise<Telemetry> {
  const [{ FastifyOtelInstrumentation }, sdk, { OTLPTraceExporter }] = await load().catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new DkvError(
      'INPUT_INVALID',
      `OpenTelemetry is asked for, and its packages are not installed. Run: npm install ${TELEMETRY_PACKAGES}`,
      { cause: error },
    );
  });
  const exporter = new OTLPTraceExporter(
    endpoint === undefined ? {} : { url: `${endpoint.replace(/\/$/, '')}/v1/traces` },
  );
  const batches = new sdk.BatchSpanProcessor(exporter);
  const provider = new sdk.NodeTracerProvider({
    spanProcessors: [
      {
        onStart: (span, context) => batches.onStart(span, context),
        onEnd: (span) => {
          discreet(span as unknown as Ended);
          batches.onEnd(span);
        },
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      },
    ],
  });
  provider.register();
  const instrumentation = new FastifyOtelInstrumentation({ recordExceptions: false, instrumentHooks: false });
  instrumentation.setTracerProvider(provider);
  return {
    plugin: instrumentation.plugin() as FastifyPluginCallback,
    // A collector that is gone does not keep the server.
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** Addresses have ids of documents, and so have messages. */
function discreet({ attributes, status, events }: Ended): void {
  if (attributes['url.path'] !== undefined) attributes['url.path'] = attributes['http.route'] ?? '';
  status.message = '';
  events.length = 0;
}
