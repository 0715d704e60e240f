/** The OpenAPI document as one HTML page without scripts, which works offline. */

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> };
  readonly responses?: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #ccc}summary{cursor:pointer}code,.method{font-family:ui-monospace,monospace}
.method{display:inline-block;min-width:4.5rem;font-weight:600}details{margin:.4rem 0}details>div{padding-left:1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0;display:block;overflow-x:auto}td,th{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #eee}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}h2{border-color:#444}td,th{border-color:#333}a{color:#8bf}}`;

const TAGS = ['inference', 'documents', 'administration', 'server'] as const;

export function docsPage({ info, paths }: OpenApi): string {
  const operations = Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ url, method: method.toUpperCase(), operation })),
  );
  const parts = TAGS.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags?.includes(tag));
    return own.length === 0 ? '' : `<h2>${tag}</h2>${own.map(operationHtml).join('')}`;
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${html(info.title)}</title><style>${STYLE}</style>
<h1>${html(info.title)} ${html(info.version)}</h1><p>${html(info.description ?? '')} The same for programs: <a href="openapi.json">openapi.json</a>.</p>
${parts.join('\n')}</html>`;
}

function operationHtml({
  url,
  method,
  operation,
}: {
  readonly url: string;
  readonly method: string;
  readonly operation: Operation;
}): string {
  const { summary = '', description, parameters = [], requestBody, responses = {} } = operation;
  const asked = Object.entries(requestBody?.content ?? {}).map(
    ([type, { schema }]) => `<h4>Body (${html(type)})</h4>${fieldsHtml(schema)}`,
  );
  const given = Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.entries(content).map(
      ([type, { schema }]) => `<h4>${html(status)} (${html(type)})</h4>${fieldsHtml(schema)}`,
    ),
  );
  const named = parameters.map(
    ({ name, in: where, schema }) =>
      `<tr><td><code>${html(name)}</code> (${html(where)})<td>${typeOf(schema)}<td>${html(schema?.description ?? '')}`,
  );
  return `<details><summary><span class="method">${html(method)}</span><code>${html(url)}</code> ${html(summary)}</summary><div>${
    description === undefined ? '' : `<p>${html(description)}</p>`
  }${named.length === 0 ? '' : `<table>${named.join('')}</table>`}${asked.join('')}${given.join('')}</div></details>\n`;
}

/** A row for each field, with those of inner objects behind the name of the outer one. */
function fieldsHtml(schema: Schema | undefined): string {
  const rows = rowsOf(schema, '');
  return rows.length === 0 ? `<p>${typeOf(schema)}</p>` : `<table>${rows.join('')}</table>`;
}

function rowsOf(schema: Schema | undefined, outer: string, depth = 0): string[] {
  if (!schema || depth > 5) return [];
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((one) => rowsOf(one, outer, depth + 1));
  const items = schema.items ? rowsOf(schema.items, `${outer}[].`, depth + 1) : [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const place = `${outer}${name}`;
    const need = schema.required?.includes(name) && field.default === undefined ? '' : ' (optional)';
    const fallback =
      field.default === undefined ? '' : ` Default: <code>${html(JSON.stringify(field.default))}</code>.`;
    const row = `<tr><td><code>${html(place)}</code>${need}<td>${typeOf(field)}<td>${html(field.description ?? '')}${fallback}`;
    const deeper = field.items ? rowsOf(field, place, depth + 1) : rowsOf(field, `${place}.`, depth + 1);
    return [row, ...deeper];
  });
  // Alternatives of a union share fields.
  return [...new Set([...own, ...inner, ...items])];
}

function typeOf(schema: Schema | undefined): string {
  if (!schema) return 'anything';
  if (schema.const !== undefined) return `<code>${html(JSON.stringify(schema.const))}</code>`;
  if (schema.enum) return schema.enum.map((one) => `<code>${html(JSON.stringify(one))}</code>`).join(', ');
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map(typeOf))].join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}`;
  return html(schema.type === undefined ? 'anything' : [schema.type].flat().join(' or '));
}

function html(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
