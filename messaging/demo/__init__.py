"""A small believable set of conversations: `story` is told by `seeding`."""
