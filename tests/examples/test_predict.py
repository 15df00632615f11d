"""A saved network answers for one image, and says why."""

import numpy as np
import predict
import pytest
import train_cnn

import minigrad as mg


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("predict") / "net.npz"
    assert train_cnn.main(["--epochs", "3", "--save", str(path), "--checkpoint", str(path.with_name("run.npz"))]) == 0
    return path


def answers(text):
    return [(int(line.split()[0]), float(line.split()[1].rstrip("%"))) for line in text.splitlines()[:3]]


def test_most_digits_are_recognised(network, capsys):
    labels = mg.data.digits().labels
    capsys.readouterr()
    right = 0
    for i in range(20):
        assert predict.main([str(i), str(network)]) == 0
        answer = answers(capsys.readouterr().out)
        assert [p for _, p in answer] == sorted((p for _, p in answer), reverse=True)
        right += answer[0][0] == labels[i]
    assert right >= 16


def test_a_checkpoint_answers_the_same(network, capsys):
    capsys.readouterr()
    predict.main(["3", str(network)])
    first = capsys.readouterr().out
    predict.main(["3", str(network.with_name("run.npz"))])
    assert capsys.readouterr().out == first


@pytest.mark.parametrize("inverted", [False, True])
def test_a_picture_is_made_to_fit(inverted, network, tmp_path, capsys):
    pillow = pytest.importorskip("PIL.Image")
    digit = mg.data.digits().images[0].repeat(5, 0).repeat(5, 1) * 15
    pillow.fromarray(255 - digit if inverted else digit).convert("RGB").save(tmp_path / "digit.png")
    capsys.readouterr()
    path = tmp_path / "why.png"
    assert predict.main([str(tmp_path / "digit.png"), str(network), "--plot", str(path)]) == 0
    output = capsys.readouterr().out
    assert answers(output)[0][0] == 0
    assert output.endswith(f"saved {path}\n")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_reason_is_the_slope_of_the_logit(network):
    parser = train_cnn.option_parser()
    net = predict.load_network(parser, network)[0].astype(float)
    x = np.random.default_rng(0).normal(size=(1, 1, 8, 8))
    probabilities, gradient = predict.explain(net, x)
    winner, h = probabilities.argmax(), 1e-6
    step = np.zeros_like(x)
    step[0, 0, 3, 4] = h
    slope = (net(x + step).data - net(x - step).data)[0, winner] / (2 * h)
    assert gradient[3, 4] == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(
    ("image", "file", "message"),
    [
        ("5000", None, "5000: minigrad has 1797 digits of 8x8"),
        ("absent.png", None, "No such file or directory: "),
        ("3", "absent.npz", "No such file or directory: "),
        ("3", "other.npz", "other.npz: has no network that train_cnn.py saved"),
        ("text.png", None, "cannot identify image file"),
    ],
)
def test_wrong_input_is_one_sentence(image, file, message, network, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mg.save("other.npz", {"a": 1})
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(SystemExit):
        predict.main([image, file or str(network)])
    assert message in capsys.readouterr().err.splitlines()[-1]
