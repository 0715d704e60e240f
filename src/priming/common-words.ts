/**
 * The 102 words of eight letters from which experiments 09 and 10 of the research's v4 draw their random prefixes, in the order that its draws
 * depend on (peterg889/research, directed_kvcache_v4).
 */
const LINES = `
computer mountain hospital children building national business research students american possible economic
personal together products services actually remember practice training industry complete critical function
language standard material original physical security interest problems consider response pressure politics
movement evidence southern northern exchange decision position increase describe military required approach
strategy customer resource employee audience location property cultural activity strength analysis powerful
election argument campaign maintain question behavior majority solution software consumer creative reaction
european delivery organize involved relative learning positive numerous familiar engineer platform indicate
previous pleasure opposite magazine document religion scenario workshop minority guidance estimate recently
surprise champion pleasant grateful moderate boundary`;

export const COMMON_WORDS: readonly string[] = LINES.trim().split(/\s+/);
