"""The script of the demo: all messages, and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Usernames and display names; the first user is the one to sign in as.
PEOPLE: Final = {
    "maya": "Maya Lindqvist",
    "jonas": "Jonas Weber",
    "amina": "Amina Diallo",
    "tomas": "Tomás Herrera",
    "lucia": "Lucia Romano",
    "kenji": "Kenji Mori",
}

GARDEN: Final = "Elm Street garden"
SUPPER: Final = "Saturday supper"
# Titles of the groups with the owner first.
GROUPS: Final = {
    GARDEN: ("lucia", "maya", "jonas", "amina", "tomas", "kenji"),
    SUPPER: ("maya", "amina", "jonas", "tomas"),
}

_HOUR: Final = 60
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class ScriptedMessage:
    """A message of the script. `to` is a group's title or a user's username."""

    minutes_ago: int
    sender: str
    to: str
    content: str
    # A name by which other lines reply to this one, and by which this line names its
    # parent.
    key: str = ""
    reply_to: str = ""
    # Earlier contents, oldest first, if the message was edited.
    before: Sequence[str] = ()


# Chronological: the inbox has the same order.
STORY: Final = (
    ScriptedMessage(
        9 * _DAY,
        "lucia",
        GARDEN,
        "Welcome, everyone! This is the place for all things garden: watering, tools, "
        "and who has too many zucchini.",
    ),
    ScriptedMessage(
        9 * _DAY - 12,
        "kenji",
        GARDEN,
        "Thank you for setting this up, Lucia. I can water on Tuesdays and Fridays.",
        key="watering",
    ),
    ScriptedMessage(
        9 * _DAY - 30,
        "amina",
        GARDEN,
        "I will take Mondays and Thursdays then.",
        reply_to="watering",
    ),
    ScriptedMessage(
        9 * _DAY - 41,
        "tomas",
        GARDEN,
        "And the weekends are mine, I am there with the children anyway.",
        reply_to="watering",
    ),
    ScriptedMessage(
        6 * _DAY,
        "jonas",
        "maya",
        "Hi Maya, do you still have the long ladder? Our gutter is full of leaves.",
        key="ladder",
    ),
    ScriptedMessage(
        6 * _DAY - 25,
        "maya",
        "jonas",
        "It is in the shed behind the house, the door is open. Take it whenever "
        "you like.",
        reply_to="ladder",
    ),
    ScriptedMessage(
        6 * _DAY - 28,
        "jonas",
        "maya",
        "Wonderful, thank you. You will have it back on Sunday.",
    ),
    ScriptedMessage(
        4 * _DAY,
        "maya",
        SUPPER,
        "Supper at our place this Saturday at 7 pm. Who is coming?",
        key="supper",
        before=("Supper at our place this Saturday at 6 pm. Who is coming?",),
    ),
    ScriptedMessage(
        4 * _DAY - 9,
        "amina",
        SUPPER,
        "With pleasure! I will bring the peanut stew.",
        key="stew",
        reply_to="supper",
    ),
    ScriptedMessage(
        4 * _DAY - 15,
        "tomas",
        SUPPER,
        "The one from last winter? My daughter still talks about it.",
        key="winter",
        reply_to="stew",
    ),
    ScriptedMessage(
        4 * _DAY - 21,
        "amina",
        SUPPER,
        "The very one. Does she eat it spicy by now?",
        key="spicy",
        reply_to="winter",
    ),
    ScriptedMessage(
        4 * _DAY - 26,
        "tomas",
        SUPPER,
        "A little. Could you keep a small pot mild?",
        key="mild",
        reply_to="spicy",
    ),
    ScriptedMessage(
        4 * _DAY - 31,
        "amina",
        SUPPER,
        "Of course. Is anybody allergic to peanuts?",
        key="allergic",
        reply_to="mild",
    ),
    ScriptedMessage(
        4 * _DAY - 40,
        "jonas",
        SUPPER,
        "My sister is, and she may come along. I should have said so earlier.",
        key="sister",
        reply_to="allergic",
        before=("My sister is, and she may come along.",),
    ),
    ScriptedMessage(
        4 * _DAY - 44,
        "amina",
        SUPPER,
        "Good that you say so. Then I will make it with sunflower seeds, for everyone.",
        key="seeds",
        reply_to="sister",
    ),
    ScriptedMessage(
        4 * _DAY - 52,
        "jonas",
        SUPPER,
        "That is very kind. Does it taste the same?",
        key="taste",
        reply_to="seeds",
    ),
    ScriptedMessage(
        4 * _DAY - 58,
        "amina",
        SUPPER,
        "Almost. My grandmother made it so whenever peanuts were dear.",
        key="grandmother",
        reply_to="taste",
    ),
    ScriptedMessage(
        4 * _DAY - 63,
        "maya",
        SUPPER,
        "I would love to have that recipe.",
        key="recipe",
        reply_to="grandmother",
    ),
    ScriptedMessage(
        4 * _DAY - 70,
        "amina",
        SUPPER,
        "It was never written down. Come an hour early and we will cook it together?",
        key="together",
        reply_to="recipe",
    ),
    ScriptedMessage(
        4 * _DAY - 74,
        "maya",
        SUPPER,
        "Yes, please! I will have the onions ready.",
        key="onions",
        reply_to="together",
    ),
    ScriptedMessage(
        4 * _DAY - 95,
        "tomas",
        SUPPER,
        "And I will write it down while you two cook.",
        reply_to="onions",
    ),
    ScriptedMessage(
        4 * _DAY - 110,
        "jonas",
        SUPPER,
        "I am in as well, and will bring bread and a salad.",
        reply_to="supper",
    ),
    ScriptedMessage(
        3 * _DAY,
        "kenji",
        "maya",
        "Maya, the seed catalogue you lent me is a treasure. I marked a few pages "
        "with slips of paper, I hope you do not mind.",
        key="catalogue",
    ),
    ScriptedMessage(
        3 * _DAY - 34,
        "maya",
        "kenji",
        "Not at all, that is what it is for. Which ones do you like best?",
        reply_to="catalogue",
    ),
    ScriptedMessage(
        3 * _DAY - 50,
        "kenji",
        "maya",
        "The purple beans on page 14, and every single squash.",
    ),
    ScriptedMessage(
        2 * _DAY,
        "lucia",
        GARDEN,
        "The compost arrives on Wednesday at 9. We need four people with gloves.",
        key="compost",
        before=(
            "The compost arrives on Tuesday at 9.",
            "The compost arrives on Wednesday at 9.",
        ),
    ),
    ScriptedMessage(
        2 * _DAY - 17,
        "jonas",
        GARDEN,
        "Count me in, I can come before work.",
        reply_to="compost",
    ),
    ScriptedMessage(
        2 * _DAY - 33,
        "kenji",
        GARDEN,
        "Me too. I have a second wheelbarrow.",
        reply_to="compost",
    ),
    ScriptedMessage(
        _DAY,
        "amina",
        "maya",
        "Shall we meet at six on Saturday, for the stew?",
        key="six",
    ),
    ScriptedMessage(
        _DAY - 8,
        "maya",
        "amina",
        "Six is perfect. I am looking forward to it all week.",
        reply_to="six",
    ),
    ScriptedMessage(
        6 * _HOUR,
        "tomas",
        GARDEN,
        "The rain barrel is full to the brim. No need to water today.",
    ),
    ScriptedMessage(
        80,
        "lucia",
        GARDEN,
        "@maya, could you be the fourth for the compost? You have the good fork.",
        reply_to="compost",
    ),
    ScriptedMessage(
        61,
        "kenji",
        "maya",
        "I have ordered the purple beans for both of us. A small thank-you for "
        "the catalogue.",
    ),
    ScriptedMessage(
        44,
        "jonas",
        SUPPER,
        "My sister is coming! She sends her thanks for the sunflower seeds.",
        reply_to="seeds",
    ),
    ScriptedMessage(
        27,
        "amina",
        "maya",
        "One more thing: do you have a big pot? Mine is too small for eight people.",
    ),
    ScriptedMessage(
        11,
        "jonas",
        "maya",
        "The ladder is back in the shed, and there is a jar of plum jam on the "
        "second step.",
    ),
)
