/** The lines of a body, as they arrive. */

/** Lines end at a line feed; the last one may be without. A reader that stops early ends the request. */
export async function* linesOf(response: Response): AsyncGenerator<string> {
  if (!response.body) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + decoder.decode(piece.value, { stream: true })).split('\n');
      rest = lines.pop()!;
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== '') yield rest;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** The data of server-sent events, up to OpenAI's `[DONE]`. @throws TypeError for a stream that ends before that, as `fetch` throws for a lost connection */
export async function* eventsOf(response: Response): AsyncGenerator<string> {
  for await (const line of linesOf(response)) {
    if (!line.startsWith('data:')) continue;
    const data = line.slice('data:'.length).trim();
    if (data === '[DONE]') return;
    yield data;
  }
  throw new TypeError('The stream of the answer ended before its end.');
}
