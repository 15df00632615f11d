"""The training example: it learns, repeats itself bit for bit, and behaves on every kind of bad day."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import images
import numpy as np
import pytest
import train_cnn
import training_view

SCRIPT = Path(train_cnn.__file__)
ROOT = SCRIPT.parents[1]
MNIST = ROOT.parent / "shared" / "data" / "mnist"
NAMES = ["conv1.k", "conv1.b", "conv2.k", "conv2.b", "fc.w", "fc.b", "input.mean", "input.deviation"]


@pytest.fixture
def few_digits(monkeypatch):
    """A data set small enough for a test that doesn't look at accuracy."""
    whole = images.load_digits(np.random.default_rng(0))
    few = images.Dataset("few digits", *(images.Part(part.images[:96], part.labels[:96]) for part in whole[1:]))
    monkeypatch.setattr(images, "load_digits", lambda rng: few)


def run(*options):
    return train_cnn.main([str(option) for option in options])


def epochs(text):
    """(train loss, test accuracy, seconds) of each epoch's line."""
    pattern = r"^epoch +\d+/\d+ +train loss ([\d.]+) +test accuracy ([\d.]+) +([\d.]+) s$"
    return [tuple(map(float, line)) for line in re.findall(pattern, text, re.MULTILINE)]


def command(*options):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    return {"args": [sys.executable, str(SCRIPT), *map(str, options)], "env": environment, "text": True}


def test_it_learns_the_digits(capsys):
    assert run("--epochs", 6) == 0
    output = capsys.readouterr().out
    lines = epochs(output)
    assert len(lines) == 6
    assert lines[-1][0] < lines[0][0] / 4
    assert lines[-1][1] >= 0.9
    assert "1,437 training and 360 test images of 8x8" in output
    assert re.search(r"^ +1,898$", output, re.MULTILINE), "the header should state the number of parameters"


def test_short_training_on_mnist(capsys):
    if not MNIST.is_dir():
        pytest.skip("the MNIST files aren't there")
    options = ["--data", str(MNIST), "--kernel", "5", "--epochs", "1", "--lr", "0.1"]
    options = train_cnn.option_parser().parse_args(options)
    data = images.load_idx(options.data)
    assert [part.images.shape for part in data[1:]] == [(60000, 28, 28), (10000, 28, 28)]
    scale = images.measure(data.train.images[:3200])
    train, test = (
        images.Part(scale.standardise(part.images[:3200], options.dtype), part.labels[:3200]) for part in data[1:]
    )
    rng = np.random.default_rng(0)
    history = train_cnn.train(train_cnn.Network((28, 28), options, rng), train, test, options, rng)
    assert history.epochs[0].test_accuracy >= 0.8


def test_same_seed_same_bits(few_digits, tmp_path):
    for name, seed in {"a": 3, "b": 3, "c": 4}.items():
        assert run("--epochs", 2, "--seed", seed, "--save", tmp_path / f"{name}.npz") == 0
    a, b, c = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_arrays_have_the_dtype_that_was_asked_for(dtype, few_digits, tmp_path):
    assert run("--epochs", 1, "--dtype", dtype, "--channels", "3,5", "--save", tmp_path / "net.npz") == 0
    with np.load(tmp_path / "net.npz", allow_pickle=False) as saved:
        assert saved.files == NAMES
        assert {array.dtype for array in saved.values()} == {np.dtype(dtype)}
        assert [saved[name].shape for name in NAMES[:6]] == [(3, 1, 3, 3), (3,), (5, 3, 3, 3), (5,), (20, 10), (10,)]
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


@pytest.mark.parametrize("activation", train_cnn.ACTIVATIONS)
@pytest.mark.parametrize("pool", train_cnn.POOLS)
def test_loss_falls_with_every_pool_and_activation(pool, activation, few_digits, capsys):
    options = ("--pool", pool, "--activation", activation, "--channels", "4,6", "--lr", 0.1, "--dtype", "float64")
    assert run("--epochs", 6, *options) == 0
    lines = epochs(capsys.readouterr().out)
    assert lines[-1][0] < lines[0][0]


