/**
 * From what a language model answered to the query in it. Models think aloud, greet, number, quote, put things in bold and in fences, and
 * let the markers of their chat format through: none of this may stand in front of a document. What is not understood is refused.
 *
 * The research keeps the first line, without quotes around it, up to 15 words. The line kept here is the first one that is not about
 * the answer.
 */
import { splitWords } from '../base/words.js';

export interface AnswerOptions {
  /** True where the model reached its limit of tokens, so that its last word may be half a word; false by default. */
  readonly cutOff?: boolean;
  /** True where it was asked for keywords. A list of them is one text then; of other lists the first entry is taken. False by default. */
  readonly keywords?: boolean;
}

/**
 * The query, or the reason why there is none, as the end of a sentence. `shortened` says that the last word was left out, because the answer breaks
 * off there.
 */
export type QueryOrReason =
  | { readonly query: string; readonly shortened: boolean }
  | { readonly query?: undefined; readonly reason: string };

/** The number of characters read of an answer without its thoughts: a query is at its beginning. */
const READ = 4000;
const KEPT_WORDS = 15;
/** The number of keywords kept of a list, "3-5" being asked for. */
const KEPT_KEYWORDS = 5;

export function queryIn(answer: string, { cutOff = false, keywords = false }: AnswerOptions = {}): QueryOrReason {
  const said = withoutThoughts(withoutInvisible(answer));
  if (said === undefined) return { reason: 'its thoughts break off before an answer comes' };
  const block = withoutFence(firstTurn(said.slice(0, READ)));
  const unpacked = unpackJson(block);
  if (unpacked === undefined) return { reason: 'it is data in a form that was not asked for' };
  const lines = unpacked.split('\n').filter((line) => /[\p{L}\p{N}]/u.test(line));
  const at = lines.findIndex((line, i) => !isAboutTheAnswer(line, i + 1 < lines.length));
  if (lines.slice(0, at < 0 ? lines.length : at).some(talks)) return { reason: 'it thinks aloud' };
  if (at < 0) return { reason: lines.length === 0 ? 'it holds no word' : 'it only announces an answer' };
  const listed = lines.slice(at);
  const isList =
    keywords && listed.length > 1 && listed.every((line) => LIST_MARK.test(line) && splitWords(line).length < 5);
  const entries = listed.slice(0, isList ? KEPT_KEYWORDS : 1);
  const line = entries.map((entry) => withoutDecoration(isList ? entry.replace(LIST_MARK, '') : entry)).join(' ');
  const words = splitWords(line);
  // Everything behind the line that is kept arrived after it, so the line is whole.
  const breaksOff = cutOff && words.length <= KEPT_WORDS && isEnd(answer, entries.at(-1)!);
  const query = (breaksOff ? words.slice(0, -1) : words.slice(0, KEPT_WORDS)).join(' ');
  const reason = reasonAgainst(query, breaksOff);
  return reason === undefined ? { query, shortened: breaksOff } : { reason };
}

