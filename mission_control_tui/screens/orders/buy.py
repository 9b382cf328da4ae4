"""The buy flow: one page a step, back and forth without losing anything, a review, and the order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.widget import Widget

from mission_control_tui.model.catalogue.prices import Quote, quote
from mission_control_tui.model.catalogue.types import OrderField as Question
from mission_control_tui.model.catalogue.types import Product, PurchaseKind
from mission_control_tui.model.catalogue.values import Value
from mission_control_tui.model.errors import InvalidInput, MissionControlError
from mission_control_tui.model.orders.buying import Availability, DomainCheck, buy, check_domain
from mission_control_tui.model.orders.queries import OrderView
from mission_control_tui.model.plan import Outcome
from mission_control_tui.screens.base.mission_screen import MissionScreen
from mission_control_tui.screens.forms.refused_fields import heading_for
from mission_control_tui.screens.forms.user_fields import words_of
from mission_control_tui.screens.orders.amount import amount_fields, count_of
from mission_control_tui.screens.orders.order_once import order_once, recall_keys, remember_keys
from mission_control_tui.screens.orders.product import level_choices, term_words
from mission_control_tui.screens.orders.rows import review_lines
from mission_control_tui.widgets.action_button import ActionButton
from mission_control_tui.widgets.field import AnyField, ChoiceField, Field, FormLine
from mission_control_tui.widgets.level_picker import LevelPicker, PriceList
from mission_control_tui.widgets.rule_field import answer_of, rule_field
from mission_control_tui.widgets.step_page import StepPage
from mission_control_tui.widgets.text_lines import TextLines

NAME, LEVEL, AMOUNT, REVIEW = "name", "level", "amount", "review"
"""The steps that are not a page of the catalogue's questions; a page goes by "page:" and its name."""

FIELD = "ask-"
"""Before the id of a question, so that it is never that of another widget."""


