"""What is left out of the module that a host gains: whatever nothing in it uses."""

from __future__ import annotations

from typing import get_args

import pytest

from skill.render.join import SURFACE, join
from skill.render.style import CANONICAL
from skill.render.typescript import Kind, render_channel_module

SOURCE = """\
import * as fs from 'fs';

interface Inner {
  used: string;
  /** Nobody looks at it: not even this comment, unused, counts. */
  unused: string;
}

const UNUSED = 1;

export interface DialHooks {
  connection: string;
}

abstract class Base {
  protected kept = { used: 'x' } as Inner;
  protected abstract lonely(): string;

  /** Called below. */
  helper(): string {
    return this.kept.used;
  }

  /** An override of it is no use. */
  hook(): void {}

  last(): void {}
}

export class Reconnect extends Base {
  constructor() {
    super();
    this.helper();
  }

  stop(): void {}

  protected override hook(): void {}

  protected lonely(): string {
    return '';
  }
}
"""
JOINED = """\

interface Inner {
  used: string;
}

export interface DialHooks {
  connection: string;
}

abstract class Base {
  protected kept = { used: 'x' } as Inner;

  /** Called below. */
  helper(): string {
    return this.kept.used;
  }
}

export class Reconnect extends Base {
  constructor() {
    super();
    this.helper();
  }

  stop(): void {}
}
"""


def test_what_nothing_uses_is_left_out() -> None:
    assert join((SOURCE,), "esm") == JOINED


@pytest.mark.parametrize("ending", [".ts", ".js"])
@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_hosts_call_stays(kind: Kind, ending: str) -> None:
    text = render_channel_module(CANONICAL, "1", ending, kind=kind)
    called = SURFACE - {"constructor", "name"} if kind != "held" else {"socket", "authState"}
    assert all(f" {name}(" in text or f" {name}<" in text for name in called)


def test_a_host_gains_nothing_of_the_other_kind() -> None:
    loop, held = (render_channel_module(CANONICAL, "1", kind=kind) for kind in ("loop", "held"))
    assert "authState" not in loop
    assert "exitIfAlone" not in held
    assert "interface DialHooks" in loop
    assert "interface DialHooks" not in held
