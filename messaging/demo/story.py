"""What the people of the demo say to each other: nothing but the script."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Usernames and display names; the first is the one to sign in as.
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
class Said:
    """A line of the script. `to` is a group's title or a person's username."""

    minutes_ago: int
    sender: str
    to: str
    content: str
    # What other lines reply to it by, and whose it is itself.
    key: str = ""
    reply_to: str = ""
    # What it said at first, if it was edited.
    before: Sequence[str] = ()


# In the order of time, which is also the order of the inbox.
STORY: Final = (
    Said(
        9 * _DAY,
        "lucia",
        GARDEN,
        "Welcome, everyone! This is the place for all things garden: watering, tools, "
        "and who has too many zucchini.",
    ),
    Said(
        9 * _DAY - 12,
        "kenji",
        GARDEN,
        "Thank you for setting this up, Lucia. I can water on Tuesdays and Fridays.",
        key="watering",
    ),
    Said(
        9 * _DAY - 30,
        "amina",
        GARDEN,
        "I will take Mondays and Thursdays then.",
        reply_to="watering",
    ),
    Said(
        9 * _DAY - 41,
        "tomas",
        GARDEN,
        "And the weekends are mine, I am there with the children anyway.",
        reply_to="watering",
    ),
    Said(
        6 * _DAY,
        "jonas",
        "maya",
        "Hi Maya, do you still have the long ladder? Our gutter is full of leaves.",
        key="ladder",
    ),
    Said(
        6 * _DAY - 25,
        "maya",
        "jonas",
        "It is in the shed behind the house, the door is open. Take it whenever "
        "you like.",
        reply_to="ladder",
    ),
    Said(
        6 * _DAY - 28,
        "jonas",
        "maya",
        "Wonderful, thank you. You will have it back on Sunday.",
    ),
    Said(
        4 * _DAY,
        "maya",
        SUPPER,
        "Supper at our place this Saturday at 7 pm. Who is coming?",
        key="supper",
        before=("Supper at our place this Saturday at 6 pm. Who is coming?",),
    ),
    Said(
        4 * _DAY - 9,
        "amina",
        SUPPER,
        "With pleasure! I will bring the peanut stew.",
        key="stew",
        reply_to="supper",
    ),
    Said(
        4 * _DAY - 15,
        "tomas",
        SUPPER,
        "The one from last winter? My daughter still talks about it.",
        key="winter",
        reply_to="stew",
    ),
    Said(
        4 * _DAY - 21,
        "amina",
        SUPPER,
        "The very one. Does she eat it spicy by now?",
        key="spicy",
        reply_to="winter",
    ),
    Said(
        4 * _DAY - 26,
        "tomas",
        SUPPER,
        "A little. Could you keep a small pot mild?",
        key="mild",
        reply_to="spicy",
    ),
    Said(
        4 * _DAY - 31,
        "amina",
        SUPPER,
        "Of course. Is anybody allergic to peanuts?",
        key="allergic",
        reply_to="mild",
    ),
    Said(
        4 * _DAY - 40,
        "jonas",
        SUPPER,
        "My sister is, and she may come along. I should have said so earlier.",
        key="sister",
        reply_to="allergic",
        before=("My sister is, and she may come along.",),
    ),
    Said(
        4 * _DAY - 44,
        "amina",
        SUPPER,
        "Good that you say so. Then I will make it with sunflower seeds, for everyone.",
        key="seeds",
        reply_to="sister",
    ),
    Said(
        4 * _DAY - 52,
        "jonas",
        SUPPER,
        "That is very kind. Does it taste the same?",
        key="taste",
        reply_to="seeds",
    ),
    Said(
        4 * _DAY - 58,
        "amina",
        SUPPER,
        "Almost. My grandmother made it so whenever peanuts were dear.",
        key="grandmother",
        reply_to="taste",
    ),
    Said(
        4 * _DAY - 63,
        "maya",
        SUPPER,
        "I would love to have that recipe.",
        key="recipe",
        reply_to="grandmother",
    ),
    Said(
        4 * _DAY - 70,
        "amina",
        SUPPER,
        "It was never written down. Come an hour early and we will cook it together?",
        key="together",
        reply_to="recipe",
    ),
    Said(
        4 * _DAY - 74,
        "maya",
        SUPPER,
        "Yes, please! I will have the onions ready.",
        key="onions",
        reply_to="together",
    ),
    Said(
        4 * _DAY - 95,
        "tomas",
        SUPPER,
        "And I will write it down while you two cook.",
        reply_to="onions",
    ),
    Said(
        4 * _DAY - 110,
        "jonas",
        SUPPER,
        "I am in as well, and will bring bread and a salad.",
        reply_to="supper",
    ),
    Said(
        3 * _DAY,
        "kenji",
        "maya",
        "Maya, the seed catalogue you lent me is a treasure. I marked a few pages "
        "with slips of paper, I hope you do not mind.",
        key="catalogue",
    ),
    Said(
        3 * _DAY - 34,
        "maya",
        "kenji",
        "Not at all, that is what it is for. Which ones do you like best?",
        reply_to="catalogue",
    ),
    Said(
        3 * _DAY - 50,
        "kenji",
        "maya",
        "The purple beans on page 14, and every single squash.",
    ),
    Said(
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
    Said(
        2 * _DAY - 17,
        "jonas",
        GARDEN,
        "Count me in, I can come before work.",
        reply_to="compost",
    ),
    Said(
        2 * _DAY - 33,
        "kenji",
        GARDEN,
        "Me too. I have a second wheelbarrow.",
        reply_to="compost",
    ),
    Said(
        _DAY,
        "amina",
        "maya",
        "Shall we meet at six on Saturday, for the stew?",
        key="six",
    ),
    Said(
        _DAY - 8,
        "maya",
        "amina",
        "Six is perfect. I am looking forward to it all week.",
        reply_to="six",
    ),
    Said(
        6 * _HOUR,
        "tomas",
        GARDEN,
        "The rain barrel is full to the brim. No need to water today.",
    ),
    Said(
        80,
        "lucia",
        GARDEN,
        "@maya, could you be the fourth for the compost? You have the good fork.",
        reply_to="compost",
    ),
    Said(
        61,
        "kenji",
        "maya",
        "I have ordered the purple beans for both of us. A small thank-you for "
        "the catalogue.",
    ),
    Said(
        44,
        "jonas",
        SUPPER,
        "My sister is coming! She sends her thanks for the sunflower seeds.",
        reply_to="seeds",
    ),
    Said(
        27,
        "amina",
        "maya",
        "One more thing: do you have a big pot? Mine is too small for eight people.",
    ),
    Said(
        11,
        "jonas",
        "maya",
        "The ladder is back in the shed, and there is a jar of plum jam on the "
        "second step.",
    ),
)