/** Line breaks of all kinds become line feeds; control characters and what cannot be seen go. */
function withoutInvisible(answer: string): string {
  return (
    answer
      .replace(/\r\n?|[\v\f\x85\u2028\u2029]/gu, '\n')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is looked for.
      .replace(/[\x00-\x08\x0e-\x1f\x7f-\x9f]/gu, ' ')
      .replace(/[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/gu, '')
  );
}

const THOUGHT = 'think|thinking|thoughts?|reason|reasoning|reflection|analysis|scratchpad|inner_monologue|seed:think';
/**
 * The openings of thoughts: `<think>`, `[THINK]`, `◁think▷`, `<|begin_of_thought|>`, `<unused94>thought`, and the channel of the harmony format.
 */
const OPENS_THOUGHT = new RegExp(
  String.raw`<\s*(?:${THOUGHT})(?:\s[^<>]*)?>|\[THINK\]|◁think▷|<\|(?:begin_of_thought|start_thinking|thinking)\|>|<unused94>|<\|?channel\|?>\s*(?:analysis|commentary|thought)`,
  'i',
);
const CLOSES_THOUGHT = new RegExp(
  String.raw`<\s*/\s*(?:${THOUGHT})\s*>|\[/THINK\]|◁/think▷|<\|(?:end_of_thought|end_thinking|/thinking)\|>|<unused95>|<\|?channel\|?>\s*final(?:\s*<\|message\|>)?`,
  'gi',
);

/** The answer after the last thought; undefined when one does not end. A chat template may have swallowed the beginning of the first. */
function withoutThoughts(answer: string): string | undefined {
  const ends = [...answer.matchAll(CLOSES_THOUGHT)];
  const last = ends.at(-1);
  const rest = last ? answer.slice(last.index + last[0].length) : answer;
  return OPENS_THOUGHT.test(rest) ? undefined : rest;
}

const MARKER = String.raw`<\|[^<>|\n]{0,40}\|?>|<[\w-]{1,30}\|>|<｜[^<>\n]{0,40}｜>|</?s>|<(?:start|end)_of_(?:turn|utterance|text)>|<(?:bos|eos|pad|unk|mask|sop|eop|endoftext|unused\d+|extra_id_\d+)>|\[/?INST\]|<</?SYS>>|\[(?:BOS|EOS|PAD|UNK|CLS|SEP|gMASK)\]|###\s*(?:Response|Instruction|Input|Human|Assistant|User)\b:?`;
const ROLE = '(?:user|assistant|human|system|model|ai|bot|chatbot)';
const LEADING_MARKER = new RegExp(String.raw`^\s*(?:(?:${MARKER})\s*(?:${ROLE}\s*(?:\n|:|(?=<)))?\s*)+`, 'i');
const FURTHER_MARKER = new RegExp(
  // A turn of somebody else, in a line of its own or behind the answer.
  String.raw`${MARKER}|\n\s*\**${ROLE}\**\s*:|(?<=\S\s+)(?:User|Human|Assistant|System|USER|HUMAN|ASSISTANT|SYSTEM)\s*:`,
  'i',
);

/** The model's own turn, where it went on with the next ones. */
function firstTurn(answer: string): string {
  const turn = answer.replace(LEADING_MARKER, '').replace(new RegExp(String.raw`^\s*\**${ROLE}\**\s*:\**\s*`, 'i'), '');
  const at = turn.search(FURTHER_MARKER);
  return at < 0 ? turn : turn.slice(0, at);
}

/** The content of the first fence, where there is one. */
function withoutFence(answer: string): string {
  const [, info = '', rest = ''] = /(?:```|~~~)([^\n`~]*)([\s\S]*)/.exec(answer) ?? [];
  if (info === '' && rest === '') return answer.replace(/`{3,}|~{3,}/g, '');
  const inside = rest.split(/`{3,}|~{3,}/)[0]!;
  // Without a line break there is no language behind the fence, but the text itself.
  return /\S/.test(inside) ? inside : info;
}

