"""Take the picture of the planner that the README shows: `python docs/pictures/make.py`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from rotator.model.when import parse_instant
from rotator.tui.app import PlannerApp
from rotator.workflows import session as sessions

HERE = Path(__file__).parent
POLICY = HERE.parents[1] / "policies" / "storefront.toml"


async def picture() -> str:
    """Open the sample policy, ask what happens if the served key is stolen and the backup served, and look."""
    app = PlannerApp(
        sessions.start(str(POLICY), parse_instant("2026-11-23T09:00Z")), ascii_only=False, no_color=False
    )
    async with app.run_test(size=(100, 32)) as pilot:
        await pilot.pause(0.2)
        await pilot.press("2")
        await pilot.pause(0.3)
        await pilot.press("down", "down", "down", "down", "right")
        await pilot.pause(0.2)
        svg = app.export_screenshot(title="rotator policies/storefront.toml")
    svg = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)  # nothing is fetched to see it
    return re.sub(r"Fira ?Code", "DejaVu Sans Mono", svg)


if __name__ == "__main__":
    (HERE / "planner.svg").write_text(asyncio.run(picture()), encoding="utf-8")
