"""Retry all red: what is likely to fail again and why, asked first; then a bulk that the worker goes on with."""

from __future__ import annotations

from mission_control_tui.model.bulk.control import start
from mission_control_tui.model.bulk.retry import RetryForecast, RetryPlan, retry_plan
from mission_control_tui.model.bulk.targets import Picked
from mission_control_tui.model.bulk.views import BulkOnlyAction
from mission_control_tui.model.text.counting import counted
from mission_control_tui.screens.base.mission_screen import MissionScreen

REASONS = 4


async def retry_red(screen: MissionScreen, users: Picked) -> None:
    """Say on the screen what trying again all that is red of `users` would give, and ask."""
    screen.need_write()
    context = screen.context
    plan = await retry_plan(context.scope, users)
    screen.still_here()
    if not plan.queued:
        screen.answer(plan.not_retried or "Nothing is red in view")
        return
    lines = outlook(context.account.name, plan)

    async def then() -> None:
        bulk = (await start(context.scope, users, BulkOnlyAction.RETRY)).result
        screen.announce(f"{bulk.progress.total:,} queued to be tried again, as bulk {bulk.id}")
        await screen.queue_changed()

    if plan.queued > context.settings.console.confirm_above:
        screen.prompts.ask_typed(lines, str(plan.queued), then, what="the number of retries")
    else:
        screen.prompts.confirm(lines, then, yes="Retry", takes_away=False)


def outlook(account: str, plan: RetryPlan) -> list[str]:
    """Return a retry plan as the lines of a question."""
    counts = ", ".join(
        f"{count:,} {likely}" for likely in RetryForecast if (count := plan.count(likely))
    )
    lines = [
        f"{account}: try again {counted(plan.queued, 'red light')} in view?",
        f"Likely: {counts}.",
    ]
    lines += [f"{count:,} {likely}: {why}" for likely, why, count in plan.reasons[:REASONS]]
    more = len(plan.reasons) - REASONS
    lines += [f"... and {counted(more, 'more reason')}"] * (more > 0)
    return [*lines, plan.not_retried] if plan.past_term else lines
