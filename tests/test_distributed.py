"""Data-parallel training: n ranks take the steps of one process, and a rank that fails ends the job.

The ranks are real, started by `mpiexec`; each runs tests/support/ranks.py.
"""

import functools
import os
import re
import shutil
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
import train_cnn
from support import ranks
from support.threads_as_ranks import MPI, Job, JobEndedError, World, on_ranks

import minigrad as mg
from minigrad import distributed

WORKER = Path(ranks.__file__)
BESIDE = Path(sys.executable).with_name("mpiexec")  # of the wheel
MPIEXEC = str(BESIDE) if BESIDE.exists() else shutil.which("mpiexec")
# Open MPI wants to be told that root may start ranks, and more of them than there are cores
ALLOWED = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
}
ALLOWED |= {"PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def needs_mpi():
    if "CI" in os.environ:
        return  # there an MPI is installed, and no test is skipped
    pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install -e '.[mpi]'")
    if MPIEXEC is None:
        pytest.skip("no MPI is installed: pip install mpich")


def mpiexec(n, *arguments, script=WORKER, limit=60):
    """Run a script on n ranks; the time limit is one for a hang."""
    needs_mpi()
    path = os.pathsep.join([str(Path(mg.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [MPIEXEC, "-n", str(n), sys.executable, str(script), *map(str, arguments)]
    environment = os.environ | ALLOWED | ONE_THREAD | {"PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, timeout=limit, env=environment)


def results(n, jobs, path):
    """What each rank found, in a list."""
    run = mpiexec(n, jobs, path)
    assert run.returncode == 0, run.stderr
    return mg.load(path)["ranks"]


@pytest.fixture(scope="module")
def found_by(tmp_path_factory):
    return functools.cache(
        lambda n: results(
            n, "trained,gradients,uneven,shares,metrics,refusals", tmp_path_factory.mktemp("ranks") / "found.npz"
        )
    )


@pytest.fixture(params=[1, 2, 4])
def found(request, found_by):
    return found_by(request.param)


@pytest.fixture(scope="module")
def alone():
    return ranks.trained()


def assert_close(state, other, tolerance=1e-10):
    assert state.keys() == other.keys()
    for name, array in state.items():
        error = np.abs(array - other[name]).max() / np.abs(other[name]).max()
        assert error <= tolerance, (name, error)


def assert_same_bits(state, other):
    assert {k: v.tobytes() for k, v in state.items()} == {k: v.tobytes() for k, v in other.items()}


def test_n_ranks_reach_the_parameters_of_one_process(found, alone):
    for way, state in found[0]["trained"].items():
        assert_close(state, alone[way])


def test_every_rank_has_the_same_bits(found):
    for other in found[1:]:
        for way, state in found[0]["trained"].items():
            assert_same_bits(state, other["trained"][way])


def test_a_repeated_run_has_the_same_bits(found_by, tmp_path):
    again = results(2, "trained", tmp_path / "again.npz")
    for way, state in found_by(2)[0]["trained"].items():
        assert_same_bits(state, again[0]["trained"][way])


def test_gradients_are_means_over_the_ranks_that_have_one(found):
    n = len(found)
    mean = (n + 1) / 2  # of 1, 2, ... n, by which the ranks scale their losses
    for rank in found:
        g = rank["gradients"]
        assert {name for name in g if "of_none" in name} == set()  # no rank has one
        for i in range(2):  # the second call adds to the first
            np.testing.assert_allclose(g[f"{i} of_all"], np.full((2, 3), 2 * mean * (i + 1)))
            np.testing.assert_allclose(g[f"{i} of_main"], np.full(4, (i + 1) / n), rtol=1e-6)
            np.testing.assert_allclose(g[f"{i} of_before"], mean * (i + 1))
        np.testing.assert_allclose(g["thawed"], [mean, mean])
        assert {name: array.dtype for name, array in g.items() if array.dtype != float} == {
            "0 of_main": np.float32,
            "1 of_main": np.float32,
        }


def test_synchronised_statistics_are_those_of_uneven_shares(found):
    alone = ranks.uneven(mg.nn.BatchNorm2d)
    for rank in found:
        assert_close(rank["uneven"], alone)


def test_ranks_share_each_batch(found):
    n = len(found)
    order = np.random.default_rng(0).permutation(21)  # of rank 0
    shares = {key: rows for rank in found for key, rows in rank["shares"].items()}
    assert len(shares) == 3 * n
    for i, batch in enumerate((order[:8], order[8:16], order[16 : 16 + 5 - 5 % n])):
        assert np.concatenate([shares[f"{r} {i}"] for r in range(n)]).tolist() == batch.tolist()
        assert len({len(shares[f"{r} {i}"]) for r in range(n)}) == 1


def test_metrics_are_weighted_means(found):
    n = len(found)
    ranks_with_rows = range(max(n - 1, 1))  # rank r has the weight r + 1 and measures r
    mean = sum((r + 1) * r for r in ranks_with_rows) / sum(r + 1 for r in ranks_with_rows)
    for rank in found:
        assert rank["metrics"] == {"a": pytest.approx(mean), "b": 1.0}


def test_wrong_uses_are_refused_on_every_rank(found):
    expected = {
        "leaf": "RuntimeError: backward: the loss depends on a leaf outside of the module, scale",
        "unnamed leaf": "RuntimeError: backward: the loss depends on a leaf outside of the module, one of shape (1,)",
        "value": "TypeError: reduce_metrics: metrics must be a mapping of names to numbers, not {'a': '1'}",
        "bucket": "ValueError: DataParallel: bucket_bytes must be at least 1, not 0",
        "again": "the graph of this Tensor was released (at ",
        "shape": "RuntimeError: backward: the Tensor has shape (2, 3), not a scalar's: give the gradient of the scalar "
        "with respect to it, as backward(gradient)",
        "constant": "RuntimeError: backward: this Tensor needs no gradient: nothing was recorded for it. Make a leaf "
        "that it is computed from with requires_grad=True, outside of no_grad",
        "complex": "RuntimeError: backward: the Tensor is complex: give the gradient of the scalar with respect to it, "
        "as backward(gradient)",
        "weights": "ValueError: reduce_metrics: weight must be above 0 on one rank at least",
        "left": [],
    }
    if len(found) > 1:  # what one rank may do
        n, names = len(found), [[f"of rank {i}"] for i in range(len(found))]
        expected |= {
            "batch": f"ValueError: minibatches: batch_size must be a multiple of the {n} ranks, not 3",
            "names": f"ValueError: reduce_metrics: the ranks give different names: {names}",
            "byte order": "TypeError: backward: weight must be float32 or float64, not >f4",
            "dtype": "TypeError: backward: weight must be float32 or float64, not float16",
        }
    assert [rank["refusals"] for rank in found] == [expected] * len(found)


def test_training_is_resumed_with_another_number_of_ranks(alone, tmp_path):
    checkpoint = tmp_path / "run.npz"
    run = mpiexec(2, "save", checkpoint)
    assert run.returncode == 0, run.stderr
    losses = alone["one bucket"]["losses"][ranks.STEPS // 2 :]
    by_one = ranks.Training().resume(checkpoint).take(ranks.STEPS // 2).state()
    for state in (by_one, *(rank["resume"] for rank in results(4, "resume", checkpoint))):
        assert_close(state, alone["one bucket"] | {"losses": losses})


@pytest.mark.parametrize("how", ["raise", "early raise", "freeze", "exit", "early exit", "kill"])
def test_a_rank_that_fails_ends_the_job(how):
    for _ in range(3):  # on a loaded machine mpiexec may end before it has passed on what the ranks print
        run = mpiexec(4 if how == "kill" else 2, "fail", "", how, limit=300)  # raises where the job waits for ever
        assert run.returncode != 0
        if run.stderr or how == "kill":  # which prints nothing
            break
    lines = run.stderr.splitlines()
    if "exit" in how:
        assert "rank 0 of 2 ends the job: it waits for rank 1, which has ended" in lines
    if "raise" in how:
        assert lines[0] == "Traceback (most recent call last):"
        assert lines.index("ValueError: rank 1 fails") + 1 == lines.index("rank 1 of 2 ends the job")
    if how == "freeze":
        # both ranks print it, at once
        assert "RuntimeError: backward: the ranks have different parameters, or make different calls" in run.stderr


def test_the_training_example_runs_on_two_ranks(tmp_path, capsys):
    options = ["--epochs", "1", "--dtype", "float64", "--save"]
    run = mpiexec(2, *options, tmp_path / "two.npz", script=Path(train_cnn.__file__))
    assert run.returncode == 0, run.stderr
    assert train_cnn.main([*options, str(tmp_path / "one.npz")]) == 0
    printed, expected = (
        [re.sub(r"[\d.]+ s$", "", line) for line in out.splitlines()[:-1]]
        for out in (run.stdout, capsys.readouterr().out)
    )
    assert printed == expected  # by one rank alone, and but for the seconds
    assert_close(*(mg.load(tmp_path / f"{n}.npz")["network"] for n in ("two", "one")))


def test_a_plain_run_needs_no_mpi(tmp_path):
    code = "import sys; sys.modules['mpi4py'] = None; from support import ranks; ranks.trained(); ranks.metrics()"
    path = os.pathsep.join([str(WORKER.parents[1]), str(Path(mg.__file__).parents[1])])
    environment = {name: value for name, value in os.environ.items() if name not in distributed.LAUNCHED}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment | {"PYTHONPATH": path}, timeout=60)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PMI_RANK": "0"}, "ImportError: distributed: a program that mpiexec starts needs mpi4py: pip install"),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}, "mpiexec started 2 ranks but mpi4py finds 1"),
    ],
)
def test_an_mpi_that_does_not_fit_is_an_error(environment, said):
    """Else each process would train alone, and all would write the same files."""
    if "ImportError" not in said:
        needs_mpi()
    block = "sys.modules['mpi4py'] = None; " if "ImportError" in said else ""
    code = f"import sys; {block}import minigrad as mg; mg.distributed.size()"
    environment = os.environ | {"PYTHONPATH": str(Path(mg.__file__).parents[1])} | environment
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert run.returncode != 0
    assert said in run.stderr


# ranks that are threads, so that a fault of this process reaches them


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize(
    ("job", "check"),
    [
        ("gradients", test_gradients_are_means_over_the_ranks_that_have_one),
        ("uneven", test_synchronised_statistics_are_those_of_uneven_shares),
        ("shares", test_ranks_share_each_batch),
        ("metrics", test_metrics_are_weighted_means),
        ("refusals", test_wrong_uses_are_refused_on_every_rank),
    ],
)
def test_threads_as_ranks(job, check, n):
    check(on_ranks(n, lambda: {job: getattr(ranks, job)()}))


def test_threads_reach_the_parameters_of_one_process(monkeypatch):
    monkeypatch.setattr(ranks, "STEPS", 4)
    alone, found = ranks.trained(), on_ranks(2, ranks.trained)
    for way, state in alone.items():
        assert_close(found[0][way], state)
        assert_same_bits(found[0][way], found[1][way])


def test_a_rank_that_has_ended_is_not_waited_for(capsys):
    def run():
        distributed.reduce_metrics({"a": 1.0})
        if distributed.is_main():
            distributed.reduce_metrics({"a": 1.0})

    assert [type(found) for found in on_ranks(2, run)] == [JobEndedError, JobEndedError]
    assert capsys.readouterr().err == "rank 0 of 2 ends the job: it waits for rank 1, which has ended\n"


def test_a_rank_may_end_long_before_the_others(capsys):
    """As rank 1 does while rank 0 draws."""
    ended = threading.Event()

    def run():
        found = distributed.reduce_metrics({"a": distributed.rank()})
        if distributed.is_main():
            ended.wait(0.05)
        return found

    assert on_ranks(2, run) == [{"a": 0.5}] * 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("n", [3, 7])
def test_any_number_of_ranks_average_in_float32(n):
    def run():
        layer = mg.nn.Linear(3, 2, rng=np.random.default_rng(0))
        distributed.DataParallel(layer).backward(layer.weight.sum() * (distributed.rank() + 1))
        return layer.weight.grad.tolist()

    assert on_ranks(n, run) == [np.full((2, 3), np.float32(n + 1) / 2).tolist()] * n


@pytest.mark.parametrize("shape", [(3, 2), (6,)])
def test_parameters_of_other_shapes_on_another_rank_are_an_error(shape):
    def run():
        layer = mg.nn.Linear(3, 2, rng=np.random.default_rng(0))
        parallel = distributed.DataParallel(layer)
        if not distributed.is_main():
            layer.weight = mg.tensor(np.ones(shape, np.float32), requires_grad=True)
        parallel.backward(layer.weight.sum())

    with pytest.raises(RuntimeError, match="the ranks have different parameters"):
        on_ranks(2, run)


def test_layers_of_one_shape_that_ranks_froze_differently_are_an_error():
    """Else the gradients of one would be averaged with those of the other."""

    def run():
        rng = np.random.default_rng(0)
        network = mg.nn.Sequential(*(mg.nn.Linear(2, 2, rng=rng, bias=False) for _ in range(2)))
        parallel = distributed.DataParallel(network)
        network[distributed.rank()].weight.requires_grad = False
        parallel.backward(network(np.ones((1, 2), np.float32)).sum())

    with pytest.raises(RuntimeError, match="the ranks have different parameters"):
        on_ranks(2, run)


@pytest.mark.parametrize(
    ("of_rank", "said"), [((10, 4), "numbers of rows: 10, 8$"), ((8, 8), "batch sizes: 8, 4$"), ((6, 4), ": 6, 8$")]
)
def test_batches_of_different_data_or_sizes_are_an_error(of_rank, said):
    def run():
        rows, batch_size = of_rank if distributed.is_main() else (8, 4)
        list(distributed.minibatches(np.arange(rows), batch_size, shuffle=False))

    with pytest.raises(ValueError, match=f"^minibatches: the ranks have different .*{said}"):
        on_ranks(2, run)


def test_calls_that_do_not_belong_together_are_an_error():
    def run():
        if distributed.is_main():
            distributed.reduce_metrics({"loss": 1.0})
        else:
            distributed.broadcast(mg.nn.Linear(1, 1, rng=np.random.default_rng(0)))

    with pytest.raises(RuntimeError, match=r"the ranks make different calls, reduce_metrics, broadcast$"):
        on_ranks(2, run)


def test_buckets_are_sent_while_the_sweep_goes_on(monkeypatch):
    events, start = {0: [], 1: []}, World.Iallreduce

    def note(what):
        events[distributed.rank()].append(what)

    monkeypatch.setattr(World, "Iallreduce", lambda *arguments: note("sent") or start(*arguments))

    @mg.op
    def noted(x):
        return x + 0

    @noted.vjp("x")
    def _(g, y, x):
        note("swept")
        return g

    def run():
        rng = np.random.default_rng(0)
        first, last = mg.nn.Linear(2, 2, rng=rng), mg.nn.Linear(2, 1, rng=rng)
        network = mg.nn.Sequential(first, last)
        loss = last(noted(first(np.ones((3, 2), np.float32)))).sum()
        distributed.DataParallel(network, bucket_bytes=1).backward(loss)

    on_ranks(2, run)
    for sent in events.values():
        assert sent == ["sent", "sent", "swept", "sent", "sent"]


def test_synchronised_statistics_keep_the_dtype():
    x = np.random.default_rng(0).normal(size=(4, 2, 3, 3)).astype(np.float32)
    assert distributed.SyncBatchNorm2d(2)(x).dtype == np.float32


@pytest.fixture
def launched(monkeypatch):
    monkeypatch.setattr(distributed, "launched", True)
    monkeypatch.setitem(sys.modules, "mpi4py", types.SimpleNamespace(MPI=MPI(World(0, Job(1)))))
    distributed._ranks.cache_clear()
    yield monkeypatch
    distributed._ranks.cache_clear()


@pytest.mark.parametrize(
    "part",
    [mg.nn.Linear, 1, types.SimpleNamespace(state_dict=dict), types.SimpleNamespace(load_state_dict=dict)],
)
def test_only_what_has_a_state_is_broadcast(part):
    with pytest.raises(TypeError, match="broadcast: part must be a Module or an Optimizer"):
        distributed.broadcast(part)


def test_a_program_of_mpiexec_has_the_ranks_of_mpi4py(launched):
    assert (distributed.rank(), distributed.size(), distributed.is_main()) == (0, 1, True)
    assert isinstance(distributed._ranks(), distributed._Ranks)
    launched.setattr(distributed, "launched", False)
    distributed._ranks.cache_clear()
    launched.setitem(sys.modules, "mpi4py", None)  # is not needed
    assert (distributed.rank(), distributed.size(), distributed.is_main()) == (0, 1, True)


def test_fewer_ranks_than_mpiexec_started_are_an_error(launched):
    launched.setenv("PMI_SIZE", "2")
    with pytest.raises(RuntimeError, match="mpiexec started 2 ranks but mpi4py finds 1"):
        distributed.size()


def test_a_program_of_mpiexec_needs_mpi4py(launched):
    launched.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match="needs mpi4py"):
        distributed.size()


def test_an_exception_that_nothing_catches_ends_the_job(launched, capsys):
    mpi = sys.modules["mpi4py"].MPI
    error = ValueError("wrong")
    distributed._after(ValueError, error, None)  # MPI has not started
    launched.setitem(sys.modules, "mpi4py.MPI", mpi)
    with pytest.raises(JobEndedError, match="1"):
        distributed._after(ValueError, error, None)
    assert capsys.readouterr().err.splitlines() == ["ValueError: wrong"] * 2 + ["rank 0 of 1 ends the job"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda net: distributed.DataParallel(3), TypeError, "DataParallel: module must be a Module, not 3"),
        (lambda net: net.backward(3.0), TypeError, r"backward: loss must be a Tensor, not 3\.0"),
        (lambda net: net.backward(np.ones(())), TypeError, r"backward: loss must be a Tensor, not \(\)"),
        *(
            (lambda net, given=given: distributed.reduce_metrics(given), TypeError, "reduce_metrics: metrics must be a")
            for given in (3.0, [("a", 1.0)], {"a": "1"}, {"a": 1.0, "b": None})
        ),
        *(
            (lambda net, w=w: distributed.reduce_metrics({"a": 1.0}, w), (TypeError, ValueError), "reduce_.*: weight ")
            for w in ("x", -1.0, np.nan, np.inf, 0)
        ),
    ],
)
def test_wrong_arguments_are_one_sentence(call, error, message):
    net = distributed.DataParallel(mg.nn.Linear(2, 1, rng=np.random.default_rng(0)))
    with pytest.raises(error, match=f"^{message}"):
        call(net)


@pytest.mark.parametrize("dtype", [np.float16, ">f8", "<f8"])
def test_parameters_that_mpi_does_not_add_are_refused(dtype):
    layer = mg.nn.Linear(3, 2, rng=np.random.default_rng(0))
    layer.weight = mg.tensor(np.ones((2, 3), dtype), requires_grad=True)

    def run():
        distributed.DataParallel(layer).backward(layer.weight.sum())

    if np.dtype(dtype) == np.float64:
        on_ranks(2, run)
    else:
        with pytest.raises(TypeError, match=r"^backward: weight must be float32 or float64, not (float16|>f8)"):
            on_ranks(2, run)
