"""A tiny random BERT in a folder, in Hugging Face format: trains for real in a second, and is not downloaded."""

from __future__ import annotations

import string
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_TEXT = """
a about above after again all also always an and any are as at awful bad be beautiful because been before best better
big boring both bright but by can cast clever could cup day did dull end enough even every fails far few film final
find first flat for from full fun funny game get give go goal good great had has hate have he her here him his hold
how if in into is it its joy just keep kind know last late lazy league less life like little long look lost lot love
made make man many market match may me mess mind money more most movie much must my never new next nice no not now of
off office old on once one only or other our out over own part people plan play player plot point poor price profit
quick rate real rest right same say scene score season see sell sharp she shop slow small smart so some star stock
still story strong sweet take team than that the their them then there these they thing think this those time tired to
too trade true two under up us very wait warm was waste watch way we weak well were what when where which while who why
will win with wonderful word work worst worth would year yes yet you young your
"""
WORDS = tuple(_TEXT.split())


def tiny_model(folder: Path, words: Sequence[str] = (), seed: int = 0) -> Path:
    """Writes a 2-layer BERT of hidden size 32 with a WordPiece vocabulary of WORDS, `words` and single letters."""
    vocabulary = _vocabulary(words)
    tokenizer = Tokenizer(WordPiece({word: index for index, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [("[CLS]", vocabulary.index("[CLS]")), ("[SEP]", vocabulary.index("[SEP]"))]
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=ends
    )
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=64, pad_token="[PAD]", unk_token="[UNK]",
        cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=64, pad_token_id=0, initializer_range=0.2,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertModel(config)
    model.save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder


def _vocabulary(words: Sequence[str]) -> list[str]:
    letters = [*string.ascii_lowercase, *string.digits, *string.punctuation]
    pieces = [f"##{letter}" for letter in [*string.ascii_lowercase, *string.digits]]
    return list(dict.fromkeys([*SPECIAL, *letters, *pieces, *WORDS, *words]))