/** The only string of an answer in JSON; undefined when it is JSON of another kind. */
function unpackJson(answer: string): string | undefined {
  const text = answer.trim();
  if (!/^[{[]/.test(text)) return answer;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const values: unknown[] = typeof value === 'object' && value !== null ? Object.values(value) : [];
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : undefined;
}

const LIST_MARK = /^\s*(?:[-*+•‣▪–—]\s+|\(?(?:\d{1,2}|[a-e])[.):]\s+|\d️?⃣\s*)/u;
/** The mark of a list's first entry. Only this entry is taken, so that "2. Bundesliga" is no list. */
const FIRST_LIST_MARK = /^\s*(?:[-*+•‣▪–—]\s+|\(?(?:1|a)[.):]\s+|1️?⃣\s*)/iu;
const QUOTES_AROUND = /^[\s"'`“”„‘’«»「」『』]+|[\s"'`“”„‘’«»「」『』]+$/gu;
const LABEL =
  /^(?:(?:the |my |your )?(?:(?:short |simple |possible |suggested |final |web |google |user |example |search |main )*(?:search(?:es)?|query|queries|question|keywords?|terms?|phrase|answer|output|response|result)|user|assistant|human|model|ai|bot|q|a))\s*(?:\([^()]{0,60}\)\s*)?(?:(?:is|are|(?:could|would|might|may|can) be)\s*)?[:：]\s*/i;
const GREETING =
  /^(?:(?:sure(?: thing)?|certainly|of course|absolutely|okay|ok|alright|no problem|got it|understood|gladly)\s*[!.,:–—]+|great(?: question)?!+|(?:i(?:['’]d| would) be|i(?:['’]m| am)) (?:happy|glad) to[^.!:]{0,60}[.!]+|happy to help\s*[.!]+)\s*/i;
const ANNOUNCEMENT =
  /^(?:here(?:['’]s| is| are| you go)|below (?:is|are)|the following (?:is|are)|this is|based on|for this document|a (?:short|simple|possible|good)|one (?:possible|could)|(?:you|someone|a user|people) (?:could|can|might|may|would)|i(?:['’]d| would) (?:search|type|suggest|use))\b[^:]{0,160}[:：]\s*/i;
const ABOUT = /\b(?:search|quer(?:y|ies)|questions?|keywords?|terms?|document|answers?|phrase)\b/i;

/** One line without what models put around a text. */
function withoutDecoration(line: string): string {
  let text = line;
  for (let before = ''; before !== text; ) {
    before = text;
    text = text
      .trim()
      .replace(/^#{1,6}\s+|^>\s*/, '')
      .replace(FIRST_LIST_MARK, '')
      .replace(/\*\*/g, '')
      .replace(/(?<![\w*])\*(?=\S)([^*]*\S)\*(?![\w*])/g, '$1')
      .replace(/^(_{1,2})(?=\S)([^_]*\S)\1$/, '$2')
      .replace(
        /<\/?(?:b|i|em|strong|p|br|code|query|search|question|answer|output|response|result|keywords?|text)\s*\/?>/gi,
        '',
      )
      .replace(GREETING, '')
      .replace(LABEL, '')
      .replace(QUOTES_AROUND, '');
    const announced = ANNOUNCEMENT.exec(text)?.[0];
    if (announced !== undefined && ABOUT.test(announced)) text = text.slice(announced.length);
  }
  return text;
}

/** A line such as "Sure! Here is a short web search:". */
function isAboutTheAnswer(line: string, moreFollows: boolean): boolean {
  const text = withoutDecoration(line);
  if (!/[\p{L}\p{N}]/u.test(text)) return true;
  if (/[:：]\**$/.test(line.trim()) && moreFollows) return true;
  return /^(?:here(?:['’]s| is| are)|below (?:is|are)) (?:a|an|the|your|my|some|one)\b/i.test(text) && ABOUT.test(text);
}

/** Tells whether the answer ends within the line. A line with a line feed behind it is whole. */
function isEnd(answer: string, line: string): boolean {
  return withoutInvisible(answer).replace(/ +$/, '').endsWith(line.trim());
}

const TALKS = [
  /^(?:okay|ok|alright|hmm+|so|well|first)\b,?.*\b(?:the user|i need|i should|i have to|let me|let['’]s|we need)\b/i,
  /^(?:we|i|you) (?:need|have|should|must|are asked|am asked|want|will|can) (?:to )?(?:write|produce|create|come up|generate|output|find a|think|make a|provide|give)\b/i,
  /^(?:let me|let['’]s) (?:write|think|see|start|create|look|analy[sz]e|break|come|try|first)\b/i,
  /^(?:the user|thinking process|thought process|analysis|reasoning)\b.*(?:\b(?:wants?|asks?|asked|is asking|needs?|provided|gave)\b|:)/i,
  /^(?:the|this) (?:document|text|passage) (?:is about|describes|discusses|talks about|appears|seems)\b/i,
];

function talks(line: string): boolean {
  return TALKS.some((form) => form.test(line.trim()));
}

const REFUSES =
  /\b(?:as an ai\b|language model\b.*\bI\b|i(?:['’]m| am) (?:sorry|unable|not able|an ai)\b|i (?:can(?:['’]t|not| not)|won['’]t|apologi[sz]e)\b)|^sorry,|^(?:please provide|could you (?:please )?provide|no document (?:was|is)|you (?:did not|didn['’]t|have not|haven['’]t) provide)/i;
/** The ways in which programs and models write that there is nothing. */
const NOTHING =
  /^[([]?(?:n\/a|none|null|nil|nan|undefined|no (?:query|answer|output|response)|empty(?: string)?)[)\]]?[.!]?$/i;
const ECHOES = /^(?:write a short (?:web search|question) \(|list 3-5 search keywords|document:)/i;
const LEFTOVER =
  /<\||\|>|<｜|\[\/?INST\]|<\/?SYS>|```|~~~|^\[[^\]]*\]$|\[(?:insert|your|document|product|name|topic|keyword)\b[^\]]*\]/i;

/** A tag. Type parameters, `List<String>` or `<T>`, are none. */
const TAG = /(?<!\S)<\/?[a-z_]+(?:\s[^<>]*)?>/;

function reasonAgainst(query: string, breaksOff: boolean): string | undefined {
  if (!/[\p{L}\p{N}]/u.test(query)) return breaksOff ? 'it breaks off within its first word' : 'it holds no word';
  if (NOTHING.test(query)) return 'it says that there is none';
  if (REFUSES.test(query)) return 'the model refuses';
  if (talks(query)) return 'it thinks aloud';
  if (ECHOES.test(query)) return 'it repeats what was asked';
  if (LEFTOVER.test(query) || TAG.test(query)) return 'markup or a placeholder is left in it';
  return undefined;
}
