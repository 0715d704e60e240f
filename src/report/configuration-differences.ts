/** In what the configurations of runs differ: field by field, and of lists what not all of them have. */
import type { Configuration } from '../runs/schema/configuration.js';

/** A field with what each run has there, in the order of the runs. */
export interface ConfigurationDifference {
  readonly field: string;
  readonly values: readonly string[];
}

/** Fields that do not say what was measured. */
const PRESENTATION = new Set(['experiment.title', 'experiment.question', 'experiment.authors']);

const ABSENT = '–';

/** A field's value in one run, or the members of a list, each with the words that it is known by. */
type FieldValue = string | readonly Listed[];

interface Listed {
  readonly label: string;
  readonly content: string;
}

/** Fields of the configurations that are not the same in all runs; conditions where one name means different things. */
export function differencesOf(configurations: readonly Configuration[]): ConfigurationDifference[] {
  const flat = configurations.map((configuration) => new Map(flatten(configuration, configuration)));
  const fields = [...new Set(flat.flatMap((fieldsOf) => [...fieldsOf.keys()]))];
  return fields.flatMap((field) => {
    const values = flat.map((fieldsOf) => fieldsOf.get(field) ?? ABSENT);
    if (values.some((value) => typeof value !== 'string')) {
      return listDifference(
        field,
        values.map((value) => (typeof value === 'string' ? [] : value)),
      );
    }
    const shown = values.map(String);
    const compared = field.startsWith('condition ') ? shown.filter((value) => value !== ABSENT) : shown;
    return new Set(compared).size > 1 ? [{ field, values: shown }] : [];
  });
}

/** What each list has and not all of the others have; nothing where all have the same members. */
function listDifference(field: string, lists: readonly (readonly Listed[])[]): ConfigurationDifference[] {
  const contents = lists.map((list) => new Set(list.map(({ content }) => content)));
  const own = lists.map((list) => list.filter(({ content }) => !contents.every((other) => other.has(content))));
  if (own.every(({ length }) => length === 0)) return [];
  const labels = new Map(own.flat().map(({ label, content }) => [content, label]));
  const isTold = (label: string) => [...labels.values()].filter((other) => other === label).length === 1;
  const isPart = lists.some((list, l) => own[l]!.length < list.length);
  return [
    {
      field: isPart ? `${field}, what not all have` : field,
      values: own.map(
        (list) => list.map(({ label, content }) => (isTold(label) ? label : content)).join('; ') || ABSENT,
      ),
    },
  ];
}

function listed(member: unknown): Listed {
  const content = JSON.stringify(member);
  const { title, name, condition, treatment, baseline } = Object(member) as Record<string, unknown>;
  if (typeof member === 'string') return { label: member, content };
  if (typeof treatment === 'string') return { label: `${treatment} against ${String(baseline)}`, content };
  const label = [title, name, condition].find((one) => typeof one === 'string');
  return { label: label ?? content, content };
}

/** Members by their path, of a value in the configuration. */
function flatten(configuration: Configuration, value: unknown, field = ''): [string, FieldValue][] {
  if (PRESENTATION.has(field)) return [];
  if (field === 'experiment.conditions') {
    return configuration.experiment.conditions.map((condition) => [
      `condition ${condition.name}`,
      JSON.stringify(condition),
    ]);
  }
  if (Array.isArray(value)) return [[field, value.map(listed)]];
  if (typeof value !== 'object' || value === null) return [[field, String(value)]];
  return Object.entries(value).flatMap(([key, child]) =>
    flatten(configuration, child, field === '' ? key : `${field}.${key}`),
  );
}
