"""Does the program notice what is wrong, and are its draws those that docs/statistics.md describes?    python tools/recompute/test.py"""
import gzip
import hashlib
import json
import tempfile
import unittest
import zlib
from pathlib import Path

import numpy as np
from scipy import stats

from clusters import Dependence, borrowing, intraclass_correlation, partition, together
from compare import changed, compare, leaves
from draws import LANES, STEPS, Words, flipped_sums, resampled_counts
from folder import Damaged, read_run
from gains import cohens_d, resampled_robust, robust
from hardness import correlation
from inference import Sampling
from outcomes import FINE, INVERSE_TEMPERATURES, Arm, curve
from ranking import value_of

BITS = 2**64 - 1


def one_by_one(key, count):
    """The same stream by whole numbers, a word at a time."""
    digest = hashlib.sha256(key.encode()).digest()
    words = [int.from_bytes(digest[at : at + 4], "little") for at in (0, 4, 8, 12)]
    a, b = words[0] << 32 | words[1], words[2] << 32 | words[3]
    turned = lambda x, by: (x << by | x >> 64 - by) & BITS
    for _ in range(count):
        yield a + b & 0xFFFFFFFF
        c = a ^ b
        a, b = turned(a, 24) ^ c ^ c << 16 & BITS, turned(c, 37)


