/** What language models are asked when they write surrogates, after the research's protocol. */
import { splitWords } from '../base/words.js';

/** The research's prompts, word for word. */
export const QUERY_PROMPTS = {
  need: 'Write a short web search (5-8 words) someone would type to find this document. Focus on what the searcher NEEDS, not what the document says. Use simple everyday language.',
  question: 'Write a short question (5-8 words) that this document answers.',
  keywords: 'List 3-5 search keywords for this document, separated by spaces. Only content words, no filler words.',
} as const;

const DOCUMENT_WORDS = 150;

/** The part of a document that a language model is shown: its first 150 words. */
export function shownWords(document: string): string {
  return splitWords(document).slice(0, DOCUMENT_WORDS).join(' ');
}

/** The message to a language model. @param shown what `shownWords` gives of the document */
export function askForQuery(prompt: string, shown: string): string {
  return `${prompt}\n\nDocument:\n${shown}`;
}
