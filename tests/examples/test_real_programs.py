"""The larger programs of examples/ run, tiny, and learn what they look for."""

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

import character_model
import generalized_linear_models
import physics_informed
import variational_autoencoder


@pytest.mark.nightly
@pytest.mark.parametrize(("model", "steps"), [("transformer", 25), ("gru", 40)])
def test_character_model(model, steps, monkeypatch, capsys):
    monkeypatch.setattr(character_model, "LENGTH", 8)
    monkeypatch.setattr(character_model, "BATCH", 32)
    bits, pairs = character_model.main(["--model", model, "--steps", str(steps)])
    assert 3 < pairs < 4
    assert bits < 5.5  # of about 100 letters, so 6.6 at the start
    assert len(capsys.readouterr().out.splitlines()) > 2


@pytest.mark.nightly
def test_variational_autoencoder(tmp_path, capsys):
    picture = tmp_path / "digits.png"
    assert variational_autoencoder.main(["--steps", "40", "--plot", str(picture)]) < 45
    assert picture.stat().st_size > 5000
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.nightly
def test_physics_informed(tmp_path, monkeypatch):
    monkeypatch.setattr(physics_informed, "POINTS", 100)
    picture = tmp_path / "burgers.png"
    assert physics_informed.main(["--steps", "10", "--plot", str(picture)]) < 0.4
    assert picture.stat().st_size > 5000


def test_generalized_linear_models(capsys):
    assert max(generalized_linear_models.main()) < 1e-5
    assert "proline" in capsys.readouterr().out
