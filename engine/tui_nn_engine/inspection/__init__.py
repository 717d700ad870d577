"""Looking into a network that trains: what each view of Inspect mode is told, and how it is made.

One file a view: a message, and the function that makes it of the network as it is now.
"""
