"""What people can do, as functions: the module is the noun, the function the verb."""
