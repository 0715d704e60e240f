"""Cohere's Python SDK pointed at a server that run.ts has started: texts in both versions, primed documents in the first, and a refusal."""

import os

import cohere
from cohere.core.api_error import ApiError

url, key = os.environ["DKV_URL"], os.environ["DKV_KEY"]
TEXTS = ["The green lamp costs 24 euros and gives warm light.", "The oak chair costs 80 euros.", "A desk of pine, 120 cm wide."]
IDS = [{"id": name} for name in ("lamp", "chair", "desk")]
asked = {"model": "directed-kvcache", "query": "warm light"}

first, second = cohere.Client(key, base_url=url), cohere.ClientV2(key, base_url=url)


def shown(answer) -> list[tuple[int, float]]:
    return [(one.index, one.relevance_score) for one in answer.results]


texts = shown(first.rerank(documents=TEXTS, **asked))
assert len(texts) == 3 and texts == sorted(texts, key=lambda one: -one[1]), texts
assert shown(first.rerank(documents=[{"text": text} for text in TEXTS], **asked)) == texts
assert shown(second.rerank(documents=TEXTS, **asked)) == texts
stored = first.rerank(documents=IDS, return_documents=True, top_n=2, **asked)
assert len(stored.results) == 2 and stored.results[0].document.text == TEXTS[stored.results[0].index], stored
for client, status in ((cohere.Client("other", base_url=url), 401), (first, 404)):
    try:
        client.rerank(documents=TEXTS, query="x", model="rerank-v3.5")
        raise AssertionError("not refused")
    except ApiError as error:
        assert error.status_code == status, error
        print(status, error.body["error"]["code"])
print("cohere", cohere.__version__, [index for index, _ in texts], "primed", [index for index, _ in shown(stored)])
