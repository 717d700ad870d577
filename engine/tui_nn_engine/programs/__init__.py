"""An update as a program: parameters, slots, operations, and the backward half derived."""
