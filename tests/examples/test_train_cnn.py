"""The training example: it learns, repeats itself bit for bit, and behaves on every kind of bad day."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import train_cnn
import training_data
import training_options
import training_view
from command_line import CtrlC

import minigrad as mg

SCRIPT = Path(train_cnn.__file__)
ROOT = SCRIPT.parents[1]
MNIST = ROOT.parent / "shared" / "data" / "mnist"
NAMES = ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "fc.weight", "fc.bias"]


@pytest.fixture
def few_digits(monkeypatch):
    """A data set small enough for a test that doesn't look at accuracy."""
    images, labels = mg.data.digits()
    monkeypatch.setattr(mg.data, "digits", lambda: mg.data.LabelledImages(images[:120], labels[:120]))


def run(*options):
    return train_cnn.main([str(option) for option in options])


def epochs(text):
    """(train loss, test accuracy, seconds) of each epoch's line."""
    pattern = (
        r"^epoch +\d+/\d+ +train loss ([\d.]+) +(?:validation accuracy [\d.]+ +)?test accuracy ([\d.]+) +([\d.]+) s$"
    )
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
    data = training_data.load(options, np.random.default_rng(0))
    assert [len(part.images) for part in (data.train, data.test)] == [60000, 10000]
    train, test = (part._make(array[:3200] for array in part) for part in (data.train, data.test))
    network = train_cnn.cnn(data.size, options, np.random.default_rng(0))
    optimizer = mg.optim.SGD(network.parameters(), options.lr)
    training = train_cnn.Training(network, optimizer, np.random.default_rng(0))
    assert not train_cnn.train(training, data._replace(train=train, test=test), options, {})
    assert training.epochs[0].test_accuracy >= 0.8


