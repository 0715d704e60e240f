"""What transformers makes of one-token relevance, of the T5 fixture that has a tokenizer: logits of two words as the decoder's first.

    python make_relevance_fixture.py test/fixtures/reference-t5/text

Writes `relevance.json` beside the checkpoint. `cross`: query and document in the template of monoT5, in the encoder, and the decoder's start
token alone, as rerankers of that kind are run. `cached`: the document alone in the encoder, its end of text hidden from the decoder, which reads the
query's prompt. The words are two that this small vocabulary has as one token each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
import transformers
from transformers import AutoTokenizer, T5ForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

RELEVANT, IRRELEVANT = "open", "on"
PAIRS = [
    ("What does the lamp cost?", "The lamp on the desk costs 24.90 euros and comes in green, white and black."),
    ("when is it open\n", "\nOpening hours:\r\nMonday to Friday 8-18\n\nClosed on Sundays. "),
    ("price of\u3000cre\u0300me", "Cafe\u0301\u2003menu\u2026 {query} soft\xadly, $& and $1"),
]


@torch.no_grad()
def main() -> None:
    folder = Path(sys.argv[1])
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = T5ForConditionalGeneration.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    start = model.config.decoder_start_token_id

    def ids(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False)

    words = [ids(RELEVANT), ids(IRRELEVANT)]
    assert all(len(word) == 1 for word in words), words
    chosen = [word[0] for word in words]

    def first(encoder_ids: list[int], hidden: int, prompt: list[int]) -> dict:
        states = model.encoder(input_ids=torch.tensor([encoder_ids])).last_hidden_state
        mask = torch.ones(1, len(encoder_ids), dtype=torch.long)
        mask[0, len(encoder_ids) - hidden:] = 0
        logits = model(
            encoder_outputs=BaseModelOutput(last_hidden_state=states), attention_mask=mask,
            decoder_input_ids=torch.tensor([[start, *prompt]]), use_cache=False,
        ).logits[0, -1]
        return dict(logits=logits[chosen].tolist(), log_probability=logits.log_softmax(-1)[chosen[0]].item())

    cases = []
    for query, document in PAIRS:
        template = f"Query: {query} Document: {document} Relevant:"
        encoder_ids = tokenizer.encode(template)
        prompt = ids(f"Query: {query} Relevant:")
        cases.append(dict(
            query=query, document=document, encoder_ids=encoder_ids, cross=first(encoder_ids, 0, []),
            cached=first(tokenizer.encode(document), 1, prompt),
        ))
    versions = dict(transformers=transformers.__version__, torch=torch.__version__)
    content = dict(versions=versions, relevant=RELEVANT, irrelevant=IRRELEVANT, tokens=chosen, cases=cases)
    (folder / "relevance.json").write_text(json.dumps(content, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