@pytest.mark.parametrize(("pool", "rate"), train_cnn.LEARNING_RATES.items())
def test_default_learning_rate_is_the_pooling_s(pool, rate, few_digits, capsys):
    assert run("--epochs", 1, "--pool", pool) == 0
    assert f"learning rate {rate:g}, " in capsys.readouterr().out


@pytest.mark.parametrize(("kernel", "before_the_last_layer"), [(1, (6, 2, 2)), (2, (6, 2, 2)), (5, (6, 2, 2))])
def test_half_the_kernel_is_padding(kernel, before_the_last_layer, few_digits):
    options = train_cnn.option_parser().parse_args(["--kernel", str(kernel), "--channels", "4,6"])
    network = train_cnn.Network((8, 8), options, np.random.default_rng(0))
    assert network.shapes[2] == before_the_last_layer
    assert network(np.zeros((2, 1, 8, 8), np.float32)).shape == (2, 10)


def test_batches_are_whole_and_drawn_anew():
    rng = np.random.default_rng(0)
    first, second = (train_cnn.batches(20, 6, rng) for _ in range(2))
    for steps in (first, second):
        assert steps.shape == (3, 6)
        assert len(np.unique(steps)) == 18
        assert set(steps.flat) <= set(range(20))
    assert not np.array_equal(first, second)


