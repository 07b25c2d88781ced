"""Workers: entry points that do what is owed. There is no queue to lose; what is owed follows from the events.

`loop` closes epochs, publishes the log and sends notices. `production` alone holds the stores' credentials and
runs as a process of its own.
"""
