"""Hit a target with a ball that may bounce off a wall: the gradient of a simulation with branches.

How often the loop runs, and which way it branches, depends on the data; the tape records what
happened, so the derivative is that of the path that was taken.
"""

import argparse

import numpy as np

from minigrad import value_and_grad

GRAVITY = 9.81  # m/s**2
DRAG = 0.02  # 1/m
WALL = 18.0  # m: the ball comes back from it with half its speed


def landing(velocity, step=0.01):
    """Where, in m, a ball thrown from the origin with velocity (vx, vy) in m/s comes down."""
    x, y = np.zeros(2)
    vx, vy = velocity
    while True:
        drag = DRAG * np.sqrt(vx**2 + vy**2)
        vx, vy = vx - step * drag * vx, vy - step * (drag * vy + GRAVITY)
        next_x, next_y = x + step * vx, y + step * vy
        if next_x > WALL:
            next_x, vx = WALL - (next_x - WALL) / 2, -vx / 2
        if next_y < 0:
            return x + (next_x - x) * y / (y - next_y)
        x, y = next_x, next_y


def main(arguments=None):
    """Correct the throw by Gauss-Newton steps until it hits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--target", type=float, default=15.0, help="m")
    target = parser.parse_args(arguments).target
    velocity = np.array([12.0, 9.0])
    for throw in range(1, 21):
        x, dx = value_and_grad(landing)(velocity)
        print(f"throw {throw:2d}: ({velocity[0]:6.3f}, {velocity[1]:6.3f}) m/s lands at {x:7.3f} m")
        if abs(x - target) < 1e-3:
            break
        velocity = velocity + dx * (target - x) / np.sum(dx**2)
    return x


if __name__ == "__main__":
    main()
