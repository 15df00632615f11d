"""no_grad and scope: who they concern, and that they end where they began, in threads and tasks too."""

import asyncio
import contextlib
import itertools
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import settings, transforms


def leaf(value, **options):
    return mg.tensor(value, requires_grad=True, **options)


def test_no_grad_records_nothing():
    x = leaf(1.0)
    with mg.no_grad():
        assert not (x * x).requires_grad
    assert (x * x).requires_grad


def test_no_grad_decorates_and_recurses():
    x = leaf(1.0)

    @mg.no_grad()
    def power(n):
        return x if n == 0 else power(n - 1) * x

    assert not power(3).requires_grad
    assert (x * x).requires_grad


def generator():
    yield 1


async def coroutine():
    return 1


async def asynchronous_generator():
    yield 1


@pytest.mark.parametrize("setting", [mg.no_grad(), mg.scope("a")])
@pytest.mark.parametrize("function", [generator, coroutine, asynchronous_generator])
def test_settings_refuse_functions_whose_body_runs_later(setting, function):
    with pytest.raises(TypeError, match="whose body runs later"):
        setting(function)


def test_a_scope_decorates_and_recurses():
    @mg.scope("power")
    def power(x, n):
        return x if n == 0 else power(x, n - 1) * x

    assert power(leaf(2.0), 2).node.scope == ("power",)
    assert power(leaf(2.0), 2).node.parents[0].scope == ("power", "power")


def test_recording_is_per_thread():
    x = leaf(1.0)
    seen = []
    with mg.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * x).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_no_grad_ends_with_an_exception():
    with pytest.raises(KeyError), mg.no_grad():
        raise KeyError
    assert (leaf(1.0) * 1).requires_grad


def test_scopes_nest_and_end():
    x = leaf(1.0)
    with mg.scope("conv1"), mg.scope("inner"):
        inside = x * x
    assert inside.node.scope == ("conv1", "inner")
    assert (x * x).node.scope == ()
    with pytest.raises(TypeError, match="scope: the name must be a string, not int"):
        mg.scope(3)


def test_scopes_and_the_recording_switch_keep_out_of_each_others_way():
    x = leaf(1.0)
    with mg.no_grad(), mg.scope("a"), mg.scope("b"):
        assert (settings.recording(), settings.setting("scope", ())) == (False, ("a", "b"))
        assert (x * x).node is None
    with mg.scope("a"):
        assert (settings.recording(), settings.setting("scope", ())) == (True, ("a",))
        assert (x * x).node.scope == np.exp(x).node.scope == ("a",)
    assert (settings.recording(), settings.setting("scope", ())) == (True, ())


def test_settings_entered_across_each_other_restore_their_own():
    def generator():
        with mg.no_grad():
            yield
            yield

    running = generator()
    next(running)
    with mg.scope("b"):
        list(running)
    assert (leaf(1.0) * 2).requires_grad
    assert settings.setting("scope", ()) == ()


def test_settings_that_two_tasks_enter_in_turn_end_with_the_last():
    async def without_recording(seconds):
        with mg.no_grad(), mg.scope(str(seconds)):
            await asyncio.sleep(seconds)

    async def later():
        await asyncio.sleep(0.01)
        await without_recording(0.03)

    async def both():
        await asyncio.gather(without_recording(0.02), later())

    asyncio.run(both())
    assert settings.recording()
    assert settings.setting("scope", ()) == ()
    assert settings.in_force() == ()
    with mg.scope("x"):
        assert (leaf(1.0) * 2).requires_grad


def test_one_setting_serves_several_threads():
    shared = mg.scope("shared")
    inside, leave = threading.Event(), threading.Event()

    def other():
        with mg.scope("other"), shared:
            inside.set()
            leave.wait()

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait()
    with shared:
        leave.set()
        thread.join()
        assert settings.setting("scope", ()) == ("shared",)
    assert settings.setting("scope", ()) == ()


def test_what_another_thread_leaves_does_not_end_what_this_one_is_in():
    x = leaf(1.0)
    with mg.no_grad():
        thread = threading.Thread(target=lambda: mg.scope("other").__enter__().__exit__())
        thread.start()
        thread.join()
        assert (x * x).node is None
        assert np.exp(x).node is None
    assert (x * x).node is not None


def test_no_grad_wants_its_parentheses():
    with pytest.raises(TypeError, match=r"write `@no_grad\(\)`"):
        mg.no_grad(lambda: None)


def test_recording_is_per_task_of_asyncio():
    async def recorded(x):
        loss = 0.0
        for _ in range(4):
            loss = loss + x * x
            await asyncio.sleep(0)
        return loss

    async def unrecorded():
        with mg.no_grad(), mg.scope("evaluation"):
            for _ in range(4):
                await asyncio.sleep(0)
                assert not (leaf(1.0) * 2).requires_grad

    async def both(x):
        return (await asyncio.gather(unrecorded(), recorded(x), unrecorded()))[1]

    x = leaf(1.0)
    loss = asyncio.run(both(x))
    loss.backward()
    assert x.grad == 8
    assert loss.node.scope == ()


def test_a_task_inherits_what_is_in_force_where_it_is_made():
    async def run():
        async def child():
            await asyncio.sleep(0)
            return (leaf(1.0) * 2).requires_grad

        with mg.no_grad():
            inside = await asyncio.create_task(child())
        return inside, await asyncio.create_task(child())

    assert asyncio.run(run()) == (False, True)


def test_a_generator_may_be_closed_by_another_thread():
    def generator():
        with mg.no_grad(), mg.scope("inside"):
            yield

    running = generator()
    next(running)
    assert not settings.recording()
    thread = threading.Thread(target=running.close)
    thread.start()
    thread.join()
    assert settings.recording()
    assert (leaf(1.0) * 2).node.scope == ()


