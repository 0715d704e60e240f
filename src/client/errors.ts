/** What a server refused. */

/** An answer of the server that says no. Errors of the network, of an aborted signal and of a timeout are those of `fetch`. */
export class DkvApiError extends Error {
  override readonly name = 'DkvApiError';
  /** One of the codes of docs/errors.md; `HTTP_ERROR` where something else than the server answered, such as a proxy. */
  readonly code: string;
  /** The HTTP status. */
  readonly status: number;
  /** Seconds after which the request may come again; undefined where that makes no sense. */
  readonly retryAfter: number | undefined;

  constructor(code: string, message: string, status: number, retryAfter: number | undefined) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** Reads a refusal. */
export async function refusalOf(response: Response): Promise<DkvApiError> {
  const { status } = response;
  const text = await response.text().catch(() => '');
  const seconds = Number.parseFloat(response.headers.get('retry-after') ?? '');
  const retryAfter = seconds >= 0 ? seconds : undefined;
  const told = errorIn(text);
  if (told) return refusalFrom(told, status, retryAfter);
  const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
  return new DkvApiError('HTTP_ERROR', `Status ${status} without an error of the server: ${shown}`, status, retryAfter);
}

interface Told {
  readonly code: string;
  readonly message: string;
}

export function refusalFrom({ code, message }: Told, status: number, retryAfter?: number): DkvApiError {
  return new DkvApiError(code, message, status, retryAfter);
}

/** The server's error in a text that may be one. */
export function errorIn(text: string): Told | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: Partial<Told> };
    return typeof error?.code === 'string' && typeof error.message === 'string' ? (error as Told) : undefined;
  } catch {
    return undefined;
  }
}