def test_weights_keep_the_signal():
    rng = np.random.default_rng(0)
    he, glorot = (train_cnn.initial((64, 32, 3, 3), activation, rng) for activation in ("relu", "tanh"))
    assert he.var() == pytest.approx(2 / (32 * 9), rel=0.05)
    assert glorot.var() == pytest.approx(2 / ((32 + 64) * 9), rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--epochs", "0"], "argument --epochs: '0' should be a whole number from 1"),
        (["--epochs", "2.5"], "argument --epochs: '2.5' should be a whole number from 1"),
        (["--batch-size", "-1"], "argument --batch-size: '-1' should be a whole number from 1"),
        (["--batch-size", "1438"], "a batch of 1438 is more than the 1437 training images"),
        (["--lr", "0"], "argument --lr: '0' should be a number above 0"),
        (["--lr", "nan"], "argument --lr: 'nan' should be a number above 0"),
        (["--lr", "inf"], "argument --lr: 'inf' should be a number above 0"),
        (["--channels", "8"], "argument --channels: '8' should be two whole numbers from 1, such as 8,16"),
        (["--channels", "8,0"], "argument --channels: '8,0' should be two whole numbers from 1, such as 8,16"),
        (["--channels", "8,16,32"], "argument --channels: '8,16,32' should be two whole numbers from 1, such as 8,16"),
        (["--kernel", "x"], "argument --kernel: 'x' should be a whole number from 1"),
        (["--pool", "min"], "argument --pool: invalid choice: 'min'"),
        (["--activation", "gelu"], "argument --activation: invalid choice: 'gelu'"),
        (["--dtype", "float16"], "argument --dtype: invalid choice: 'float16'"),
        (["--seed", "-1"], "argument --seed: '-1' should be a whole number from 0"),
        (["--save", "net.pkl"], "argument --save: 'net.pkl' should end in .npz"),
        (["--save", "absent/net.npz"], "argument --save: can't write 'absent/net.npz': No such file or directory"),
        (["--save", "folder.npz"], "argument --save: 'folder.npz' is a folder, should be a file"),
        (["--plot", "curve.txt"], "argument --plot: 'curve.txt' should end in .png or .pdf or .svg"),
        (["--plot", "absent/curve.png"], "argument --plot: can't write 'absent/curve.png': No such file or directory"),
        (["--data", "absent"], "found no train-images file; tried absent/train-images-idx3-ubyte, "),
        (["--epoch", "3"], "unrecognized arguments: --epoch 3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_option_is_one_sentence_before_any_work(options, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("folder.npz").mkdir()
    with pytest.raises(SystemExit) as stop:
        train_cnn.main(options)
    output = capsys.readouterr()
    assert stop.value.code == 2
    assert output.out == ""
    assert f"error: {message}" in output.err.splitlines()[-1]
    assert [path.name for path in Path().iterdir()] == ["folder.npz"]


def test_image_too_small_to_pool_twice():
    with pytest.raises(
        ValueError, match="images of 3x8 are too small: conv2 leaves 1x4 but pooling needs at least 2x2"
    ):
        train_cnn.layer_shapes((3, 8), (8, 16), 3)


def test_divergence_is_an_error_and_saves_nothing(few_digits, tmp_path, capsys):
    assert run("--lr", 1e30, "--save", tmp_path / "net.npz") == 1
    assert re.search(r"error: the loss became (nan|inf); a smaller --lr than 1e\+30 may help", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_a_finite_divergence_is_told_at_the_end(few_digits, tmp_path, capsys):
    assert run("--lr", 100, "--epochs", 2, "--save", tmp_path / "net.npz") == 1
    output = capsys.readouterr()
    assert output.out.endswith(f"saved {tmp_path / 'net.npz'}\n")
    assert re.search(
        r"error: the training diverged: the loss of the last epoch is .*; a smaller --lr than 100", output.err
    )
    assert run("--epochs", 1, "--channels", "2,3") == 0
    assert "diverged" not in capsys.readouterr().err


def test_plot_without_matplotlib_is_an_error_before_the_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SystemExit):
        run("--plot", tmp_path / "curve.png")
    assert "error: --plot needs matplotlib" in capsys.readouterr().err


def test_a_full_disk_is_one_line(few_digits, tmp_path, monkeypatch, capsys):
    def full(*arguments, **arrays):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert run("--epochs", 1, "--save", tmp_path / "net.npz") == 1
    assert capsys.readouterr().err.endswith("error: [Errno 28] No space left on device\n")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "net.npz"
    path.write_bytes(b"before")

    def fail_halfway(file):
        file.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        train_cnn.write_whole(path, fail_halfway)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("accuracies", [[], [1.0], [0.9], [0.0, 0.1], [0.99, 1.0], [0.5, *[1.0] * 29]])
def test_axes_count_whole_epochs_and_end_at_100_percent(accuracies, tmp_path):
    steps = 10 * len(accuracies) or 3
    epochs = [training_view.Epoch(i, 0.5, accuracy, 1.0) for i, accuracy in enumerate(accuracies, start=1)]
    history = training_view.History(10, [0.5 / step for step in range(1, steps + 1)], epochs)
    whole = training_view.figure("few digits", history, np.ones((8, 1, 3, 3)))
    whole.savefig(tmp_path / "curve.png")
    loss, accuracy = whole.axes[:2]
    for axes in (loss, accuracy):
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert 2 <= len(ticks) <= 10
        assert all(tick.is_integer() for tick in ticks)
        assert low < 0 < max(1, len(accuracies)) < high
    low, high = accuracy.get_ylim()
    assert 0 <= low <= min(accuracies, default=0) <= max(accuracies, default=1) <= high <= 1
    assert min(axes.get_position().width for axes in (loss, accuracy)) > 0.3  # of the room for both


def test_one_is_not_counted_as_many(few_digits, tmp_path, capsys):
    paths = [str(tmp_path / name) for name in ("net.npz", "curve.png", "network.dot")]
    options = [text for pair in zip(("--save", "--plot", "--graph"), paths, strict=True) for text in pair]
    assert run("--epochs", 1, "--batch-size", 96, "--channels", "2,3", *options) == 0
    output = capsys.readouterr().out
    assert "\n1 epoch of 1 step on 96 images, " in output
    assert output.endswith(f"saved {paths[0]}, {paths[1]} and {paths[2]}\n")


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_plot_is_an_image(suffix, few_digits, tmp_path, capsys):
    path = tmp_path / f"curve.{suffix}"
    assert run("--epochs", 2, "--channels", "5,6", "--plot", path) == 0
    assert path.read_bytes().startswith({"png": b"\x89PNG", "svg": b"<?xml"}[suffix])
    assert capsys.readouterr().out.endswith(f"saved {path}\n")


@pytest.mark.parametrize(("suffix", "beginning"), [("png", b"\x89PNG"), ("svg", b"<svg"), ("html", b"<!DOCTYPE html>")])
def test_graph_is_a_picture_or_a_walk(suffix, beginning, few_digits, tmp_path, capsys):
    path = tmp_path / f"network.{suffix}"
    assert run("--epochs", 1, "--channels", "2,3", "--graph", path) == 0
    assert path.read_bytes().startswith(beginning)
    assert capsys.readouterr().out.endswith(f"saved {path}\n")


def test_drawing_the_graph_leaves_the_training_as_it_was(few_digits, tmp_path, capsys):
    paths = tmp_path / "drawn.npz", tmp_path / "undrawn.npz"
    run("--epochs", 1, "--channels", "2,3", "--save", paths[0], "--graph", tmp_path / "network.dot")
    run("--epochs", 1, "--channels", "2,3", "--save", paths[1])
    drawn, undrawn = map(np.load, paths)
    assert all(np.array_equal(drawn[name], undrawn[name]) for name in NAMES)
    assert "train_cnn.py" in (tmp_path / "network.dot").read_text()  # the line of each op


def test_graph_without_graphviz_is_an_error_before_the_training(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit):
        run("--graph", tmp_path / "network.png")
    assert "error: --graph needs Graphviz" in capsys.readouterr().err


def test_plain_lines_where_there_is_no_terminal():
    done = subprocess.run(**command("--epochs", 2, "--channels", "2,3"), capture_output=True, timeout=300)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.isascii()
    assert "\r" not in done.stdout
    assert len(epochs(done.stdout)) == 2


def test_a_bar_on_a_terminal_and_the_same_lines():
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        **command("--epochs", 2, "--channels", "2,3"), stdout=subprocess.PIPE, stderr=theirs, timeout=300
    )
    os.set_blocking(ours, False)
    bar = os.read(ours, 100_000)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 0
    assert len(epochs(done.stdout)) == 2
    assert b"\r" in bar
    assert b"steps" in bar


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT to another process")
def test_ctrl_c_saves_what_there_is(tmp_path):
    files = tmp_path / "net.npz", tmp_path / "curve.png"
    options = ("--epochs", 100_000, "--channels", "2,3", "--save", files[0], "--plot", files[1])
    with subprocess.Popen(**command(*options), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            lines = [process.stdout.readline()]
            while not lines[-1].startswith("epoch"):
                assert lines[-1], "the training ended before its first epoch"
                lines.append(process.stdout.readline())
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert process.returncode == 130
    assert errors == ""
    assert re.search(r"^interrupted in epoch \d+ after [\d,]+ steps$", output, re.MULTILINE)
    assert output.endswith(f"saved {files[0]} and {files[1]}\n")
    with np.load(files[0], allow_pickle=False) as saved:
        assert saved.files == NAMES
        assert all(np.isfinite(array).all() for array in saved.values())
    assert files[1].read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_ctrl_c_before_the_first_whole_epoch(few_digits, tmp_path, monkeypatch, capsys):
    steps = []

    def press_in_the_second_step(*arguments, take=train_cnn.descend):
        steps.append(take(*arguments))
        if len(steps) == 2:
            signal.raise_signal(signal.SIGINT)
        return steps[-1]

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(train_cnn, "descend", press_in_the_second_step)
    assert run("--plot", tmp_path / "curve.png") == 130
    assert (tmp_path / "curve.png").is_file()
    assert "interrupted in epoch 1 after 2 steps\n" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before
    steps.clear()
    assert run() == 130
    assert capsys.readouterr().out.endswith("saved nothing, as neither --save nor --plot was given\n")


def test_ctrl_c_before_the_training(monkeypatch, capsys):
    monkeypatch.setattr(images, "load_digits", lambda rng: signal.raise_signal(signal.SIGINT))
    assert run() == 130
    assert capsys.readouterr() == ("", "interrupted at once\n")


def test_second_ctrl_c_stops_at_once():
    with train_cnn.CtrlC() as ctrl_c:
        signal.raise_signal(signal.SIGINT)
        assert ctrl_c.pressed
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
