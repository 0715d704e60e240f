"""Noise in training examples: queries with other words around, without some, in another order; ads with other answers."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

import recipe
from ads import Ad, Question

CONSONANTS, VOWELS = "bcdfghjklmnprstvwxz", "aeiouy"


class Noise:
    def __init__(self, choice: recipe.Noise, ads: list[Ad], tokenize: Callable[[str], tuple[int, ...]]):
        self._choice, self._ads, self._tokenize = choice, ads, tokenize

    def ad(self, random: np.random.Generator, ad: Ad) -> Ad:
        if random.random() < self._choice.ads:
            ad = self._with_other_answers(random, ad)
        return replace(ad, questions=tuple(self._question(random, question) for question in ad.questions))

    def _question(self, random: np.random.Generator, question: Question) -> Question:
        if random.random() >= self._choice.queries:
            return question
        words = question.query.split()
        drop = random.random(len(words)) < self._choice.dropped
        if drop.sum() <= len(words) / 3:
            words = [word for word, gone in zip(words, drop) if not gone]
        if random.random() < self._choice.shuffled:
            words = list(random.permutation(words))
        if random.random() < self._choice.led_in:
            words = [*self._words(random, 1 + random.integers(4)), *words]
        query = " ".join(words)
        return replace(question, query=query, query_ids=self._tokenize(query))

    def _with_other_answers(self, random: np.random.Generator, ad: Ad) -> Ad:
        text, answers = ad.text, {question.kind: question.answer for question in ad.questions}
        for at in random.permutation(len(ad.questions))[: self._choice.answers]:
            kind, answer = ad.questions[at].kind, ad.questions[at].answer
            other = self._other(random, answer)
            if answer not in text or other in text:
                continue
            text = text.replace(answer, other)
            answers[kind] = other
        # An answer may have been part of another one, which is then gone.
        kept = [question for question in ad.questions if answers[question.kind] in text]
        if len(kept) < 2:
            return ad
        changed = [replace(q, answer=answers[q.kind], answer_ids=self._tokenize(answers[q.kind])) for q in kept]
        return Ad(text, self._tokenize(text), tuple(changed))

    def _other(self, random: np.random.Generator, answer: str) -> str:
        if any(c.isdigit() for c in answer) and random.random() < self._choice.digits:
            return "".join(str(random.integers(10)) if c.isdigit() else c for c in answer)
        count = 1 + random.integers(4)
        if random.random() >= self._choice.invented:
            return " ".join(self._words(random, count))
        return " ".join(self._invented(random) for _ in range(min(count, 3)))

    def _words(self, random: np.random.Generator, count: int) -> list[str]:
        words = self._ads[random.integers(len(self._ads))].text.split()
        start = random.integers(max(1, len(words) - count))
        return [word.strip(".,:;!?()") or word for word in words[start : start + count]]

    def _invented(self, random: np.random.Generator) -> str:
        if random.random() < 0.2:
            letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
            return "".join(letters[at] for at in random.integers(len(letters), size=2 + random.integers(6)))
        word = "".join(
            CONSONANTS[random.integers(len(CONSONANTS))] + VOWELS[random.integers(len(VOWELS))] for _ in range(1 + random.integers(4))
        )
        if random.random() < 0.5:
            word += CONSONANTS[random.integers(len(CONSONANTS))]
        return word.capitalize() if random.random() < 0.6 else word