class BuyScreen(MissionScreen):
    """Buys one product. `return_to` says where one came from for seats: the order leads back there at once."""

    CSS_PATH = "buy.tcss"
    NAME = "buy"
    MEMORY_NAME = "BuyScreen"
    DRAFT = "Buy"
    HEADING = "Buy"
    ABOUT = (
        "Answer what is asked and go on with Next: Enter on it, F7, or b outside fields. Escape leaves the field, a "
        "second one goes back a step; everything that was typed is kept. Nothing is bought before the last step, which "
        "shows what it costs."
    )
    VERBS = ("buy",)

    def __init__(
        self,
        product_id: str,
        level_id: str | None = None,
        quantity: int | None = None,
        return_to: str = "",
    ) -> None:
        super().__init__()
        self._product_id = product_id
        self.subject = f":{product_id}"
        self._level_id = level_id
        self._quantity = quantity
        self._return_to = return_to
        self._pages: dict[str, StepPage] = {}
        self._at = 0
        self._busy = False
        self._showing = False
        self._done = False
        self._check: DomainCheck | None = None
        self._reviewed: OrderView | None = None

    @property
    def unfinished(self) -> bool:
        return self._at > 0 and not self._done

    def remember(self) -> dict[str, object]:
        return {} if self._done else {**super().remember(), **remember_keys(self.context)}

    def recall(self, memory: dict[str, object]) -> None:
        recall_keys(self.context, memory)
        super().recall(memory)

    @property
    def product(self) -> Product:
        return self.context.catalogue.product(self._product_id)

    @property
    def _most(self) -> int:
        return self.context.catalogue.most(self.product)

    def body(self) -> Iterable[Widget]:
        return ()

    def on_mount(self) -> None:
        self.frame.top.title = f"Buy {self.product.name}"
        self._show(1 if self._level_id and self.steps()[0] == LEVEL else 0)

    # Steps

    def steps(self) -> list[str]:
        """Return the steps for what has been answered so far; the questions depend on the domain's ending."""
        product = self.product
        pages = [f"page:{name}" for name in self._questions()]
        several = self._most > 1 or len(product.terms) > 1
        amount = [AMOUNT] if several else []
        if product.buys is PurchaseKind.DOMAIN:
            return [NAME, *amount, *pages, REVIEW]
        on_sale = [level for level in product.levels if not level.withdrawn]
        level = [LEVEL] if len(on_sale) > 1 and not product.level_first else []
        return [*level, *pages, *amount, REVIEW]

    def _questions(self) -> dict[str, list[Question]]:
        """Return the catalogue's questions by page, in its order."""
        pages: dict[str, list[Question]] = {}
        extension = self._check.extension_id if self._check else None
        for question in self.product.fields_for(extension):
            pages.setdefault(question.page or "Details", []).append(question)
        return pages

    @property
    def _step(self) -> str:
        return self.steps()[self._at]

    @property
    def _page(self) -> StepPage:
        return self._pages[self._step]

    def _show(self, at: int) -> None:
        """Show a step, as it was left."""
        steps = self.steps()
        for page in self._pages.values():
            page.display = False
        self._at = at
        self._showing = True
        key = steps[at]
        words = {
            NAME: "The name",
            LEVEL: "Level",
            AMOUNT: "How many, for how long" if self._most > 1 else "For how long",
            REVIEW: "Review",
        }
        if key not in self._pages:
            self._pages[key] = StepPage(self._fields(key), "buy")
            self.frame.body.mount(self._pages[key])
        page = self._pages[key]
        title = words.get(key, key.removeprefix("page:"))
        page.title.set(f"Step {at + 1} of {len(steps)}: {title}")
        page.display = True
        self.refresh_keys()
        page.call_after_refresh(self._shown, page)

    @property
    def holds_keys(self) -> bool:
        """Tell whether what is typed now is for the page that comes."""
        return self._busy or self._showing

    def _shown(self, page: StepPage) -> None:
        self._showing = False
        if not self.is_here or not page.display:
            return
        if self._quantity is not None:
            self.memory.kept.pop("quantity", None)
        if self.memory.kept:
            self.go_back()
        self._update()
        if not self._count_wrong():
            page.focus_first()

    def _fields(self, key: str) -> list[Widget]:
        product = self.product
        if key == NAME:
            sold = [
                (ending.id, ending.name) for ending in product.extensions if not ending.withdrawn
            ]
            return [
                Field(
                    "Domain name",
                    required=True,
                    max_length=253,
                    help_text="Letters, digits and inner hyphens; letters of any language may be used.",
                    id="domain",
                ),
                ChoiceField("Ending", sold, help_text="Each has its own price.", id="extension"),
            ]
        if key == LEVEL:
            choices = level_choices(self.context.catalogue.money, product, None)
            price = term_words(min(product.terms))
            return [PriceList(choices, self._level_id or None, price=price, id="level")]
        if key == AMOUNT:
            return amount_fields(self.product, self._most, self._quantity)
        if key == REVIEW:
            return [TextLines("", id="review"), TextLines("", "strong", id="warnings")]
        domains = self.context.account.domains
        return [
            rule_field(question, id=FIELD + question.id, domains=domains)
            for question in self._questions()[key.removeprefix("page:")]
        ]

    @property
    def key_labels(self) -> Mapping[str, str]:
        return {} if self._pages and self._step == REVIEW else {"buy": "Next"}

    # What has been answered

    def _text(self, step: str, name: str) -> str:
        page = self._pages.get(step)
        field = page.field(name) if page else None
        return str(field.value).strip() if field is not None else ""

    @property
    def _level(self) -> str | None:
        page = self._pages.get(LEVEL)
        if page is not None and isinstance(page.fields[0], PriceList):
            return page.fields[0].chosen
        return self._level_id

    @property
    def _term(self) -> int | None:
        term = self._text(AMOUNT, "term")
        return int(term) if term else None

    def _count(self) -> int:
        """Return the quantity; 0, which no product allows, where no number stands in the field."""
        if AMOUNT not in self.steps() or self._most == 1:
            return self._quantity or 1
        if AMOUNT not in self._pages:
            return self._quantity or self.product.min_quantity
        return count_of(self._text(AMOUNT, "quantity"))

    def _answers(self) -> dict[str, Value]:
        return {
            question.id: field.value
            for name, questions in self._questions().items()
            if (page := self._pages.get(f"page:{name}")) is not None
            for question in questions
            if (field := page.field(FIELD + question.id)) is not None
        }

    def _priced(self) -> Quote:
        product = self.product
        domain = self._check.name if self._check and product.buys is PurchaseKind.DOMAIN else None
        return quote(
            self.context.catalogue,
            product.id,
            self._level,
            quantity=self._count(),
            term=self._term,
            domain=domain,
        )

    def _update(self) -> None:
        """Say beside the fields what follows from them: how many are wrong, the price, what is known of the name."""
        page = self._page
        last = self._step == REVIEW
        page.button.label = self.product.buy_label if last else "Next"
        if page.wrong:
            page.remark(heading_for(page.wrong), "error")
        elif self._step == NAME:
            page.remark("Type the name and choose its ending.")
        elif self._step == LEVEL:
            page.button.reason = "" if self._level else "choose a level above"
            page.remark("Choose with Space or Enter.")
        elif self._step == AMOUNT:
            page.remark(self._amount_note())
        elif not last:
            page.remark("Fields marked * are compulsory.")

    def _amount_note(self) -> str:
        check = self._check
        said = f"Availability of {check.name}: {check.availability}.\n" if check else ""
        try:
            priced = self._priced()
        except InvalidInput:
            return said + "The price is shown once these fields are right."
        line = priced.lines[0]
        return (
            f"{said}{line.label}: {line.quantity} x {line.unit} = {priced.net}, "
            f"with {priced.tax_label} {priced.total}."
        )

    def on_field_changed(self, event: Field.Changed | FormLine.Changed) -> None:
        event.field.error = ""
        if self._step == NAME and (name := self._page.field("domain")) is not None:
            name.error = ""  # what is wrong with a name may be so with its ending alone
        self._update()

    on_form_line_changed = on_field_changed

    def on_level_picker_chosen(self, event: LevelPicker.Chosen) -> None:
        self._update()
        self._page.button.focus()

    # Going on and back

    def may_leave(self) -> bool:
        if self._at:
            self._show(self._at - 1)
            return False
        return True

    def on_action_button_refused(self, event: ActionButton.Refused) -> None:
        self._page.focus_first()
        self.answer("Choose a level first: Space or Enter on it", error=True)

    def verb_buy(self) -> None:
        """Go on; at the review, place the order."""
        if self._page.button.reason:
            self._page.focus_first()
            self.answer(self._page.button.reason.capitalize(), error=True)
        elif not self._busy:
            self._busy = True
            self.do(self._go_on())

    async def _go_on(self) -> None:
        try:
            if self._step == REVIEW:
                await self._ask_or_place()
            elif await self._accepts():
                self.announce("")
                at = self._at + 1
                if self.steps()[at] == REVIEW:
                    await self._review()
                else:
                    self._show(at)
        except InvalidInput as error:
            self._point_at(error)
        except MissionControlError as error:
            self._page.explain(str(error))
        finally:
            self._busy = False

    async def _accepts(self) -> bool:
        """Tell whether this step's answers can be used; what is wrong stands beside the fields, the count above."""
        self._page.explain("")
        if self._step == NAME:
            return await self._check_name()
        if self._step == AMOUNT:
            self._priced()
        elif self._step.startswith("page:"):
            for question in self._questions()[self._step.removeprefix("page:")]:
                field = self._page.field(FIELD + question.id)
                if field is not None:
                    answer_of(field, question)
            return not self._count_wrong()
        return True

    def _count_wrong(self) -> int:
        """Say above the fields of the page how many are wrong, go to the first; returns how many."""
        count = len(self._page.wrong)
        if count:
            self._update()
            self._page.focus_first()
            self.announce("")
        return count

    async def _check_name(self) -> bool:
        field = self._page.field("domain")
        ending = self._page.field("extension")
        if not isinstance(field, Field) or not isinstance(ending, ChoiceField):
            return False
        typed = field.value.strip().rstrip(".")
        for extension in sorted(self.product.extensions, key=lambda ending: -len(ending.name)):
            if typed.casefold().endswith(extension.name) and not extension.withdrawn:
                typed = typed[: -len(extension.name)]
                field.value, ending.value = typed, extension.id
                break
        name = typed + self.product.extension(ending.value).name
        context = self.context
        try:
            if not typed:
                raise InvalidInput("is compulsory")
            check = await check_domain(context.scope, self._product_id, name, context.ask_registrar)
            quote(context.catalogue, self._product_id, domain=check.name)
        except MissionControlError as error:
            field.error = words_of(error.problems[0]) if error.problems else error.what
            return not self._count_wrong()
        if check.availability not in (Availability.NOT_CHECKED, Availability.FREE):
            field.error = check.said
            return not self._count_wrong()
        if self._check is None or self._check.extension_id != check.extension_id:
            self._forget_pages()
        self._check = check
        return True

    def _forget_pages(self) -> None:
        """Another ending has other questions: what is not asked any more goes, what stays keeps its answers."""
        for key in [key for key in self._pages if key.startswith("page:")]:
            page = self._pages.pop(key)
            for field in page.fields:
                if field.id and isinstance(field, AnyField):
                    self.memory.kept[field.id] = field.value
            page.remove()

    def _point_at(self, error: InvalidInput) -> None:
        """Show the first step that has something wrong, with each problem beside its field."""
        homes = {"quantity": AMOUNT, "term": AMOUNT, "domain": NAME, "level": LEVEL}
        for name, questions in self._questions().items():
            homes |= {question.id: f"page:{name}" for question in questions}
        steps = self.steps()
        places = []
        for problem in error.problems:
            step = homes.get(problem.where)
            page = self._pages.get(step or "")
            if page is None or step not in steps:
                continue
            field = page.field(problem.where) or page.field(FIELD + problem.where)
            if field is not None:
                field.error = words_of(problem)
                places.append(steps.index(step))
        if len(places) < max(len(error.problems), 1):
            self._page.explain(str(error))
        if places and min(places) != self._at:
            self._show(min(places))
        else:
            self._count_wrong()

    # Review and order

    async def _try(self, *, dry_run: bool) -> Outcome[OrderView]:
        return await order_once(
            self.context,
            buy,
            self._product_id,
            level=self._level,
            quantity=self._count(),
            term=self._term,
            domain=self._check.name if self._check else None,
            registrar=self._check.registrar if self._check else None,
            fields=self._answers(),
            dry_run=dry_run,
        )

    async def _review(self) -> None:
        """Try the order, show what it comes to."""
        outcome = await self._try(dry_run=True)
        self._reviewed = outcome.result
        self._show(self.steps().index(REVIEW))
        page = self._page
        review, warnings = page.fields
        if isinstance(review, TextLines) and isinstance(warnings, TextLines):
            lines = review_lines(outcome.result, self.product, self._priced().tax_label)
            review.set("\n".join(lines))
            warnings.tell(*outcome.plan.warnings)
        examples = " Prices are examples." if self.context.catalogue.prices_are_examples else ""
        page.remark(f"For {self.context.account.name}. Nothing is bought yet.{examples}")

    async def _ask_or_place(self) -> None:
        """Place the order, once it is known what its domain reads."""
        question = self._check.question if self._check else ""
        if question:
            self.prompts.confirm([question], self._placed, yes="Yes, buy", takes_away=False)
        else:
            await self._place()

    async def _placed(self) -> None:
        try:
            await self._place()
        except InvalidInput as error:
            self._point_at(error)
        except MissionControlError as error:
            self._page.explain(str(error))

    async def _place(self) -> None:
        """Place the order as it was reviewed; a price that changed meanwhile is shown first."""
        if self._check is not None:
            # Somebody else may have got the name while this one was filled in.
            again = await check_domain(
                *(self.context.scope, self._product_id, self._check.name),
                self.context.ask_registrar,
            )
            self._check = replace(self._check, registrar=again.registrar)
        fresh = await self._try(dry_run=True)
        if self._reviewed is None or fresh.result.total != self._reviewed.total:
            await self._review()
            self.announce("The price has changed: look again before you buy", error=True)
            return
        outcome = await self._try(dry_run=False)
        order = outcome.result
        if outcome.plan.requests:
            await self.queue_changed()
        self._done = True
        self.console.memory.pop(self.memory_key, None)
        if not self.is_here or self.app.screen is not self:
            return
        if self._return_to:
            says = f"Order {order.id}: bought {order.lines[0].quantity} x {order.lines[0].label}"
            self.app.pop_screen()
            self.app.notify(says)
            return
        confirmation = self.console.make_screen("order", order.id, confirms=True)
        self.app.switch_screen(confirmation)
