"""What can be done with a message, quickly: a page has two hundred of them.

Their links differ by numbers alone. So the template is rendered once for each kind of
message, with numbers that are replaced, and a message's own are put in.
"""

from collections.abc import Callable
from functools import cache
from types import MappingProxyType
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from chats.templating.paths import number_format
from messaging.ids import MAX_ID, MessageId
from messaging.projections import MessageProjection

MessageActions = Callable[[MessageProjection, MessageId | None], Markup]

_REPLACED: Final = MappingProxyType(
    {
        name: MAX_ID - place
        for place, name in enumerate(
            ("id", "conversation_id", "thread_id", "parent_id")
        )
    }
)


def message_actions(environment: Environment) -> MessageActions:
    """The function for templates: the actions of a message, in the thread of a root if one
    is given.
    """

    @cache
    def pattern(*, in_thread: bool, has_parent: bool, edited: bool, read: bool) -> str:
        replaced: dict[str, object] = dict(_REPLACED)
        if not in_thread:
            replaced["thread_id"] = None
        if not in_thread or not has_parent:
            replaced["parent_id"] = None
        template = environment.get_template("chats/message_actions.html")
        made = template.render(replaced, edited=edited, read=read).strip()
        return number_format(
            made, {number: f"%({name})d" for name, number in _REPLACED.items()}
        )

    def actions(message: MessageProjection, thread_id: MessageId | None) -> Markup:
        numbers = {
            "id": message.id,
            "conversation_id": message.conversation_id,
            "thread_id": thread_id,
            "parent_id": message.parent_message_id,
        }
        found = pattern(
            in_thread=thread_id is not None,
            has_parent=message.parent_message_id is not None,
            edited=message.edited,
            read=message.read,
        )
        return Markup(found % numbers)  # noqa: S704  # `%d` takes numbers alone

    return actions
