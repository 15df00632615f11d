"""Hit a target with a ball that may bounce off a wall: the gradient of a simulation with branches.

How often the loop runs and which branches it takes depend on the data. The tape records what
happened, so the derivative is that of the path that was taken.
"""

import argparse

import numpy as np
from command_line import number

from minigrad import value_and_grad

GRAVITY = 9.81  # m/s**2
DRAG = 0.02  # 1/m
WALL = 18.0  # m from the origin; the ball bounces off it with half its horizontal speed
LONGEST = 60.0  # s: no sensible throw is longer in the air


def landing(velocity, step=0.01):
    """Where, in m, a ball thrown from the origin with velocity (vx, vy) in m/s comes down.

    Raises ValueError unless the ball is thrown upward and comes down within LONGEST.
    """
    x, y = np.zeros(2)
    vx, vy = velocity
    if not vy > 0:
        raise ValueError(f"landing: vy is {vy:g} m/s, should be above 0")
    for _ in range(round(LONGEST / step)):
        drag = DRAG * np.sqrt(vx**2 + vy**2)
        vx, vy = vx - step * drag * vx, vy - step * (drag * vy + GRAVITY)
        next_x, next_y = x + step * vx, y + step * vy
        if next_x > WALL:
            next_x, vx = WALL - (next_x - WALL) / 2, -vx / 2
        if next_y < 0:
            return x + (next_x - x) * y / (y - next_y)
        x, y = next_x, next_y
    raise ValueError(f"landing: the ball is still in the air after {LONGEST:g} s")


def main(arguments=None):
    """Correct the throw by Gauss-Newton steps until it lands within 1 mm of the target; return where it lands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--target", type=number(float, 1, WALL), default=15.0, metavar="X", help="m from the origin (default 15)"
    )
    target = parser.parse_args(arguments).target
    velocity = np.array([12.0, 9.0])
    for throw in range(1, 21):
        x, dx = value_and_grad(landing)(velocity)
        print(f"throw {throw:2d}: ({velocity[0]:6.3f}, {velocity[1]:6.3f}) m/s lands at {x:7.3f} m")
        if abs(x - target) < 1e-3:
            break
        velocity = velocity + dx * (target - x) / np.sum(dx**2)
    else:
        print(f"missed the target at {target:g} m")
    return x


if __name__ == "__main__":
    main()
