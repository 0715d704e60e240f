"""Every choice that makes the built-in model: data, tasks and their shares, architecture, optimization.

The run writes these values, as resolved, into the checkpoint's `training/recipe.json`, from where the model card takes them.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tokenizer:
    vocabulary: int = 4096
    #: Pieces of their own that no task uses.
    sentinels: int = 16
    #: Advertisements of the training split that the pieces are learned on, with their queries and answers.
    ads: int = 40_000


@dataclass(frozen=True)
class Architecture:
    hidden: int = 256
    intermediate: int = 832
    encoder_layers: tuple[str, ...] = ("sliding", "full", "sliding", "full")
    decoder_layers: tuple[str, ...] = ("sliding", "full")
    heads: int = 4
    key_value_heads: int = 1
    head_size: int = 64
    sliding_window: int = 64


@dataclass(frozen=True)
class EncodeShares:
    """What the encoder reads, as shares of all encodes. Nothing of it is ever hidden from the decoder."""

    #: <bos> query separator ad
    query: float = 0.65
    #: <bos> ad
    alone: float = 0.15
    #: <bos> unrelated prefix, separator, ad
    unrelated: float = 0.20


@dataclass(frozen=True)
class DecodeShares:
    """What the decoder writes after one encode."""

    #: About so many ids are decoded for one encode: answers whose query stands in the decoder fill what the rest leaves.
    ids: int = 80
    #: query in the encoder: whether the same states also serve the ad's other queries, which the decoder reads
    siblings: bool = False
    #: query in the encoder: how often that query stands in the decoder too
    query_twice: float = 0.1
    #: ad alone or behind an unrelated prefix: how often an answer without any query
    unprompted: float = 0.3
    #: ad alone or behind an unrelated prefix: how often one of the ad's queries
    ask: float = 0.1
    #: any encode: how often the ad goes on from some of its tokens to the end of the sentence
    continued: float = 1.0
    #: how many tokens it goes on from, and the most to go
    shown: int = 3
    longest_continued: int = 32


@dataclass(frozen=True)
class Prefixes:
    """Shares of the kinds of unrelated prefix; words and queries come from other ads of the training split."""

    other_query: float = 0.35
    other_words: float = 0.25
    own_keywords: float = 0.15
    repeated_word: float = 0.15
    separator_only: float = 0.10
    longest_words: int = 24
    #: "\n" has the rest
    other_separators: float = 0.25
    separators: tuple[str, ...] = (" ", "\n\n", ": ", " - ", ". ", " | ")


@dataclass(frozen=True)
class Noise:
    """Changes of training examples, so that phrasings and values are not learned by heart: a query is understood from any of its words,
    an answer is copied whatever it is."""

    #: Share of queries with changed words: up to a third dropped, and perhaps in another order, or behind words of another ad.
    queries: float = 0.6
    dropped: float = 0.25
    shuffled: float = 0.25
    led_in: float = 0.25
    #: Share of ads in which so many answers are replaced, in text and target: digits by digits, or all by other words.
    ads: float = 0.5
    answers: int = 3
    digits: float = 0.5
    #: Replacing words: share of invented ones; the others are of another ad.
    invented: float = 0.6


@dataclass(frozen=True)
class Stages:
    """What comes when, in blocks of examples."""

    #: Before it, ads are shortened to few sentences: an encode costs a third, so finding and copying are learned sooner.
    short_until: int = 60
    #: Beside the one with an answer, so many of a shortened ad's sentences are kept.
    kept_sentences: float = 0.2
    #: When the network has learned to find answers at all.
    noise_from: int = 45
    #: Before it the decoder never reads a query and its first layer adds nothing: a decoder of one layer cannot search by itself, so the
    #: encoder has to mark in the document's rows what the query asks for. From there on the decoder learns to search for a query of its own.
    prompted_from: int = 85


@dataclass(frozen=True)
class LossWeights:
    """Weight of a target's tokens, by task."""

    query_in_encoder: float = 2.0
    query_in_decoder: float = 1.0
    unprompted: float = 0.5
    ask: float = 0.3
    continued: float = 0.5


@dataclass(frozen=True)
class Optimization:
    #: Encoder tokens a step, padding included.
    tokens: int = 3584
    steps: int = 3000
    warmup: int = 200
    #: Learning rates: matrices by Muon, all else by AdamW.
    muon_rate: float = 0.02
    adam_rate: float = 0.003
    last_rate: float = 0.02
    weight_decay: float = 0.05
    clip: float = 1.0
    #: What the network computes in, weights aside, which are float32: a processor without matrix units of bfloat16 is faster in "float32".
    precision: str = "bfloat16"


@dataclass(frozen=True)
class Recipe:
    adworld_seed: int = 0
    train_ads: int = 80_000
    validation_ads: int = 2_000
    #: The first so many of them are watched during training; the gate takes later ones.
    watched_ads: int = 300
    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    architecture: Architecture = field(default_factory=Architecture)
    encodes: EncodeShares = field(default_factory=EncodeShares)
    decodes: DecodeShares = field(default_factory=DecodeShares)
    prefixes: Prefixes = field(default_factory=Prefixes)
    noise: Noise = field(default_factory=Noise)
    stages: Stages = field(default_factory=Stages)
    loss: LossWeights = field(default_factory=LossWeights)
    optimization: Optimization = field(default_factory=Optimization)
