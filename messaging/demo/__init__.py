"""Demo conversations: `story` is the script, `seeding` writes it to the database."""