def test_same_seed_same_bits(few_digits, tmp_path):
    for name, seed in {"a": 3, "b": 3, "c": 4}.items():
        assert run("--epochs", 2, "--seed", seed, "--save", tmp_path / f"{name}.npz") == 0
    a, b, c = ((tmp_path / f"{name}.npz").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_saved_arrays_have_the_dtype_that_was_asked_for(dtype, few_digits, tmp_path):
    assert run("--epochs", 1, "--dtype", dtype, "--channels", "3,5", "--save", tmp_path / "net.npz") == 0
    saved = mg.load(tmp_path / "net.npz")
    assert list(saved["network"]) == NAMES
    assert {array.dtype for array in saved["network"].values()} == {np.dtype(dtype)}
    shapes = [array.shape for array in saved["network"].values()]
    assert shapes == [(3, 1, 3, 3), (3,), (5, 3, 3, 3), (5,), (10, 20), (10,)]
    assert saved["options"]["channels"] == (3, 5)
    assert saved["scale"].keys() == {"mean", "deviation"}
    assert [path.name for path in tmp_path.iterdir()] == ["net.npz"]


@pytest.mark.parametrize("activation", training_options.ACTIVATIONS)
@pytest.mark.parametrize("pool", training_options.POOLS)
def test_loss_falls_with_every_pool_and_activation(pool, activation, few_digits, capsys):
    options = ("--pool", pool, "--activation", activation, "--channels", "4,6", "--lr", 0.1, "--dtype", "float64")
    assert run("--epochs", 6, *options) == 0
    lines = epochs(capsys.readouterr().out)
    assert lines[-1][0] < lines[0][0]


@pytest.mark.parametrize("optimizer", training_options.OPTIMIZERS)
def test_loss_falls_with_every_optimizer(optimizer, few_digits, capsys):
    assert run("--epochs", 6, "--optimizer", optimizer) == 0
    output = capsys.readouterr().out
    assert f", {optimizer}, learning rate " in output
    lines = epochs(output)
    assert lines[-1][0] < 0.9 * lines[0][0]


@pytest.mark.parametrize(("pool", "rate"), [("avg", 0.2), ("max", 0.2), ("l2", 0.05)])
def test_default_learning_rate_is_the_pooling_s(pool, rate, few_digits, capsys):
    assert run("--epochs", 1, "--pool", pool) == 0
    assert f"learning rate {rate:g}, " in capsys.readouterr().out


@pytest.mark.parametrize("kernel", [1, 2, 5])
def test_half_the_kernel_is_padding(kernel, few_digits):
    options = train_cnn.option_parser().parse_args(["--kernel", str(kernel), "--channels", "4,6"])
    network = train_cnn.cnn((8, 8), options, np.random.default_rng(0))
    assert network.fc.weight.shape == (10, 6 * 2 * 2)
    assert network(np.zeros((2, 1, 8, 8), np.float32)).shape == (2, 10)


def test_weights_keep_the_signal():
    for activation, variance in {"relu": 2 / (32 * 9), "tanh": 2 / ((32 + 64) * 9)}.items():
        arguments = ["--channels", "32,64", "--activation", activation]
        options = train_cnn.option_parser().parse_args(arguments)
        weight = train_cnn.cnn((8, 8), options, np.random.default_rng(0)).conv2.weight
        assert weight.data.var() == pytest.approx(variance, rel=0.05)


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
        (["--optimizer", "newton"], "argument --optimizer: invalid choice: 'newton'"),
        (["--validation", "1"], "argument --validation: '1' should be a number from 0 to 0.9"),
        (["--patience", "3"], "--patience needs --validation, the fraction of the images to validate with"),
        (["--log", "log.txt"], "argument --log: 'log.txt' should end in .jsonl"),
        (["--checkpoint", "run.pkl"], "argument --checkpoint: 'run.pkl' should end in .npz"),
        (["--resume", "absent.npz"], "[Errno 2] No such file or directory: 'absent.npz'"),
        (["--resume", "run.pkl"], "load: path must end in .npz or .safetensors, not 'run.pkl'"),
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
    options = train_cnn.option_parser().parse_args([])
    with pytest.raises(ValueError, match=r"pool2: avg_pool2d: .* 2 x 2 does not fit into the image of 1 x 4"):
        train_cnn.cnn((3, 8), options, np.random.default_rng(0))


def test_divergence_is_an_error_and_saves_nothing(few_digits, tmp_path, capsys):
    assert run("--lr", 1e30, "--save", tmp_path / "net.npz") == 1
    assert re.search(r"error: the loss became (nan|inf); a smaller --lr than 1e\+30 may help", capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


def test_a_finite_divergence_is_told_at_the_end(few_digits, tmp_path, capsys):
    assert run("--lr", 100, "--epochs", 2, "--save", tmp_path / "net.npz") == 1
    output = capsys.readouterr()
    assert output.out.endswith(f"saved {tmp_path / 'net.npz'}\n")
    assert re.search(r"error: the training diverged: from a loss of .* to .*; a smaller --lr than 100", output.err)
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

    monkeypatch.setattr(os, "fsync", full)
    assert run("--epochs", 1, "--save", tmp_path / "net.npz") == 1
    assert capsys.readouterr().err.endswith("error: [Errno 28] No space left on device\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("accuracies", [[], [1.0], [0.5, *[1.0] * 29]])
def test_axes_count_whole_epochs_and_end_at_100_percent(accuracies, tmp_path):
    from matplotlib.figure import Figure

    steps = 10 * len(accuracies) or 3
    results = [training_view.Epoch(i, 0.5, None, accuracy, 1.0) for i, accuracy in enumerate(accuracies, start=1)]
    training = train_cnn.Training(mg.nn.Sequential(), None, None, [0.5 / step for step in range(1, steps + 1)], results)
    whole = Figure(figsize=(8, 3), layout="constrained")
    training_view.draw_curves(whole.subfigures(), "few digits", training, 10)
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
    paths = [str(tmp_path / name) for name in ("net.npz", "log.jsonl", "network.dot")]
    options = [text for pair in zip(("--save", "--log", "--graph"), paths, strict=True) for text in pair]
    assert run("--epochs", 1, "--batch-size", 96, "--channels", "2,3", *options) == 0
    output = capsys.readouterr().out
    assert "\n1 epoch of 1 step on 96 images, " in output
    assert output.endswith(f"saved {paths[0]}, {paths[1]} and {paths[2]}\n")


@pytest.mark.parametrize("suffix", ["png", pytest.param("svg", marks=pytest.mark.nightly)])
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


def test_a_page_shows_the_training_and_leaves_it_as_it_was(few_digits, tmp_path, capsys):
    path, paths = tmp_path / "training.html", (tmp_path / "shown.npz", tmp_path / "unshown.npz")
    run("--epochs", 2, "--channels", "2,3", "--validation", 0.1, "--save", paths[0], "--page", path)
    assert capsys.readouterr().out.endswith(f"saved {paths[0]} and {path}\n")
    shown = path.read_text()
    for text in (
        "training on ",
        "ended at step ",
        ">loss: ",
        "validation accuracy: ",
        "kernels of the first layer",
        "conv1",
    ):
        assert text in shown
    run("--epochs", 2, "--channels", "2,3", "--validation", 0.1, "--save", paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_drawing_the_graph_leaves_the_training_as_it_was(few_digits, tmp_path, capsys):
    paths = tmp_path / "drawn.npz", tmp_path / "undrawn.npz"
    run("--epochs", 1, "--channels", "2,3", "--save", paths[0], "--graph", tmp_path / "network.dot")
    run("--epochs", 1, "--channels", "2,3", "--save", paths[1])
    drawn, undrawn = (mg.load(path)["network"] for path in paths)
    assert all(np.array_equal(drawn[name], undrawn[name]) for name in NAMES)
    assert "training_view.py" in (tmp_path / "network.dot").read_text()  # the line of each op


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
    saved = mg.load(files[0])["network"]
    assert list(saved) == NAMES
    assert all(np.isfinite(array).all() for array in saved.values())
    assert files[1].read_bytes().startswith(b"\x89PNG")
    assert sorted(tmp_path.iterdir()) == sorted(files)


def test_ctrl_c_before_the_first_whole_epoch(few_digits, tmp_path, monkeypatch, capsys):
    steps = []

    def press_in_the_second_step(*arguments, take=train_cnn.Training.descend):
        steps.append(take(*arguments))
        if len(steps) == 2:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(train_cnn.Training, "descend", press_in_the_second_step)
    assert run("--plot", tmp_path / "curve.png") == 130
    assert (tmp_path / "curve.png").is_file()
    assert "interrupted in epoch 1 after 2 steps\n" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before
    steps.clear()
    assert run() == 130
    assert capsys.readouterr().out.endswith("saved nothing, as no option names a file\n")


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_before_the_training(monkeypatch, capsys):
    monkeypatch.setattr(mg.data, "digits", lambda: signal.raise_signal(signal.SIGINT))
    assert run() == 130
    assert capsys.readouterr() == ("", "interrupted at once\n")


@pytest.mark.usefixtures("interruptible")
def test_second_ctrl_c_stops_at_once():
    with CtrlC() as ctrl_c:
        signal.raise_signal(signal.SIGINT)
        assert ctrl_c.pressed
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


# stop and resume

OPTIONS = ("--channels", "2,3", "--optimizer", "adam", "--validation", 0.25, "--seed", 5)


def state_of(path):
    """All that a checkpoint holds, but how long epochs took."""
    state = mg.load(path)
    state["epochs"] = [epoch[:-1] for epoch in state["epochs"]]
    return state


def same(a, b):
    """Whether two nests are the same to the bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


@pytest.mark.parametrize("options", [OPTIONS, ("--optimizer", "momentum", "--anneal", 3), ("--optimizer", "rmsprop")])
@pytest.mark.parametrize("at", [1, pytest.param(3, marks=pytest.mark.nightly)])
def test_a_resumed_run_is_the_uninterrupted_one_to_the_bit(at, options, few_digits, tmp_path, capsys):
    whole, parts, log = tmp_path / "whole.npz", tmp_path / "parts.npz", tmp_path / "log.jsonl"
    assert run("--epochs", 4, "--checkpoint", whole, *options) == 0
    assert run("--epochs", at, "--checkpoint", parts, *options) == 0
    assert run("--epochs", 4, "--resume", parts, "--log", log, "--save", tmp_path / "net.npz") == 0
    assert f"resumed after {at} epoch" in capsys.readouterr().out
    assert same(state_of(whole), state_of(parts))
    assert same(mg.load(tmp_path / "net.npz")["network"], mg.load(whole)["network"])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2, 3, 4]
    assert [line["train_loss"] for line in lines] == [epoch[1] for epoch in state_of(whole)["epochs"]]


def test_ctrl_c_in_an_epoch_loses_that_epoch_and_no_bit(few_digits, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    assert run("--epochs", 3, "--checkpoint", whole, *OPTIONS) == 0
    steps = []

    def press(*arguments, take=train_cnn.Training.descend):
        take(*arguments)
        steps.append(1)
        if len(steps) in (1, 7, 12):  # in the first epoch, in a later one, at the end of one
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(train_cnn.Training, "descend", press)
        assert run("--epochs", 3, "--checkpoint", parts, *OPTIONS) == 130
        assert not parts.exists()
        assert run("--epochs", 3, "--checkpoint", parts, *OPTIONS) == 130
        assert run("--epochs", 3, "--resume", parts) == 130
    assert run("--epochs", 3, "--resume", parts) == 0
    assert same(state_of(whole), state_of(parts))


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX's")
def test_a_kill_loses_no_checkpoint_and_no_bit(tmp_path):
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    for after, options in ((3, ("--checkpoint", parts, *OPTIONS)), (2, ("--resume", parts))):
        with subprocess.Popen(**command("--epochs", 100_000, *options), stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                after -= line.startswith("epoch")
                if not after:
                    break
            process.kill()
    done = len(mg.load(parts)["epochs"])
    assert done >= 5
    assert run("--epochs", done + 1, "--resume", parts) == 0
    assert run("--epochs", done + 1, "--checkpoint", whole, *OPTIONS) == 0
    assert same(state_of(whole), state_of(parts))


def test_options_that_contradict_the_file_are_named(few_digits, tmp_path, monkeypatch, capsys):
    path = tmp_path / "run.npz"
    assert run("--epochs", 1, "--checkpoint", path, *OPTIONS) == 0
    before = path.read_bytes()
    for options, said in (
        (("--pool", "max"), f"--pool max contradicts {path}, which was trained with --pool avg"),
        (("--seed", 6), f"--seed 6 contradicts {path}, which was trained with --seed 5"),
        (("--lr", 0.3), f"--lr 0.3 contradicts {path}, which was trained with --lr 0.002"),
        (("--channels", "3,2"), f"--channels (3, 2) contradicts {path}, which was trained with --channels (2, 3)"),
    ):
        with pytest.raises(SystemExit):
            run("--resume", path, *options)
        assert capsys.readouterr().err.endswith(f"error: {said}\n")
    images, labels = mg.data.digits()
    monkeypatch.setattr(mg.data, "digits", lambda: mg.data.LabelledImages(images, 9 - labels))
    with pytest.raises(SystemExit):
        run("--resume", path)
    assert f"--resume: {path} was trained on other data than UCI optical digits" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_options_that_agree_with_the_file_are_taken(few_digits, tmp_path, capsys):
    path = tmp_path / "run.npz"
    assert run("--epochs", 1, "--checkpoint", path, *OPTIONS) == 0
    assert run("--epochs", 2, "--resume", path, *OPTIONS, "--checkpoint", tmp_path / "other.npz") == 0
    assert len(mg.load(path)["epochs"]) == 1
    assert len(mg.load(tmp_path / "other.npz")["epochs"]) == 2
    capsys.readouterr()
    assert run("--epochs", 2, "--resume", tmp_path / "other.npz") == 0  # nothing is left to do
    assert epochs(capsys.readouterr().out) == []


def test_what_is_no_checkpoint_is_named(few_digits, tmp_path, capsys):
    path = tmp_path / "run.npz"
    assert run("--epochs", 1, "--save", path) == 0
    capsys.readouterr()
    for content in (None, {"a": 1}, {"options": 3}):
        if content:
            mg.save(path, content)
        with pytest.raises(SystemExit):
            run("--resume", path)
        assert capsys.readouterr().err.endswith(f"error: {path}: has no checkpoint that train_cnn.py saved\n")


def test_a_checkpoint_that_does_not_fit_is_named(few_digits, tmp_path, capsys):
    path = tmp_path / "run.npz"
    assert run("--epochs", 1, "--checkpoint", path) == 0
    content = mg.load(path)
    del content["network"]["fc.bias"]
    mg.save(path, content)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        run("--epochs", 2, "--resume", path)
    assert "error: load_state_dict: missing 'fc.bias'" in capsys.readouterr().err


def test_patience_ends_the_training_and_keeps_the_best_network(few_digits, tmp_path, capsys):
    files = ("--checkpoint", tmp_path / "run.npz", "--save", tmp_path / "net.npz")
    assert run("--epochs", 60, "--patience", 2, "--validation", 0.3, "--lr", 0.5, *files) in (0, 1)
    output = capsys.readouterr().out
    state = mg.load(tmp_path / "run.npz")
    accuracies = [epoch[2] for epoch in state["epochs"]]
    best = accuracies.index(max(accuracies)) + 1
    assert len(accuracies) == best + 2 < 60
    assert f"validation accuracy was {max(accuracies):.4f}: this is the network of epoch {best}\n" in output
    assert same(mg.load(tmp_path / "net.npz")["network"], state["best"]["network"])
    assert not same(state["network"], state["best"]["network"])


def test_the_page_has_its_parts(few_digits, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(train_cnn, "draw_page", lambda *run: drawn.append(training_view.page(*run[:2])))
    assert run("--epochs", 2, "--validation", 0.1, "--plot", tmp_path / "page.png") == 0
    titles = [axes.get_title(loc) for axes in drawn[0].axes for loc in ("left", "center")]
    titles += [panel.get_suptitle() for row in drawn[0].subfigs for panel in row.subfigs]
    for expected in ("Training loss", "Test accuracy: ", "Test images: ", "Most wrong", "Kernels", "Feature maps"):
        assert any(title.startswith(expected) for title in titles)
    assert sum(title in ("pool1", "pool2", "image") for title in titles) == 8 + 16 + 1


def test_the_exported_network_answers_as_the_saved_one(few_digits, tmp_path, capsys):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    saved, exported = tmp_path / "net.npz", tmp_path / "net.onnx"
    assert run("--epochs", 1, "--channels", "2,3", "--save", saved, "--onnx", exported) == 0
    assert capsys.readouterr().out.endswith(f"saved {saved} and {exported}\n")
    x = mg.data.digits()[0][:5]
    x = np.asarray(x, np.float32).reshape(5, 1, 8, 8) / 16
    session = runtime.InferenceSession(str(exported))
    (logits,) = session.run(None, {session.get_inputs()[0].name: x})
    state = mg.load(saved)["network"]
    a = x
    for layer in ("conv1", "conv2"):
        weight, bias = state[f"{layer}.weight"], state[f"{layer}.bias"]
        a = mg.avg_pool2d(mg.relu(mg.conv2d(a, weight, bias, padding=weight.shape[-1] // 2)), 2)
    expected = a.reshape(5, -1) @ state["fc.weight"].T + state["fc.bias"]
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)
