"""Training examples from AdWorld's JSON lines: what the encoder reads and what the decoder writes.

Every encode is a row of ids that starts with <bos>; every target belongs to one encode, and all of the encode's rows are visible to it.
Knows no network. Batches are a function of (seed, block): a resumed run sees what an undisturbed one sees.
"""

import re
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from ads import Ad, Question
from network import BOS, EOS
from noise import Noise
from recipe import Recipe

TASKS = ("query_in_encoder", "query_in_decoder", "unprompted", "ask", "continued")
#: Encodes that are drawn and sorted by length together.
BLOCK = 1024
STOP_WORDS = frozenset(
    "the and for are our you your with that this have has from its not but was all can will they them who one out get".split()
)


@dataclass(frozen=True)
class Target:
    task: str
    #: What stands in the decoder before the target, without <bos>.
    prompt: tuple[int, ...]
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Encode:
    ids: tuple[int, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Batch:
    #: [B, S], padded with 0
    encoder: np.ndarray
    #: [B, T]: the targets of an encode end to end, each <bos>, prompt, target; padded with 0
    decoder: np.ndarray
    #: [B, T]: the number of the target that an id belongs to, from 1; 0 for padding
    segments: np.ndarray
    #: [B, T]: the id to predict, -100 where nothing is
    labels: np.ndarray
    #: [B, T]: index into TASKS where something is predicted, else -1
    tasks: np.ndarray


class Examples:
    def __init__(self, ads: list[Ad], tokenizer: Tokenizer, recipe: Recipe):
        self.ads = ads
        self.recipe = recipe
        self._tokenize = lambda text: tuple(tokenizer.encode(text, add_special_tokens=False).ids)
        self._noise = Noise(recipe.noise, ads, self._tokenize)
        self._separators = [self._tokenize(text) for text in recipe.prefixes.separators]
        self.newline = self._tokenize("\n")
        pieces = [tokenizer.id_to_token(at) for at in range(tokenizer.get_vocab_size())]
        self._starts_word = [piece.startswith("\u2581") for piece in pieces]
        self._ends_sentence = [piece.endswith((".", "!", "?")) for piece in pieces]

    def batches(self, seed: int, block: int, tokens: int) -> list[Batch]:
        """All batches of a block, each of about `tokens` encoder ids with padding, in random order."""
        random = np.random.default_rng((seed, block))
        encodes = [self.draw(random, block) for _ in range(BLOCK)]
        encodes.sort(key=lambda encode: len(encode.ids))
        groups: list[list[Encode]] = [[]]
        for encode in encodes:
            if (len(groups[-1]) + 1) * _padded(len(encode.ids)) > tokens:
                groups.append([])
            groups[-1].append(encode)
        return [collate(groups[at]) for at in random.permutation(len(groups))]

    def draw(self, random: np.random.Generator, block: int) -> Encode:
        stages = self.recipe.stages
        ad = self.ads[random.integers(len(self.ads))]
        if block >= stages.noise_from:
            ad = self._noise.ad(random, ad)
        if block < stages.short_until:
            ad = self._shortened(random, ad)
        prompted = block >= stages.prompted_from
        share = self.recipe.encodes
        kind = _pick(random, {"query": share.query, "alone": share.alone, "unrelated": share.unrelated})
        if kind == "query":
            return self._with_query(random, ad, prompted)
        before = () if kind == "alone" else self._unrelated(random, ad)
        return Encode((BOS, *before, *ad.ids), self._queryless_targets(random, ad, prompted))

    def _shortened(self, random: np.random.Generator, ad: Ad) -> Ad:
        """The sentence that answers one of the ad's questions among few others, in order."""
        sentences = re.split(r"(?<=[.!?])\s+", ad.text)
        chosen = ad.questions[random.integers(len(ad.questions))].answer
        keep = random.random(len(sentences)) < self.recipe.stages.kept_sentences
        text = " ".join(s for s, kept in zip(sentences, keep) if kept or chosen in s)
        questions = tuple(q for q in ad.questions if q.answer in text)
        return Ad(text, self._tokenize(text), questions) if questions else ad

    def _with_query(self, random: np.random.Generator, ad: Ad, prompted: bool) -> Encode:
        first, *others = _shuffled(random, ad.questions)
        prompt = first.query_ids if prompted and random.random() < self.recipe.decodes.query_twice else ()
        targets = [Target("query_in_encoder", prompt, first.answer_ids), *self._continued(random, ad)]
        if prompted and self.recipe.decodes.siblings:
            targets += self._prompted(others, targets)
        return Encode((BOS, *first.query_ids, *self._separator(random), *ad.ids), tuple(targets))

    def _queryless_targets(self, random: np.random.Generator, ad: Ad, prompted: bool) -> tuple[Target, ...]:
        share = self.recipe.decodes
        first, *others = _shuffled(random, ad.questions)
        targets = []
        if not prompted or random.random() < share.unprompted:
            targets.append(Target("unprompted", (), first.answer_ids))
        if random.random() < share.ask:
            targets.append(Target("ask", (), first.query_ids))
        targets += self._continued(random, ad)
        return (*targets, *(self._prompted(others, targets) if prompted and others else ()))

    def _prompted(self, questions: list[Question], others: list[Target]) -> list[Target]:
        """Answers with their query in the decoder, as many as fit beside the other targets; one at least."""
        left = self.recipe.decodes.ids - sum(1 + len(target.prompt) + len(target.ids) for target in others)
        targets: list[Target] = []
        for question in questions:
            target = Target("query_in_decoder", question.query_ids, question.answer_ids)
            left -= 1 + len(target.prompt) + len(target.ids)
            if left < 0 and targets:
                break
            targets.append(target)
        return targets

    def _continued(self, random: np.random.Generator, ad: Ad) -> list[Target]:
        """From somewhere in the ad to the end of the sentence: what teaches the decoder to copy at all, long before it knows what."""
        if random.random() >= self.recipe.decodes.continued:
            return []
        shown = self.recipe.decodes.shown
        if len(ad.ids) < shown + 2:
            return []
        start = int(random.integers(len(ad.ids) - shown - 1))
        end = start + shown
        while end < len(ad.ids) and not self._is_end(ad.ids, end - 1):
            end += 1
        cut = ad.ids[start + shown : end]
        return [Target("continued", ad.ids[start : start + shown], cut)] if 0 < len(cut) <= self.recipe.decodes.longest_continued else []

    def _is_end(self, ids: tuple[int, ...], at: int) -> bool:
        return self._ends_sentence[ids[at]] and self._starts_word[ids[at + 1]]

    def _separator(self, random: np.random.Generator) -> tuple[int, ...]:
        if random.random() < self.recipe.prefixes.other_separators:
            return self._separators[random.integers(len(self._separators))]
        return self.newline

    def _unrelated(self, random: np.random.Generator, ad: Ad) -> tuple[int, ...]:
        share = self.recipe.prefixes
        other = self.ads[random.integers(len(self.ads))]
        names = ("other_query", "other_words", "own_keywords", "repeated_word", "separator_only")
        kind = _pick(random, {name: getattr(share, name) for name in names})
        count = 1 + random.integers(share.longest_words)
        words = other.text.split()
        if kind == "other_query":
            before = other.questions[random.integers(len(other.questions))].query_ids
        elif kind == "other_words":
            start = random.integers(len(words))
            run = words[start : start + count] if random.random() < 0.5 else list(random.permutation(words)[:count])
            before = self._tokenize(" ".join(run))
        elif kind == "own_keywords":
            before = self._tokenize(" ".join(_keywords(ad.text)[: 1 + random.integers(8)]))
        elif kind == "repeated_word":
            before = self._tokenize(" ".join([words[random.integers(len(words))]] * min(count, 12)))
        else:
            before = ()
        return (*before, *self._separator(random))


def collate(encodes: list[Encode]) -> Batch:
    width = _padded(max(len(encode.ids) for encode in encodes))
    length = max(sum(1 + len(t.prompt) + len(t.ids) for t in encode.targets) for encode in encodes)
    length = 8 * -(-length // 8)
    encoder = np.zeros((len(encodes), width), dtype=np.int64)
    decoder, segments = (np.zeros((len(encodes), length), dtype=np.int64) for _ in range(2))
    labels = np.full((len(encodes), length), -100, dtype=np.int64)
    tasks = np.full((len(encodes), length), -1, dtype=np.int64)
    for row, encode in enumerate(encodes):
        encoder[row, : len(encode.ids)] = encode.ids
        at = 0
        for number, target in enumerate(encode.targets, 1):
            ids = (BOS, *target.prompt, *target.ids)
            end, first = at + len(ids), at + len(target.prompt)
            decoder[row, at:end] = ids
            segments[row, at:end] = number
            labels[row, first:end] = (*target.ids, EOS)
            tasks[row, first:end] = TASKS.index(target.task)
            at = end
    return Batch(encoder, decoder, segments, labels, tasks)


def _padded(length: int) -> int:
    return 16 * -(-length // 16)


def _pick(random: np.random.Generator, shares: dict[str, float]) -> str:
    names = list(shares)
    weights = np.array([shares[name] for name in names])
    return names[random.choice(len(names), p=weights / weights.sum())]


def _shuffled(random: np.random.Generator, items: tuple) -> list:
    return [items[at] for at in random.permutation(len(items))]


def _keywords(text: str) -> list[str]:
    """The frequent words of a text in lower case, without short and common ones."""
    words = ["".join(c for c in word.lower() if c.isalnum()) for word in text.split()]
    counts: dict[str, int] = {}
    for word in words:
        if len(word) > 2 and word not in STOP_WORDS:
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts, key=lambda word: -counts[word]) or ["information"]
