"""The small programs of examples/ run, tiny, and find what they look for."""

import ast
import sys
from pathlib import Path

import gaussian_process
import logistic_regression
import newton
import numpy as np
import pytest
import throw
from command_line import needed

import minigrad as mg


def test_logistic_regression(capsys):
    assert logistic_regression.main(["--steps", "50"]) > 0.8
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[-1].split()[3]) < float(lines[0].split()[3])


def test_gaussian_process(capsys):
    assert gaussian_process.main(["--points", "30"]) < 0.3
    assert "steps of L-BFGS" in capsys.readouterr().out


def test_newton():
    for x in newton.main(["--dimensions", "10"]):
        np.testing.assert_allclose(x, 1, atol=1e-6)


def test_throw():
    assert throw.main(["--target", "12"]) == pytest.approx(12, abs=1e-3)


@pytest.mark.parametrize("velocity", [[9.0, 7.0], [20.0, 9.0]])  # short of the wall, and off it
def test_the_throws_gradient_is_the_slope_of_its_path(velocity):
    velocity, h = np.array(velocity), 1e-6
    slopes = [(throw.landing(velocity + h * e) - throw.landing(velocity - h * e)) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose(mg.grad(throw.landing)(velocity), slopes, rtol=1e-6)


@pytest.mark.parametrize("velocity", [[9.0, 0.0], [9.0, -1.0], [9.0, np.nan], [np.nan, 9.0]])
def test_a_throw_that_never_comes_down_is_refused(velocity):
    with pytest.raises(ValueError, match="landing: "), np.errstate(all="ignore"):
        throw.landing(np.array(velocity))


@pytest.mark.parametrize("target", [1, 3.7, 10, 17.9, throw.WALL])
def test_every_target_up_to_the_wall_is_hit(target):
    assert throw.main(["--target", str(target)]) == pytest.approx(target, abs=1e-3)


WRONG = [
    (throw, "--target", "-5", "'-5' should be a number from 1 to 18.0"),
    (throw, "--target", "nan", "'nan' should be a number from 1 to 18.0"),
    (throw, "--target", "18.5", "should be a number from 1 to 18.0"),
    (newton, "--dimensions", "1", "'1' should be a whole number from 2"),
    (newton, "--dimensions", "2.5", "should be a whole number from 2"),
    (gaussian_process, "--points", "0", "should be a whole number from 2 to 2000"),
    (gaussian_process, "--points", "1e9", "should be a whole number from 2 to 2000"),
    (logistic_regression, "--steps", "-1", "should be a whole number from 0"),
    (logistic_regression, "--lr", "0", "should be a number above 0"),
    (logistic_regression, "--lr", "inf", "should be a number above 0"),
]


@pytest.mark.parametrize(("program", "option", "value", "message"), WRONG, ids=lambda value: str(value)[:20])
def test_a_wrong_option_is_one_sentence(program, option, value, message, capsys):
    with pytest.raises(SystemExit) as stop:
        program.main([f"{option}={value}"])
    assert stop.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert f"error: argument {option}: " in output.err.splitlines()[-1]
    assert output.err.splitlines()[-1].endswith(message)


@pytest.mark.parametrize(
    ("program", "options"), [(newton, ["--dimensions", "2"]), (gaussian_process, ["--points", "2"])]
)
def test_the_least_that_the_options_allow(program, options):
    program.main(options)


def test_logistic_regression_without_a_step():
    assert 0 <= logistic_regression.main(["--steps", "0"]) <= 1


@pytest.mark.parametrize(("name", "extra"), [("tqdm", "train"), ("scipy.optimize", "examples")])
def test_what_is_missing_is_named_with_what_brings_it(name, extra, monkeypatch):
    for part in (name, name.partition(".")[0]):
        monkeypatch.setitem(sys.modules, part, None)
    monkeypatch.setattr(sys, "argv", ["examples/program.py"])
    with pytest.raises(SystemExit, match=rf"^program.py: needs {name}, which pip install -e '.\[{extra}\]' brings$"):
        needed(name, extra)


EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_whatever_may_be_missing_is_imported_by_needed(path):
    allowed = {"numpy", "minigrad", *sys.stdlib_module_names, *(example.stem for example in EXAMPLES)}
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom):
            assert statement.module.partition(".")[0] in allowed
        elif isinstance(statement, ast.Import):
            assert {alias.name.partition(".")[0] for alias in statement.names} <= allowed