class Draws(unittest.TestCase):
    def test_lanes_and_blocks_go_on_where_the_last_one_ended(self):
        count = LANES * STEPS + 2 * STEPS
        wanted = np.fromiter(one_by_one('["bootstrap",42]', count), np.uint32, count)
        words = Words.named("bootstrap", 42)
        self.assertTrue(np.array_equal(np.concatenate([words.take(7), words.take(count - 7)]), wanted))

    def test_resamples_and_signs_take_words_in_their_order(self):
        words = list(one_by_one('["k"]', 12))
        counts = resampled_counts(Words.named("k"), 3, 4)
        for draw in range(4):
            places = [word * 3 >> 32 for word in words[3 * draw : 3 * draw + 3]]
            self.assertEqual(counts[draw].tolist(), [places.count(cluster) for cluster in range(3)])
        values = np.arange(1.0, 41)
        wanted = [sum(values[i] for i in range(40) if words[2 * draw + i // 32] >> i % 32 & 1) for draw in range(6)]
        self.assertEqual(flipped_sums(Words.named("k"), values, 6).tolist(), wanted)

    def test_draws_are_trimmed_as_lists_are(self):
        clusters = partition([0, 1, 1, 2, 3, 4, 4, 4, 5, 6])
        values = np.array([3.0, -1, 2, 2, 9, 0.5, 7, -4, 2, 1])
        sampling = Sampling(Dependence(clusters, None, "cluster", clusters, None, "none"), Words.named("k"))
        trimmed, d = resampled_robust(values, sampling)
        for draw in range(0, len(trimmed), 97):
            drawn = np.repeat(values, sampling.counts[draw][clusters])
            mean, own = robust(drawn)
            self.assertAlmostEqual(trimmed[draw], stats.trim_mean(drawn, 0.2), 12)
            self.assertAlmostEqual(trimmed[draw], mean, 12)
            np.testing.assert_allclose(d[draw], own, rtol=1e-9)


class Definitions(unittest.TestCase):
    def test_what_borrows(self):
        for name in ("random20", "wrong_kw5*3", "scramble(random_matched*4)*2", "join(title, random1)", "join(join(oracle,kw5), random_kw_matched)*query"):
            self.assertTrue(borrowing(name), name)
        for name in ("oracle*4", "static:random20", "join(static:a\\, random5, kw3)", "common_words8", "scramble(static:x, random5)", "column:random5", "llm:prompt=random5"):
            self.assertFalse(borrowing(name), name)

    def test_clusters_cross_where_most_would_hang_together(self):
        pairs = partition(i % 20 for i in range(40))
        components, crossed = together(pairs, partition(i // 2 for i in range(40)))
        self.assertIsNotNone(crossed)
        components, crossed = together(partition(range(40)), pairs)
        self.assertIsNone(crossed)
        self.assertTrue(np.array_equal(components, pairs))

    def test_ties_of_rankings_go_by_id(self):
        scores, grades = {"a": 1.0, "b": 1.0, "c": 0.5}, {"a": 1, "b": 0, "c": 0}
        self.assertEqual(value_of("RR", scores, grades, 1), 0.5)
        self.assertEqual(value_of("AUC", scores, grades, 1), 0.75)
        self.assertAlmostEqual(value_of("nDCG@10", scores, grades, 1), 1 / np.log2(3), 15)
        self.assertIsNone(value_of("AP", scores, {"a": 0}, 1))


class Constants(unittest.TestCase):
    def test_equal_numbers_have_no_correlation_and_no_effect_size(self):
        hard, gain = np.full(9, 0.1), np.arange(9.0)
        hard[-1] = (0.1 + 0.1 + 0.1) / 3
        self.assertTrue(np.isnan(correlation(hard, gain)))
        self.assertTrue(np.isnan(correlation(gain, hard)))
        self.assertIsNone(cohens_d(hard)["value"])
        self.assertTrue(np.isnan(intraclass_correlation(hard, np.arange(9) // 3)))
        self.assertAlmostEqual(correlation(gain, 2 * gain), 1)


class Outcomes(unittest.TestCase):
    def test_the_sharpness_of_other_folds_is_where_their_loss_is_least(self):
        random = np.random.default_rng(1)
        nlls = random.uniform(3, 5, (30, 8))
        nlls[:, 0] -= 0.7
        arm = Arm(nlls, np.repeat(np.arange(10), 3))
        loss = lambda some, at: np.log(np.exp(-at * some).sum(axis=1)) + at * some[:, 0]
        grid = np.arange(0, 8, 0.001)
        folds = np.repeat(np.arange(10), 3) % 5
        for fold in range(5):
            best = grid[np.argmin([loss(nlls[folds != fold], at).sum() for at in grid])]
            np.testing.assert_allclose(arm.loss[folds == fold], loss(nlls[folds == fold], best), atol=2e-3)

    def test_curves_are_those_of_mixtures(self):
        logits = np.random.default_rng(2).normal(0, 3, 2000)
        for target in (int(np.argmax(logits)), 0):
            nll = lambda at: np.logaddexp.reduce(at * (logits - logits[target]))
            direct = np.array([nll(at) for at in FINE])
            np.testing.assert_allclose(curve(np.array([nll(at) for at in INVERSE_TEMPERATURES]), len(logits)), direct, atol=1e-3)


class Comparing(unittest.TestCase):
    ours = dict(leaves({"a": [{"p": {"t": 3.2e-161}, "mean": -0.25, "name": "x", "low": None, "holds": True, "n": 3, "tokens": []}]}))

    def test_every_type_of_field(self):
        self.assertEqual(compare(self.ours, self.ours).differing, {})
        for path, value in self.ours.items():
            self.assertEqual(list(compare({**self.ours, path: changed(value)}, self.ours).differing), [path])
        self.assertEqual(compare({**self.ours, "a[0].mean": -0.25 * (1 + 1e-12)}, self.ours).differing, {})

    def test_fields_that_are_near_each_other_by_nature(self):
        ours = {"temperature.comparisons[0].all.remaining.value": 0.3, "temperature.comparisons[0].all.at_one.value": 0.3}
        near, exact = ours
        self.assertEqual(compare({**ours, near: 0.3015}, ours).differing, {})
        self.assertEqual(list(compare({**ours, near: 0.303}, ours).differing), [near])
        self.assertEqual(list(compare({**ours, exact: 0.30001}, ours).differing), [exact])

    def test_new_and_missing_fields(self):
        self.assertEqual(list(compare({**self.ours, "a[0].new": 1}, self.ours).differing), ["a[0].new"])
        self.assertEqual(list(compare(self.ours, {**self.ours, "b": 1}).differing), ["b"])
        left_out = compare({**self.ours, "passes.encoder": 1}, self.ours)
        self.assertEqual((left_out.differing, list(left_out.left_out)), ({}, ["passes.encoder"]))


class Folders(unittest.TestCase):
    def test_what_is_damaged_or_does_not_add_up(self):
        trial = {"sample": "s", "condition": "c", "nll": 1.5, "nll_sum": 3.0, "num_tokens": 2, "token_nlls": [1.0, 2.0], "cut": False}

        def read(line, run='{"configuration":{}}'):
            with tempfile.TemporaryDirectory() as folder:
                for name, text in {"run.json": run, "summary.json": '{"samples":{"dependence":{"by":"sample"}}}', "samples.jsonl": '{"id":"s"}\n', "trials.jsonl": line}.items():
                    Path(folder, name).write_text(text)
                return read_run(folder)

        sealed = json.dumps(trial)[:-1]
        sealed += f',"crc32":"{zlib.crc32(sealed.encode()):08x}"}}\n'
        self.assertEqual(read(sealed).trials, {"c": {"s": trial}})

        summary = b'{"samples":{"dependence":{"by":"sample"}}}'

        def read_found(**files):
            with tempfile.TemporaryDirectory() as folder:
                for name, content in {"run.json": b'{"configuration":{}}', "summary.json": summary, **files}.items():
                    if content is not None:
                        Path(folder, name).write_bytes(content)
                return read_run(folder)

        trials, samples = sealed.encode(), b'{"id":"s"}\n'
        packed = {"trials.jsonl.gz": gzip.compress(trials), "samples.jsonl.gz": gzip.compress(samples)}
        whole = read(sealed)
        for one in (read_found(**packed), read_found(**packed, **{"summary.json": None, "summary.json.gz": gzip.compress(summary)})):
            self.assertEqual((one.trials, one.samples, one.summary), (whole.trials, whole.samples, whole.summary))
        for files, what in (
            ({**packed, "summary.json.gz": gzip.compress(summary)}, "both summary.json and summary.json.gz are there"),
            ({**packed, "summary.json": None}, "neither summary.json nor summary.json.gz is there"),
            ({**packed, "samples.jsonl": samples}, "both samples.jsonl and samples.jsonl.gz are there"),
            ({"trials.jsonl": trials}, "neither samples.jsonl nor samples.jsonl.gz is there"),
            ({**packed, "samples.jsonl.gz": packed["samples.jsonl.gz"][:-9]}, "samples.jsonl.gz: not what gzip wrote"),
            ({**packed, "samples.jsonl.gz": samples}, "samples.jsonl.gz: not what gzip wrote"),
        ):
            with self.assertRaisesRegex(Damaged, what):
                read_found(**files)
        for line, what in ((sealed.replace("1.5", "1.6"), "checksum"), (json.dumps({**trial, "nll": 1.4}) + "\n", "do not go together"), (sealed[:-1], "torn")):
            with self.assertRaisesRegex(Damaged, what):
                read(line)

        def line_after(before, value):
            body = json.dumps(value, separators=(",", ":"))[:-1].encode()
            check = zlib.crc32(body, before)
            return check, f'{body.decode()},"crc32":"{check:08x}"}}\n'

        own = {"experiment": "e", "samples": 1, "seed": 2, "dataset": "d", "dataset_digest": "0", "model": "m", "fingerprint": "1", "started_at": "now"}
        record = {
            "configuration": {"experiment": {"id": "e"}, "samples": 1, "seed": 2, "dataset": {"name": "d", "digest": "0"}, "model": {"name": "m", "fingerprint": "1"}},
            "started_at": "now",
            "bound": True,
        }
        before, head = line_after(0, {"run": own})
        bound = line_after(before, trial)[1]
        self.assertEqual(read(head + bound, json.dumps(record)).trials, {"c": {"s": trial}})
        for text, what in ((head + sealed, "checksum"), (bound, "which run"), (sealed, "which run"), (line_after(0, {"run": {**own, "seed": 3}})[1] + bound, "another run")):
            with self.assertRaisesRegex(Damaged, what):
                read(text, json.dumps(record))
        check = f"{zlib.crc32(samples.encode() if isinstance(samples, str) else samples):08x}"
        before, head = line_after(0, {"run": {**own, "samples_crc32": check}})
        bound = line_after(before, trial)[1]
        self.assertEqual(read(head + bound, json.dumps({**record, "samples_crc32": check})).trials, {"c": {"s": trial}})
        for named, what in (("0" * 8, "run's own samples 00000000"), (None, "another run")):
            with self.assertRaisesRegex(Damaged, what):
                read(head + bound, json.dumps({**record, **({"samples_crc32": named} if named else {})}))

        # Packed: two conditions, the second told from the first, and as many binary digits as halves need.
        def packed_text(changes=None, journal=own, end=2, digits=None):
            head = {"packed": 1, **({"journal": {"run": journal}} if journal else {}), "conditions": ["c", "d"], "after": [None, 0], "fraction_bits": 1}
            line = {"sample": "s", "token_nlls": [[2, 1], [4, -3]], "fields": {"cut": {"values": [False]}, "leak": {"values": [True], "at": [None, 0]}}, **(changes or {})}
            if digits is not None:
                line.pop("token_nlls")
            body = "".join(json.dumps(one) + "\n" for one in (head, line, *([] if digits is None else [{"digits": digits}])))
            return body + line_after(zlib.crc32(body.encode()), {"entries": end})[1]

        other = {**trial, "condition": "d", "nll": 1.0, "nll_sum": 2.0, "token_nlls": [1.5, 0.5], "leak": True}
        self.assertEqual(read(packed_text(), json.dumps(record)).trials, {"c": {"s": trial}, "d": {"s": other}})
        # The same numbers by their digits, lowest first, each twice its size and 1 more where it is negative. Older packed trials have the rows themselves.
        in_digits = read(packed_text({"tokens": 2}, digits=["4287"]), json.dumps(record)).trials
        self.assertEqual(in_digits, {"c": {"s": trial}, "d": {"s": other}})
        tempered = read(packed_text({"tokens": 2, "tempered": True}, digits=["4287" + "0" * 36, "0" * 40]), json.dumps(record)).trials["d"]["s"]
        self.assertEqual((tempered["token_nlls"], tempered["tempered_nlls"][1]), ([1.5, 0.5], [0.0] * 6 + [0.5] + [0.0] * 3))
        # 513 / 2^10 is 0.5009765625: nine digits of it, as a journal has them, end with 3.
        finer = packed_text({"token_nlls": [[513, 0], [0, 0]]}).replace('"fraction_bits": 1', '"fraction_bits": 10')
        body = finer.rsplit("{", 1)[0]
        finer = body + line_after(zlib.crc32(body.encode()), {"entries": 2})[1]
        tie = read(finer, json.dumps(record)).trials["c"]["s"]
        self.assertEqual((tie["token_nlls"], tie["nll_sum"]), ([0.500976563, 0.0], 513 / 1024))
        only = read(packed_text({"of": [1], "token_nlls": [[3], [1]], "fields": {"cut": {"values": [False]}, "leak": {"values": [True]}}}, end=1), json.dumps(record))
        self.assertEqual(only.trials, {"d": {"s": other}})
        at_ten = [[0, 0]] * 18
        tempered = read(packed_text({"tempered_nlls": at_ten}), json.dumps(record)).trials["d"]["s"]["tempered_nlls"]
        self.assertEqual(tempered, [[0.0] * 6 + [nll] + [0.0] * 3 for nll in (1.5, 0.5)])
        whole = packed_text()
        for text, what in (
            (whole.replace("-3", "-2"), "checksum"),
            (whole.rsplit("{", 1)[0], "checksum|its end says None"),
            (packed_text(end=3), "its end says 3"),
            (packed_text({"tokens": 3}, digits=["4287"]), "not as trials are packed"),
            (packed_text({"tokens": 1}, digits=["4287"]), "digits of 4 numbers, and lines of 2"),
            (packed_text({"tokens": 2}, digits=["4287", "000"]), "of different numbers"),
            (packed_text({"tokens": 2}, digits=["428g"]), "digits that are none"),
            (packed_text({"token_nlls": [[2], [4]]}), "not as trials are packed"),
            (packed_text(journal=None), "which run"),
            (packed_text(journal={**own, "seed": 3}), "another run"),
        ):
            with self.assertRaisesRegex(Damaged, what):
                read(text, json.dumps(record))


if __name__ == "__main__":
    unittest.main()
