"""Learn to write Python's documentation, letter by letter: a transformer or a GRU on a text that Python ships.

It tells how many bits the model takes for a letter that it has not seen, of which counts of pairs of letters are the
mark to beat, and at the end writes some text.
"""

import argparse
import math
from pydoc_data.topics import topics

import numpy as np
from command_line import number

import minigrad as mg
from minigrad import nn

LENGTH, SIZE, DEPTH, HEADS, BATCH = 48, 64, 2, 4, 24


class Transformer(nn.Module):
    """(N, L) letters -> (N, L, SIZE): what is known after each letter, from those before it and itself."""

    def __init__(self, letters, rng):
        self.letters, self.positions = (nn.Embedding(n, SIZE, rng=rng) for n in (letters, LENGTH))
        self.norms = [nn.LayerNorm(SIZE) for _ in range(DEPTH)]
        self.attention = [nn.MultiHeadAttention(SIZE, HEADS, rng=rng) for _ in range(DEPTH)]
        wide = ((nn.Linear(SIZE, 4 * SIZE, rng=rng), nn.Linear(4 * SIZE, SIZE, rng=rng)) for _ in range(DEPTH))
        self.wide = [nn.Sequential(nn.LayerNorm(SIZE), first, nn.ReLU(), second) for first, second in wide]

    def forward(self, text):
        x = self.letters(text) + self.positions(np.arange(text.shape[1]))
        for norm, attention, wide in zip(self.norms, self.attention, self.wide, strict=True):
            y = norm(x)
            x = x + attention(y, y, y, need_weights=False, is_causal=True)[0]
            x = x + wide(x)
        return x


class Recurrent(nn.Module):
    """The same by a GRU, which reads one letter after another."""

    def __init__(self, letters, rng):
        self.letters, self.gru = nn.Embedding(letters, SIZE, rng=rng), nn.GRU(SIZE, SIZE, rng=rng)

    def forward(self, text):
        return self.gru(self.letters(text))[0]


def loss(model, text, starts):
    """The mean of -ln P(next letter) over a window of text from each start."""
    windows = text[starts[:, None] + np.arange(LENGTH + 1)]
    logits = model(windows[:, :-1])
    return mg.softmax_cross_entropy(logits.reshape(-1, logits.shape[-1]), windows[:, 1:].reshape(-1))


@mg.no_grad()
def continued(model, text, count, rng):
    """The text with so many more letters, each drawn from what the model expects."""
    for _ in range(count):
        p = mg.softmax(model(np.array([text[-LENGTH:]]))[0, -1].astype(float) / 0.8)
        text = [*text, rng.choice(len(p), p=p.data)]
    return text


def main(arguments=None):
    """Train; print the bits a letter and some text; return the bits, and those that counts of pairs take."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["transformer", "gru"], default="transformer", help="(default transformer)")
    parser.add_argument("--steps", type=number(int, 1), default=1000, metavar="N", help="(default 1000)")
    options = parser.parse_args(arguments)

    rng, letters = np.random.default_rng(0), [*"".join(topics[name] for name in sorted(topics))[:300_000]]
    alphabet, text = np.unique(letters, return_inverse=True)
    train, test = np.split(text, [len(text) * 9 // 10])
    body = {"transformer": Transformer, "gru": Recurrent}[options.model](len(alphabet), rng)
    model = nn.Sequential(body, nn.Linear(SIZE, len(alphabet), rng=rng, initial=nn.glorot_normal))
    optimizer = mg.optim.AdamW(model.parameters(), lr=3e-3)
    counts, unseen = np.ones([len(alphabet)] * 2), np.arange(0, len(test) - LENGTH, LENGTH)[:100]
    np.add.at(counts, (train[:-1], train[1:]), 1)
    pairs = -np.log2(counts / counts.sum(1, keepdims=True))[test[:-1], test[1:]].mean()
    print(f"{len(text):,} letters, {len(alphabet)} different; counts of pairs take {pairs:.2f} bits for one")
    for step in range(1, options.steps + 1):
        optimizer.zero_grad()
        loss(model, train, rng.integers(0, len(train) - LENGTH, BATCH)).backward()
        mg.optim.clip_grad_norm(optimizer.parameters, 1.0)
        optimizer.lr = mg.optim.cosine_annealing(step, 3e-3, options.steps, 3e-4)
        optimizer.step()
        if step % 100 == 0 or step == options.steps:
            with mg.no_grad():
                bits = loss(model, test, unseen).item() / math.log(2)
            print(f"step {step:5d}  {bits:.2f} bits a letter")
    print("".join(alphabet[continued(model, [*train[:1]], LENGTH * 6, rng)]))
    return bits, pairs


if __name__ == "__main__":
    main()