class InterruptedOnce:
    """A context variable whose first change is the last thing before Ctrl-C."""

    def __init__(self, variable):
        self.variable, self.waits = variable, True

    def set(self, value):
        token = self.variable.set(value)
        if self.waits:
            self.waits = False
            raise KeyboardInterrupt
        return token


def test_a_setting_that_was_interrupted_as_it_began_is_not_in_force(monkeypatch):
    monkeypatch.setattr(settings, "_entries", InterruptedOnce(settings._entries))
    switch = mg.no_grad()
    with pytest.raises(KeyboardInterrupt):
        switch.__enter__()
    assert settings.recording()
    with switch:
        assert not settings.recording()
    assert settings.recording()


def test_a_transform_that_was_interrupted_as_it_began_leaves_the_block_around_it_in_force(monkeypatch):
    with mg.no_grad():
        with monkeypatch.context() as patch:
            patch.setattr(settings, "_entries", InterruptedOnce(settings._entries))
            with pytest.raises(KeyboardInterrupt):
                mg.grad(lambda x: x * x)(1.0)
        assert not settings.recording()
    assert settings.recording()


def test_what_a_function_enters_and_does_not_leave_stays_in_force_after_a_transform():
    left = mg.scope("left")

    def f(x):
        left.__enter__()
        return x * x

    with mg.scope("around"):
        assert mg.grad(f)(3.0) == 6
        assert settings.setting("scope", ()) == ("around", "left")
        left.__exit__(None, None, None)
        assert settings.setting("scope", ()) == ("around",)


def test_an_instance_that_is_entered_again_ends_from_the_inside():
    again = mg.scope("a")
    with again:
        with again:
            assert settings.setting("scope", ()) == ("a", "a")
        assert settings.setting("scope", ()) == ("a",)
    assert settings.setting("scope", ()) == ()
    assert again.__exit__() is None  # there is nothing left to end


def test_an_instance_shared_with_another_thread_ends_where_it_was_entered():
    shared, entered, leave = mg.no_grad(), threading.Event(), threading.Event()

    def other():
        with shared:
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with shared:
        thread.start()
        entered.wait(10)
    assert settings.recording()
    leave.set()
    thread.join()


BLOCKS = [lambda: mg.no_grad(), lambda: mg.scope("a"), lambda: mg.debug(nonfinite=False), lambda: mg.scope("b")]


@pytest.mark.parametrize("order", [order for n in range(5) for order in itertools.permutations(range(4), n)])
def test_a_call_in_a_scope_is_in_that_of_the_blocks_around_and_changes_no_other_setting(order):
    def state():
        return settings.recording(), settings.setting("scope", ()), settings.debugger() is None

    with contextlib.ExitStack() as stack:
        for i in order:
            stack.enter_context(BLOCKS[i]())
        before = state()
        inside = settings.call_in_scope("c", lambda *x, **o: (x, o, state()), (1, 2), {"k": 3})
        names = tuple("_a_b"[i] for i in order if i in (1, 3))
        assert before == (0 not in order, names, 2 not in order)
        assert inside == ((1, 2), {"k": 3}, (before[0], (*names, "c"), before[2]))
        nested = settings.call_in_scope("c", settings.call_in_scope, ("d", state, (), {}), {})
        assert nested == (before[0], (*names, "c", "d"), before[2])
        with pytest.raises(ZeroDivisionError):
            settings.call_in_scope("c", lambda: 1 / 0, (), {})
        assert state() == before


def test_what_a_vjp_records_is_in_the_scope_of_its_op():
    def f(x):
        with mg.scope("a"):
            y = np.sin(x)
        return y

    scopes = []

    def derivative(x):
        dx = mg.grad(f)(x)
        scopes.append(dx.node.scope)
        return dx

    mg.grad(derivative)(0.5)
    assert scopes == [("a", "backward of sin")]


def interrupted_at(position, run):
    """Run it with a KeyboardInterrupt at the event of this number in settings.py or transforms.py; whether it came."""
    count, files = 0, (settings.__file__, transforms.__file__)

    def trace(frame, event, argument):
        nonlocal count
        if frame.f_code.co_filename not in files:
            return None
        frame.f_trace_opcodes = True
        count += 1
        if count == position:
            sys.settrace(before)
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()  # of a coverage tool
    sys.settrace(trace)
    try:
        run()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def enter_and_leave():
    with mg.no_grad(), mg.scope("a"):
        pass


def transform():
    with mg.no_grad():
        mg.grad(lambda x: x * x)(1.0)


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer is at work already")
@pytest.mark.parametrize("run", [enter_and_leave, transform])
def test_an_interrupt_anywhere_leaves_the_thread_as_it_was(run):
    position = 1
    while interrupted_at(position, run):
        assert settings.recording(), position
        assert settings.setting("scope", ()) == (), position
        position += 1
    assert position > 100


def test_what_a_transform_puts_in_force_ends_with_an_exception_that_is_kept():
    """Also where its function has left a block open, whose scope goes on."""
    kept = []

    def failing(x):
        kept.append(mg.scope("left open"))
        kept[0].__enter__()
        raise KeyError("failing")

    with mg.no_grad():
        try:
            mg.grad(failing)(1.0)
        except KeyError as error:
            kept.append(error)  # and with it the frames of the call
        assert not settings.recording()
        assert settings.setting("traced", ()) == ()
        assert settings.setting("scope", ()) == ("left open",)
        kept[0].__exit__(None, None, None)
    assert settings.setting("scope", ()) == ()
    assert settings.recording()
