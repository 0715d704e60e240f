/**
 * What checkpoints hold in place of safetensors and tokenizer.json, told by the names of their files, and what helps. Nothing here opens a file: weights in
 * Python's pickles are programs that run while they are read.
 */

/** The names of weights in other forms: Python's pickles first, then the forms of other libraries. */
const PICKLED = /^(pytorch_model.*\.bin|.*\.(ckpt|pth?))$/;
const OTHERS = /^(tf_model.*\.h5|flax_model.*\.msgpack)$/;

/** The files that Python's tokenizers are made from. */
const TOKENIZERS = ['spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model', 'vocab.json', 'vocab.txt'];

/** @returns what stands there instead of safetensors, and why it is not read; undefined where nothing is known */
export function weightsInstead(names: readonly string[]): string | undefined {
  const pickled = names.find((name) => PICKLED.test(name));
  const found = pickled ?? names.find((name) => OTHERS.test(name));
  if (!found) return undefined;
  const reason = pickled
    ? 'a Python pickle, which can run any program while it is opened'
    : 'a form of another library';
  return `its weights stand in ${found}, ${reason}; only safetensors are read`;
}

/** @returns what stands there instead of tokenizer.json; undefined where nothing is known */
export function tokenizerInstead(names: readonly string[]): string | undefined {
  const found = TOKENIZERS.find((name) => names.includes(name));
  return found && `its tokenizer stands in ${found} alone, from which Python makes a tokenizer.json`;
}

export const SAVE_ANEW =
  'Python writes both when it saves a model, AutoTokenizer.from_pretrained("MODEL").save_pretrained("FOLDER") and likewise AutoModelForSeq2SeqLM: see docs/troubleshooting.md, "Weights as .bin, or no tokenizer.json".';
