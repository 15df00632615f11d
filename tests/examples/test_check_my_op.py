"""The example finds its wrong VJP, explains it, and proves the right one."""

import importlib

import check_my_op


def test_the_wrong_vjp_is_found_and_explained(capsys):
    importlib.reload(check_my_op).main()  # the op begins with its wrong VJP
    told = capsys.readouterr().out
    assert "GradientError: moving_sum: the gradient of x is WRONG" in told
    assert "shifted by 1 along axis 0: an offset is wrong" in told
    assert told.rstrip().endswith("first and second derivative proven.")
