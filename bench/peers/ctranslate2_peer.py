"""CTranslate2 as one side of a benchmark: the protocol of ../contestant.ts. Its interface scores from texts and generates, no more.

    python bench/peers/ctranslate2_peer.py COMPUTE_TYPE CHECKPOINT WORKLOADS.json FOLDER

COMPUTE_TYPE is int8 or float32. The checkpoint is converted into FOLDER first; its random weights have no tokenizer, so token 17 is
called "t17".
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

threads = len(os.sched_getaffinity(0))
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import ctranslate2
from ctranslate2.converters import TransformersConverter
from ctranslate2.converters.transformers import T5Loader
from ctranslate2.specs.model_spec import OPTIONAL

from side import serve

BATCH_TOKENS = 1024


class Tokens:
    """What the converter asks of a tokenizer."""

    pad_token, eos_token, bos_token, unk_token = "t0", "t1", "t2", "t3"

    def __init__(self, vocabulary: int):
        self.vocabulary = vocabulary

    def get_vocab(self) -> dict[str, int]:
        return {self.convert_ids_to_tokens(token): token for token in range(self.vocabulary)}

    def convert_ids_to_tokens(self, token: int) -> str:
        return f"t{token}"


class Converter(TransformersConverter):
    def __init__(self, checkpoint: str):
        super().__init__(checkpoint)
        self.vocabulary = json.loads((Path(checkpoint) / "config.json").read_text())["vocab_size"]

    def load_tokenizer(self, *_, **__) -> Tokens:
        return Tokens(self.vocabulary)


def unscaled(get_model_spec):
    """The converter scales what T5's head reads wherever a config says `tie_word_embeddings`; transformers 5 says so of FLAN-T5, too."""

    def get(loader, model):
        spec = get_model_spec(loader, model)
        if not model.config.scale_decoder_outputs:
            spec.decoder.scale_outputs = OPTIONAL
        return spec

    return get


T5Loader.get_model_spec = unscaled(T5Loader.get_model_spec)


def named(documents: list[list[int]]) -> list[list[str]]:
    return [[f"t{token}" for token in ids] for ids in documents]


class Contestant:
    def __init__(self, compute: str, checkpoint: str, work: dict, folder: str):
        self.work = work
        target = Path(folder) / compute
        if not target.exists():
            Converter(checkpoint).convert(str(target), quantization=compute)
        self.translator = ctranslate2.Translator(
            str(target), device="cpu", compute_type=compute, inter_threads=1, intra_threads=threads
        )

    def score(self, documents: list[list[int]], targets: list[list[int]]) -> float:
        results = self.translator.score_batch(
            named(documents), named(targets), max_batch_size=BATCH_TOKENS, batch_type="tokens", max_input_length=0
        )
        # The end token, which comes last, is not among ours.
        nlls = [-sum(result.log_probs[: len(ids)]) / len(ids) for result, ids in zip(results, targets)]
        return sum(nlls) / len(nlls)

    def generate(self, count: int) -> float:
        results = self.translator.translate_batch(
            named(self.work["prompts"][:count]),
            beam_size=1,
            min_decoding_length=self.work["generated"],
            max_decoding_length=self.work["generated"],
            max_input_length=0,
        )
        return sum(len(result.hypotheses[0]) for result in results) / len(results)

    def run(self, workload: str) -> Callable[[], float]:
        check = self.check(workload)
        return lambda: check

    def check(self, workload: str) -> float:
        if workload.startswith("generate"):
            return self.generate(int(workload.split("-")[1]))
        documents = self.work[DOCUMENTS[workload]]
        wanted = self.work["targets"]
        return self.score(documents, [wanted[at % len(wanted)] for at in range(len(documents))])


DOCUMENTS = {"score-text": "documents", "score-text-128": "of128", "score-text-512": "of512"}


def main() -> None:
    compute, checkpoint, file, folder = sys.argv[1:]
    work = json.loads(Path(file).read_text())

    def start():
        side = Contestant(compute, checkpoint, work, folder)
        side.score(work["documents"][:2], work["targets"][:2])
        return side.run

    serve(["ctranslate2"], start)


main()
