"""What users can do: a module is a noun, and a function a verb with its object."""
